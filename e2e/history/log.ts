import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Note } from './record.ts';

export type Write = (...notes: readonly Note[]) => void;

/** A client's own log. What is written survives the death of the client: each call is one write to the file. */
export function openLog(file: string): Write {
  return (...notes) => {
    if (notes.length > 0) appendFileSync(file, notes.map((note) => `${JSON.stringify(note)}\n`).join(''));
  };
}

/** All logs of a folder. */
export function readLogs(folder: string): Note[][] {
  return readdirSync(folder).map((name) =>
    readFileSync(path.join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Note),
  );
}
