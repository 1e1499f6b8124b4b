import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Input } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();
const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, 'fixtures', name));

type Query = Input<'previewFile'>['query'];

async function preview(queue: QueueFixture, text: string | Uint8Array<ArrayBuffer>, query: Query = {}) {
  const body = { file: new Blob([text]) };
  return queue.owner.call.previewFile({ path: queue.path, query, body });
}

async function propose(file: Blob, query: Input<'proposeWorkItemModel'>['query'] = {}) {
  return app.admin.proposeWorkItemModel({ query, body: { file } });
}

describe('previewFile', () => {
  test('previewFile shows the rows as they would be stored, with what is wrong in each cell, and stores nothing', async () => {
    const queue = await createQueue(app);
    const { body } = await preview(
      queue,
      'Customer;Amount;due\nJane;9007199254740993;2026-03-01\n;much;01/02/2026\n',
    );
    expect(body).toMatchObject({
      format: 'CSV',
      delimiter: 'SEMICOLON',
      encoding: 'utf-8',
      rowsLookedAt: 2,
      isCut: false,
    });
    expect(body.problems).toEqual([]);
    expect(body.columns.map(({ attribute }) => attribute)).toEqual(['customer', 'amount', 'due']);
    expect(body.rows[0]).toEqual({
      row: 2,
      cells: ['Jane', '9007199254740993', '2026-03-01'],
      json: { customer: 'Jane', amount: 9007199254740993n, due: '2026-03-01' },
      problems: [],
    });
    expect(body.rows[1]?.problems.map(({ column, value }) => [column, value])).toEqual([
      ['Amount', 'much'],
      ['due', '01/02/2026'],
      ['Customer', undefined],
    ]);
    expect(await queue.claim()).toEqual([]);
    expect((await queue.owner.call.listUploads({ path: queue.path })).body.list).toEqual([]);
  });

  test('previewFile tells what the header lacks, and proposes a mapping that may be sent as it is', async () => {
    const queue = await createQueue(app);
    const file = 'Customer name,Amout,Remark\nJane,5,x\n';
    const { body } = await preview(queue, file);
    expect(body.problems.map(({ field, row }) => [field, row])).toEqual([
      ['Customer name', 1],
      ['Amout', 1],
      ['Remark', 1],
      ['customer', 1],
    ]);
    expect(body.mapping).toEqual({ 'Customer name': 'customer', Amout: 'amount' });
    const query = { mapping: JSON.stringify(body.mapping), extraColumns: 'IGNORE' } as const;
    const again = await preview(queue, file, query);
    expect(again.body.problems).toEqual([]);
    expect(again.body.rows[0]?.json).toEqual({ customer: 'Jane', amount: 5 });
  });

  test('previewFile maps no attribute to the reasons of a file of rows to correct, and tells of values without a name above', async () => {
    const attributes = [{ name: 'customer' }, { name: 'reason', isRequired: false }];
    const model = await app.admin.createWorkItemModel({ body: { name: 'With a reason', attributes } });
    const queue = await createQueue(app, { workItemModelId: Number(model.body.id) });
    const { body } = await preview(queue, 'customer,,Millrace: reason\nJane,,x\nJoe,y,x\n');
    expect(body.mapping).toEqual({});
    expect(body.problems).toEqual([
      { row: 3, message: expect.stringContaining('has a value in column 2, which has no name') },
    ]);
  });

  test('previewFile proposes how dates and numbers are read, and says where nothing can tell', async () => {
    const queue = await createQueue(app);
    const { body } = await preview(queue, 'customer;amount;due\nJane;1.234,5;01/02/2026\nJoe;7;31/01/2026\n');
    expect([body.dateFormat, body.decimalSign]).toEqual(['dd/mm/yyyy', 'COMMA']);
    const query = { dateFormat: 'dd/mm/yyyy', decimalSign: 'COMMA' } as const;
    const read = await preview(queue, 'customer;amount;due\nJane;1.234,5;01/02/2026\n', query);
    expect(read.body.rows[0]).toMatchObject({ json: { amount: 1234.5, due: '2026-02-01' }, problems: [] });
    expect(read.body.dateFormat).toBeUndefined();
    const unclear = await preview(queue, 'customer,due\nJane,01/02/2026\n');
    expect(unclear.body.columns[1]?.note).toContain('say by dateFormat which');
    expect(unclear.body.dateFormat).toBeUndefined();
  });

  test('previewFile shows the beginning of a long file, and the sheets of a workbook', async () => {
    const queue = await createQueue(app);
    const rows = Array.from({ length: 1500 }, (_, index) => `customer ${index},${index}`).join('\n');
    const long = (await preview(queue, `customer,amount\n${rows}\n`)).body;
    expect([long.rowsLookedAt, long.isCut, long.rows.length]).toEqual([1000, true, 20]);
    const wide = `customer\n${Array.from({ length: 5 }, () => 'x'.repeat(600_000)).join('\n')}\n`;
    const large = (await preview(queue, wide)).body;
    expect(large.rows.length).toBe(1);
    expect(large.rows[0]?.cells[0]?.length).toBe(201);
    const book = (await preview(queue, new Uint8Array(fixture('german.xlsx')))).body;
    expect(book.sheets?.length).toBeGreaterThan(0);
    expect(book.sheets).toContain(book.sheet);
  });

  test('previewFile refuses a file that is no table, and options that make no sense', async () => {
    const queue = await createQueue(app);
    expect((await preview(queue, '%PDF-1.7')).error.message).toContain('a PDF');
    expect((await preview(queue, '')).error.message).toContain('is empty');
    expect((await preview(queue, 'a\n1\n', { timeZone: 'Mars' })).error.message).toContain('no time zone');
  });
});

describe('proposeWorkItemModel', () => {
  test('proposeWorkItemModel answers the body of createWorkItemModel for the file, which then takes it', async () => {
    const file = new File(
      ['Order No.,Customer,Amount,Due,Urgent,Zip\n4711,Jane,1.5,2026-03-01,yes,01067\n4712,Joe,,,no,10115\n'],
      'Orders 2026.csv',
    );
    const { body } = await propose(file);
    expect(body.name).toBe('items');
    expect(body.attributes).toEqual([
      { name: 'Order No.', type: 'NUMBER', isRequired: true },
      { name: 'Customer', type: 'TEXT', isRequired: true },
      { name: 'Amount', type: 'NUMBER', isRequired: false },
      { name: 'Due', type: 'DATE', isRequired: false },
      { name: 'Urgent', type: 'BOOLEAN', isRequired: true },
      { name: 'Zip', type: 'TEXT', isRequired: true },
    ]);
    const made = await app.admin.createWorkItemModel({ body });
    expect([made.status, made.body.attributes?.length]).toEqual([200, 6]);
    const queue = await app.admin.createQueue({
      body: { name: 'Orders', workItemModelId: made.body.id as number },
    });
    const stored = await app.admin.createWorkItemsFromFile({
      path: { id: queue.body.id as number },
      body: { file },
    });
    expect(stored.body).toMatchObject({ created: 2, rejected: 0 });
  });

  test('proposeWorkItemModel makes names of headers that cannot be names', async () => {
    const { body } = await propose(new Blob(['a,,a,"two\nlines",zero\u200bwidth\n1,2,3,4,5\n']));
    expect(body.attributes.map(({ name }) => name)).toEqual([
      'a',
      'column 2',
      'a 2',
      'two lines',
      'zerowidth',
    ]);
    expect((await app.admin.createWorkItemModel({ body: { ...body, name: 'Odd' } })).status).toBe(200);
  });

  test('proposeWorkItemModel leaves out the reasons of a file of rows to correct, and columns at the end that are none', async () => {
    const { body } = await propose(new Blob(['a;b;;Millrace: reason\nx;1;;b: must be a number\n']));
    expect(body.attributes.map(({ name }) => name)).toEqual(['a', 'b']);
    const other = await propose(new Blob(['a;b;;\nx;1;;\n']));
    expect(other.body.attributes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('proposeWorkItemModel is for those who may create models', async () => {
    const reader = await app.user('runs bots', ['AAE_Bot Runner']);
    const { status } = await reader.call.proposeWorkItemModel({ body: { file: new Blob(['a\n1\n']) } });
    expect(status).toBe(403);
  });
});
