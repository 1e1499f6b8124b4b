import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
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

/** Gives a command these answers, one after the other; a text in the place of one cuts the connection. */
async function runWith(args: readonly string[], answers: readonly (object | 'cut')[], isLive = false) {
  const left = [...answers];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const next = left.shift();
      if (next === 'cut') return void request.socket.destroy();
      response.setHeader('content-type', 'application/json');
      // Longer than a bar waits before it is drawn anew.
      setTimeout(() => response.end(JSON.stringify(next)), isLive ? 300 : 0);
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
  writeFileSync(path.join(folder, 'a.csv'), 'customer\nA\n');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const settings = { MILLRACE_CONFIG: folder, MILLRACE_USERNAME: 'ana', MILLRACE_API_KEY: 'key' };
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const written = createWrittenTerminal();
  const terminal = { ...written.terminal, isLive, screen };
  const program = createProgram({ config: readConfig(settings), terminal });
  const typed = args.map((word) => (word === 'a.csv' ? path.join(folder, word) : word));
  await program.parseAsync(['upload', '7', ...typed, '--url', url], { from: 'user' });
  return { exitCode: process.exitCode, shown: String(screen.read() ?? ''), said: written.said };
}

const exitAfter = async (args: readonly string[], ...answers: readonly object[]) =>
  (await runWith(['a.csv', ...args], answers)).exitCode;

const token = { token: 'a.b.c', user: { id: 1, username: 'ana', roles: [] } };
const reading = { created: 0, uploadId: 4, state: 'READING', rejected: 0 };

test('a file with rows that do not fit ends with exit code 1, also when it was stored behind the answer', async () => {
  expect(await exitAfter([], token, answer)).toBe(1);
  expect(await exitAfter(['--async'], token, reading, { ...answer, state: 'STORED' })).toBe(1);
});

test('a file whose rows all fit ends well', async () => {
  expect(await exitAfter([], token, { ...answer, rejected: 0, duplicates: 2 })).toBeUndefined();
});

const onItsWay = (bytesRead: number, rows: number) => ({
  ...reading,
  fileName: 'a.csv',
  fileBytes: 200,
  bytesRead,
  rows,
});
const done = { ...answer, rejected: 0, state: 'STORED', fileName: 'a.csv' };

test('the bytes that go out are shown, and then that the server is at work, where the answer is waited for', async () => {
  const { shown, said } = await runWith(['a.csv', '--dry-run'], [token, { ...answer, rejected: 0 }], true);
  expect(shown).toMatch(/a\.csv .* 0% {2}0 B of 11 B/);
  expect(shown).toMatch(/a\.csv .* 100% {2}11 B of 11 B {2}The server is reading it \.\.\./);
  expect(shown).not.toContain('Storing');
  expect(said).toEqual([]);
});

test.each([[['--async']], [[]]])(
  'how much of a file is stored is shown while it is, behind the bytes that went out (%j)',
  async (flags) => {
    const answers = [token, reading, onItsWay(50, 1200), onItsWay(150, 3600), done];
    const { shown, exitCode } = await runWith(['a.csv', ...flags], answers, true);
    const bars = ['100%  11 B of 11 B', 'Storing', '25%  1,200 rows', '75%  3,600 rows'];
    const places = bars.map((text) => shown.indexOf(text));
    expect(places, shown).toEqual(places.toSorted((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(0);
    expect(exitCode).toBeUndefined();
  },
);

test('how much is stored is shown of an upload that is resumed, also when the server was away meanwhile', async () => {
  const answers = [token, onItsWay(50, 1200), onItsWay(50, 1200), 'cut', onItsWay(150, 3600), done] as const;
  const { shown, exitCode } = await runWith(['--resume', '4'], answers, true);
  expect(shown).toMatch(/Storing a\.csv .* 25% {2}1,200 rows/);
  expect(shown).toMatch(/Storing a\.csv .* 75% {2}3,600 rows/);
  expect(shown).not.toContain(' of 11 B');
  expect(exitCode).toBeUndefined();
});

test('nothing is drawn where stderr is no terminal, or a program reads the answer', async () => {
  const answers = [token, reading, onItsWay(50, 1200), done];
  const plain = await runWith(['a.csv', '--async'], answers);
  expect([plain.shown, plain.said]).toEqual(['', ['Uploading a.csv (11 B) ...']]);
  const forProgram = await runWith(['a.csv', '--async', '--json'], answers, true);
  expect([forProgram.shown, forProgram.said]).toEqual(['', []]);
});
