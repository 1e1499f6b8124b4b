import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Note } from './record.ts';

export type Write = (...notes: readonly Note[]) => void;

/** A participant's own log. Written lines survive its death: each call is one write to the file. */
export function openLog(file: string): Write {
  return (...notes) => {
    if (notes.length > 0) appendFileSync(file, notes.map((note) => `${JSON.stringify(note)}\n`).join(''));
  };
}

/** The lines that were written in full: the last one may be torn by the death of its writer. */
export function readLines<T>(file: string): T[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}

/** All logs of a folder. */
export function readLogs(folder: string): Note[][] {
  return readdirSync(folder).map((name) => readLines<Note>(path.join(folder, name)));
}
