import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../config.ts';
import { createProgram } from '../program.ts';
import { createWrittenTerminal } from '../terminal.fixture.ts';
import { howToCorrect } from './upload.ts';

const answer = { created: 1, uploadId: 4, batchId: 12, rejected: 1, duplicates: 0 };
const errors = 'To correct the rows that did not come in: millrace queue upload-errors credit 4';

test('rows that came in as failed items are corrected there, or the file is taken back before it is sent anew', () => {
  const lines = howToCorrect('credit', { ...answer, onError: 'dataError' });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/: millrace item list credit --where batchId=12 --where failureKind=DATA_ERROR$/);
  expect(lines[1]).toMatch(/: millrace queue undo-upload credit 4$/);
  expect(howToCorrect('credit', { ...answer, onError: 'dataError', duplicates: 2 })[2]).toContain('left out');
});

test('rows that were left out are in the file of rows to correct', () => {
  expect(howToCorrect('credit', { ...answer, onError: 'skip' })).toEqual([errors]);
  const equal = { ...answer, onError: 'dataError', rejected: 0, duplicates: 1 } as const;
  expect(howToCorrect('credit', equal)).toEqual([errors]);
  expect(howToCorrect('credit', { ...equal, duplicates: 0 })).toEqual([]);
});

/** Sends a file to a server that gives these answers, one after the other; answers the exit code. */
async function exitAfter(args: readonly string[], ...answers: readonly object[]) {
  const left = [...answers];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(left.shift()));
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-upload-'));
  const before = process.exitCode;
  onTestFinished(() => {
    process.exitCode = before;
    server.close();
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'a.csv');
  writeFileSync(file, 'customer\nA\n');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const settings = { MILLRACE_CONFIG: folder, MILLRACE_USERNAME: 'ana', MILLRACE_API_KEY: 'key' };
  const { terminal } = createWrittenTerminal();
  const program = createProgram({ config: readConfig(settings), terminal });
  await program.parseAsync(['upload', '7', file, '--url', url, ...args], { from: 'user' });
  return process.exitCode;
}

const token = { token: 'a.b.c', user: { id: 1, username: 'ana', roles: [] } };
const reading = { created: 0, uploadId: 4, state: 'READING', rejected: 0 };

test('a file with rows that do not fit ends with exit code 1, also when it was stored behind the answer', async () => {
  expect(await exitAfter([], token, answer)).toBe(1);
  expect(await exitAfter(['--async'], token, reading, { ...answer, state: 'STORED' })).toBe(1);
});

test('a file whose rows all fit ends well', async () => {
  expect(await exitAfter([], token, { ...answer, rejected: 0, duplicates: 2 })).toBeUndefined();
});
