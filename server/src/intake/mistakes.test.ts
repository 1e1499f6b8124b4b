import { readFileSync } from 'node:fs';
import type { Input } from '@millrace/api';
import { expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { workbookOf } from './table/workbook.fixture.ts';

const app = await startApp();

test('createWorkItemsFromFile answers the example of ten mistakes as docs/intake.md has it', async () => {
  const text = readFileSync(new URL('../../../docs/intake.md', import.meta.url), 'utf8');
  const [, file = ''] = /((?: {4}.*;.*\n){12})/.exec(text) ?? [];
  const { body: model } = await app.admin.createWorkItemModel({
    body: {
      name: 'Invoices',
      attributes: [
        { name: 'invoiceNumber', type: 'TEXT' },
        { name: 'customer', type: 'TEXT' },
        { name: 'amount', type: 'NUMBER' },
        { name: 'due', type: 'DATE', isRequired: false },
        { name: 'urgent', type: 'BOOLEAN', isRequired: false },
      ],
    },
  });
  const { body: queue } = await app.admin.createQueue({
    body: {
      name: 'Invoices',
      workItemModelId: Number(model.id),
      disallowDuplicate: true,
      uniqueBy: ['invoiceNumber'],
    },
  });
  const path = { id: Number(queue.id) };
  const upload = async (content: string) =>
    app.admin.createWorkItemsFromFile({
      path,
      query: { onError: 'skip' },
      body: { file: new Blob([content]) },
    });
  const { body } = await upload(file.replace(/^ {4}/gm, ''));
  expect(body).toMatchObject({ created: 1, rows: 11, rejected: 9, duplicates: 1 });
  const told = (body.errors ?? []).map(({ row, column = '', value = '', reason }) =>
    `| ${row} | ${column} | ${value.replaceAll('|', '\\|')} | ${reason} |`.replace(/ {2,}/g, ' '),
  );
  expect(told.length).toBe(10);
  for (const line of told) expect(text).toContain(line);
  const { error } = await upload('Rechnung;Kunde;Betrag\nR-01;Adam;1\n');
  expect(error.details?.map(({ field }) => field)).toEqual([
    'Rechnung',
    'Kunde',
    'Betrag',
    'invoiceNumber',
    'customer',
    'amount',
  ]);
});

type Query = Input<'createWorkItemsFromFile'>['query'];

function put(queue: QueueFixture, text: string, query: Query = {}) {
  const body = { file: new Blob([text]) };
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body });
}

test('createWorkItemsFromFile takes columns without names at the end for none, as long as no row has a value there', async () => {
  const queue = await createQueue(app);
  const good = await put(queue, 'customer;amount;;\nJane;1;;\nJoe;2\nJim;3;\n');
  expect(good.body).toMatchObject({ created: 3, rejected: 0 });
  const ragged = await put(queue, 'customer;amount;;\nJane;4;;;5\nJoe\n', { onError: 'skip' });
  expect(ragged.body.errors?.map(({ row, reason }) => [row, reason.split(';')[0]])).toEqual([
    [2, 'is ragged: it has 5 columns, the header has 2'],
    [3, 'is ragged: it has 1 column, the header has 2'],
  ]);
  const lost = 'customer;amount;;\nJane;1;;\nJoe;2;;x\n';
  const { error } = await put(queue, lost);
  expect(error.message).toContain('Row 3: has a value in column 4, which has no name in the header.');
  expect((await put(queue, lost, { extraColumns: 'IGNORE' })).body).toMatchObject({ created: 2 });
});

test('createWorkItemsFromFile says what to do about a value behind the columns of a workbook, and a date that is shown as a number', async () => {
  const { body: model } = await app.admin.createWorkItemModel({
    body: { name: 'Dated', attributes: [{ name: 'due', type: 'DATE' }] },
  });
  const settings = { name: 'Dated', workItemModelId: Number(model.id) };
  const path = { id: Number((await app.admin.createQueue({ body: settings })).body.id) };
  const text = (value: string) => `<c t="str"><v>${value}</v></c>`;
  const rows = `<row>${text('due')}</row><row>${text('2026-03-01')}${text('a note')}</row><row><c><v>46082</v></c></row>`;
  const file = new Blob([Uint8Array.from(workbookOf({ rows }))]);
  const { body } = await app.admin.createWorkItemsFromFile({
    path,
    query: { onError: 'skip' },
    body: { file },
  });
  expect(body.errors?.map(({ row, reason }) => [row, reason])).toEqual([
    [
      2,
      'is ragged: it has 2 columns, the header has 1; name its further columns there, or delete what stands in them',
    ],
    [3, 'must be a date: it is a number that the workbook does not show as one; format the cell as a date'],
  ]);
});
