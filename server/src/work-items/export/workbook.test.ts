import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openTable } from '../../intake/table/open.ts';
import { headXml, rowXml } from './sheet.rules.ts';
import { workbookOf } from './workbook.ts';

async function* portions() {
  for (const numbers of [[1, 2, 3], [4], [5, 6, 7]])
    yield await Promise.resolve(numbers.map((number) => rowXml([{ number: String(number) }], 'UTC')));
}

test('a workbook goes on in further sheets, each with the header, when one is full', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-workbook-'));
  const file = path.join(folder, 'book');
  const pieces: Buffer[] = [];
  const most = { rows: 4, characters: 1_000_000 };
  for await (const piece of workbookOf({ name: 'Items', head: headXml(['n']), portions: portions() }, most))
    pieces.push(piece);
  await writeFile(file, Buffer.concat(pieces));
  const read = async (sheet: string) => {
    const { layout, lines } = await openTable(file, { sheet });
    const cells: unknown[] = [];
    for await (const part of lines) cells.push(...part.map((line) => line.cells[0]));
    return { sheets: layout.sheets, cells };
  };
  const sheets = ['Items', 'Items 2', 'Items 3'];
  expect(await read('1')).toEqual({ sheets, cells: ['n', 1, 2, 3] });
  expect(await read('2')).toEqual({ sheets, cells: ['n', 4, 5, 6] });
  expect(await read('3')).toEqual({ sheets, cells: ['n', 7] });
  await rm(folder, { recursive: true });
});

test('a workbook whose rows cannot be had to their end fails', async () => {
  async function* broken() {
    yield await Promise.resolve([rowXml(['a'], 'UTC')]);
    throw new Error('no more rows');
  }
  const all = async () => {
    for await (const _ of workbookOf({ name: 'Items', head: headXml(['n']), portions: broken() }));
  };
  await expect(all()).rejects.toThrow('no more rows');
});
