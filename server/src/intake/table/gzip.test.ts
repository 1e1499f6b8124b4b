import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTable } from './open.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-gzip-'));
});
afterAll(() => rm(folder, { recursive: true }));

const mebibyte = 1024 * 1024;

/** Writes members of gzip one behind the other, which inflate to one file. */
async function packed(...members: readonly Buffer[]): Promise<string> {
  const file = path.join(folder, 'file.csv.gz');
  await writeFile(file, Buffer.concat(members));
  return file;
}

/** Reads all rows of a file. @returns their number, or why it is no table */
async function read(file: string): Promise<number | string> {
  let rows = 0;
  try {
    for await (const part of (await openTable(file, {})).lines) rows += part.length;
    return rows;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The most memory that this process has had. */
const peak = () => process.resourceUsage().maxRSS * 1024;

test('a file that inflates to gigabytes of nothing is refused within 100 MiB of memory', async () => {
  const member = gzipSync(Buffer.alloc(16 * mebibyte, 'a'));
  const bomb = await packed(...Array.from({ length: 500 }, () => member));
  expect((await stat(bomb)).size).toBeGreaterThan(7 * mebibyte);
  const before = peak();
  expect(await read(bomb)).toContain('inflates to more than a table of its size can hold');
  expect(peak() - before).toBeLessThan(100 * mebibyte);
});

test.each([
  ['a workbook', Buffer.from('PK\u0003\u0004'), 'that is compressed is a workbook'],
  ['bytes', Buffer.from([1, 0, 2, 0, 0, 3, 0, 0]), 'neither text nor a workbook'],
  ['a page of HTML', Buffer.from('<!DOCTYPE html>\n<p>Log in'), 'a page of HTML'],
])('%s that inflates to a gigabyte is known by its beginning', async (_, start, message) => {
  const rest = gzipSync(Buffer.alloc(64 * mebibyte, 'a'));
  const file = await packed(gzipSync(start), ...Array.from({ length: 16 }, () => rest));
  // A reader that inflated all of it would say that it inflates to too much.
  expect(await read(file)).toContain(message);
});

test('a table that is compressed well is read in whole, within 100 MiB of memory', async () => {
  const rows = 400_000;
  const text = Array.from(
    { length: rows },
    (_, row) => `customer ${row},${row % 7},some words that come again\n`,
  );
  const file = await packed(gzipSync(`customer,amount,note\n${text.join('')}`));
  const before = peak();
  expect(await read(file)).toBe(rows + 1);
  expect(peak() - before).toBeLessThan(100 * mebibyte);
});
