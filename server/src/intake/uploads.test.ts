import pg from 'pg';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Input } from '@millrace/api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import type { Cell } from './table/cells.rules.ts';
import { openTable } from './table/open.ts';
import { workbookOf } from './table/workbook.fixture.ts';
import { workbookWith } from './table/write-excel.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

function upload(queue: QueueFixture, content: string | Uint8Array<ArrayBuffer>, query: Query = {}) {
  const file = new Blob([content]);
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body: { file } });
}

async function put(queue: QueueFixture, content: string | Uint8Array<ArrayBuffer>, query: Query = {}) {
  const { status, body, error } = await upload(queue, content, query);
  expect(status, JSON.stringify(error)).toBe(200);
  return { ...body, path: { ...queue.path, uploadId: Number(body.uploadId) } };
}

async function errorsOf(queue: QueueFixture, place: { id: number; uploadId: number }) {
  const answer = await queue.owner.call.downloadUploadErrors({ path: place });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  const bytes = new Uint8Array(await (answer.body as unknown as Blob).arrayBuffer());
  return { bytes, headers: answer.headers };
}

/** The rows of a file, read by the reader of uploads. */
async function rowsOf(bytes: Uint8Array): Promise<(readonly Cell[])[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  writeFileSync(file, bytes);
  const rows: (readonly Cell[])[] = [];
  for await (const lines of (await openTable(file, {})).lines) rows.push(...lines.map(({ cells }) => cells));
  return rows;
}

const bad =
  'Customer;Amount;Due\r\nJane;5;2026-03-01\r\nJoe;"much; or not";2026-03-01\r\n;6;\r\nJim;7;30.02.2026\r\nJack;8\r\n';

describe('getUpload', () => {
  test('getUpload tells what became of a file, with its batch', async () => {
    const queue = await createQueue(app);
    const { path: place, batchId } = await put(queue, bad, {
      onError: 'skip',
      batchName: 'Credits of March',
    });
    const { body } = await queue.owner.call.getUpload({ path: place });
    expect(body).toMatchObject({
      ...{ uploadId: place.uploadId, batchId, state: 'STORED', fileName: 'items.csv', onError: 'skip' },
      ...{ rows: 5, created: 1, rejected: 4, errorRows: 4, createdBy: queue.owner.id },
    });
    const batch = await queue.owner.call.getBatch({ path: { ...queue.path, batchId: Number(batchId) } });
    expect(batch.body).toMatchObject({ name: 'Credits of March', source: 'UPLOAD', received: 1, waiting: 1 });
    expect((await queue.claim()).map((item) => item.batchId)).toEqual([batchId]);
  });

  test('getUpload finds no upload of another queue', async () => {
    const { path: place } = await put(await createQueue(app), 'customer\nJane\n');
    const queue = await createQueue(app);
    const { status, error } = await queue.owner.call.getUpload({ path: { ...place, id: queue.id } });
    expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  });

  test('createWorkItemsFromFile is on record as an event of the queue, with its batch', async () => {
    const queue = await createQueue(app);
    const { path: place, batchId } = await put(queue, 'customer\nJane\nJoe\n');
    const query = { queueId: queue.id, batchId: Number(batchId) };
    const { list } = (await queue.owner.call.listEvents({ query })).body;
    expect(list.map(({ operation, itemId }) => [operation, itemId === undefined])).toEqual([
      ['createWorkItemsFromFile', false],
      ['createWorkItemsFromFile', false],
      ['createWorkItemsFromFile', true],
    ]);
    expect(list.at(-1)?.changes).toMatchObject({ uploadId: place.uploadId, rows: 2, created: 2 });
  });
});

describe('control totals', () => {
  const text = 'customer,amount\nJane,0.1\nJoe,0.2\n';

  test('createWorkItemsFromFile compares what came in with what was announced', async () => {
    const queue = await createQueue(app);
    const expectedSums = '{"amount":0.30}';
    const good = await put(queue, text, { expectedItems: 2, expectedSums });
    expect(good).toMatchObject({
      expected: { items: 2, sums: { amount: 0.3 } },
      sums: { amount: 0.3 },
      matches: true,
    });
    const tried = await upload(queue, text, { expectedItems: 3, dryRun: true });
    expect(tried.body).toMatchObject({ created: 2, matches: false, dryRun: true });
    const { body } = await queue.owner.call.getUpload({ path: good.path });
    expect(body).toMatchObject({ matches: true, sums: { amount: 0.3 } });
    const batches = (await queue.owner.call.listBatches({ path: queue.path })).body.list;
    expect(batches).toHaveLength(1);
  });

  test('createWorkItemsFromFile refuses a file that does not match, where bad files are refused', async () => {
    const queue = await createQueue(app);
    const { status, error } = await upload(queue, text, {
      onError: 'reject',
      expectedSums: '{"amount":0.4}',
    });
    expect([status, error.message]).toEqual([
      400,
      'The file does not match its control totals: expected {"sums":{"amount":0.4}}, the file has {"items":2,"sums":{"amount":0.3}}. Nothing was created.',
    ]);
    expect(await queue.claim()).toEqual([]);
    const none = await upload(queue, text, { expectedSums: '{"customer":1}' });
    expect([none.status, none.error.message]).toEqual([
      400,
      'expected.sums names "customer", which is no attribute of the type NUMBER, or is encrypted: those are amount.',
    ]);
    for (const expectedSums of ['5', '{"amount":"1"}', '{}', '['])
      expect((await upload(queue, text, { expectedSums })).status).toBe(400);
  });
});

describe('downloadUploadErrors', () => {
  test('downloadUploadErrors has the rows that did not come in, as they were sent, and why; corrected it is sent again', async () => {
    const queue = await createQueue(app);
    const { path: place } = await put(queue, bad, { onError: 'skip' });
    const { bytes, headers } = await errorsOf(queue, place);
    expect(headers.get('content-type')).toBe('text/csv');
    expect(headers.get('content-disposition')).toContain(
      'attachment; filename="items.errors.csv"; filename*=UTF-8\'\'',
    );
    const text = new TextDecoder().decode(bytes);
    expect(text.split('\r\n')).toEqual([
      'Customer;Amount;Due;Millrace: reason',
      'Joe;"much; or not";2026-03-01;"Amount: must be a number, not ""much; or not"""',
      ';6;;Customer: is required',
      'Jim;7;30.02.2026;"Due: ""30.02.2026"" is no day of the calendar"',
      'Jack;8;;is ragged: it has 2 columns, the header has 3',
      '',
    ]);
    const corrected = text
      .replace('"much; or not"', '50')
      .replace(';6;;', 'Ann;6;;')
      .replace('30.02', '28.02');
    const again = await put(queue, corrected);
    expect(again).toMatchObject({ created: 4, rejected: 0 });
    const items = await queue.claim(10);
    expect(items.map(({ json }) => json?.['customer'])).toEqual(['Jane', 'Joe', 'Ann', 'Jim', 'Jack']);
  });

  test('downloadUploadErrors replaces the reasons of a file that was sent again half corrected', async () => {
    const queue = await createQueue(app);
    const first = await put(queue, bad, { onError: 'skip' });
    const text = new TextDecoder().decode((await errorsOf(queue, first.path)).bytes);
    const second = await put(queue, text.replace(';6;;', 'Ann;6;;'), { onError: 'skip' });
    expect(second).toMatchObject({ created: 2, rejected: 2 });
    const rows = await rowsOf((await errorsOf(queue, second.path)).bytes);
    expect(rows.map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(rows[0]?.at(-1)).toBe('Millrace: reason');
  });

  test('downloadUploadErrors has a file that is taken when it is corrected, also with columns without names', async () => {
    const queue = await createQueue(app);
    const { path: place } = await put(queue, 'customer;amount;;\nJane;1;;\nJoe;much;;\n', {
      onError: 'skip',
    });
    const text = new TextDecoder().decode((await errorsOf(queue, place)).bytes);
    expect(await put(queue, text.replace(';much;', ';2;'))).toMatchObject({ created: 1, rejected: 0 });
  });

  test('downloadUploadErrors has rows that equal others as well', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['customer'] });
    const { path: place } = await put(queue, 'customer,amount\nJane,1\nJane,2\nJoe,x\n', { onError: 'skip' });
    const rows = await rowsOf((await errorsOf(queue, place)).bytes);
    expect(rows.slice(1)).toEqual([
      ['Jane', '2', 'customer: equals row 2 in customer: "Jane"'],
      ['Joe', 'x', 'amount: must be a number, not "x"'],
    ]);
  });

  test.each([
    ['german-utf-16le.csv', 'utf-16le'],
    ['german-windows-1252.csv', 'windows-1252'],
    ['polish-windows-1250.tsv', 'windows-1250'],
  ])('downloadUploadErrors writes %s in its encoding', async (name, encoding) => {
    const queue = await createQueue(app);
    const content = readFileSync(new URL(`fixtures/${name}`, import.meta.url));
    const [header = ''] = new TextDecoder(encoding).decode(content).split(/\r?\n/);
    const delimiter = /[\t;,]/.exec(header)?.[0] ?? ',';
    const [first = ''] = header.split(delimiter);
    const query = {
      onError: 'skip',
      extraColumns: 'IGNORE',
      mapping: JSON.stringify({ [first]: 'due' }),
    } as const;
    const named = new TextDecoder(encoding)
      .decode(content)
      .replace(header, header.replace(/[^\t;,]+$/, 'customer'));
    const sent = await put(queue, encoded(named, encoding), { ...query, encoding: encoding as never });
    expect(sent.rejected).toBeGreaterThan(0);
    const { bytes } = await errorsOf(queue, sent.path);
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    expect(text.split('\r\n')[0]).toBe(
      `${header.replace(/[^\t;,]+$/, 'customer')}${delimiter}Millrace: reason`,
    );
    const [, line = ''] = named.split(/\r?\n/);
    expect(text).toContain(line);
  });

  test('downloadUploadErrors makes a workbook of rows of a workbook, with the types of their cells', async () => {
    const queue = await createQueue(app);
    const text = (at: string, value: string) => `<c r="${at}" t="inlineStr"><is><t>${value}</t></is></c>`;
    const header = ['customer', 'amount', 'due', 'urgent'].map((name, index) =>
      text(`${'ABCD'[index]}1`, name),
    );
    const row = `${text('A2', '=1+1')}${text('B2', 'much')}<c r="C2" s="1"><v>46082.5</v></c><c r="D2" t="b"><v>1</v></c>`;
    const workbook = workbookOf({
      rows: `<row r="1">${header.join('')}</row><row r="2">${row}</row>`,
      styles: '<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>',
    });
    const { path: place } = await put(queue, new Uint8Array(workbook), { onError: 'skip' });
    const { bytes, headers } = await errorsOf(queue, place);
    expect(headers.get('content-disposition')).toContain('items.errors.xlsx');
    expect(await rowsOf(bytes)).toEqual([
      ['customer', 'amount', 'due', 'urgent', 'Millrace: reason'],
      ['=1+1', 'much', { day: '2026-03-01', time: '12:00:00' }, true, 'amount: must be a number, not "much"'],
    ]);
  });

  test('downloadUploadErrors makes every formula harmless in a text file, as exports do, and leaves numbers alone', async () => {
    const queue = await createQueue(app);
    const sent = ["'=1+1,much", '=2+2,-7x', '-5,+x', '"@sum",-1.5'];
    const { path: place } = await put(queue, `customer,due\n${sent.join('\n')}\n`, { onError: 'skip' });
    const [, ...lines] = new TextDecoder()
      .decode((await errorsOf(queue, place)).bytes)
      .trim()
      .split('\r\n');
    const written = ["'=1+1,much", "'=2+2,'-7x", "-5,'+x", "'@sum,-1.5"];
    expect(lines.map((line) => line.split(',').slice(0, 2).join())).toEqual(written);
  });

  test('downloadUploadErrors says why there is nothing to correct', async () => {
    const queue = await createQueue(app);
    const { path: place } = await put(queue, 'customer\nJane\n');
    const { status, error } = await queue.owner.call.downloadUploadErrors({ path: place });
    expect([status, error.message]).toEqual([
      404,
      `Upload ${place.uploadId} has no rows to correct: all of its rows came in.`,
    ]);
  });

  test('a workbook has every cell as it was, whatever characters are in it', async () => {
    const cells: Cell[] = [
      'a<b>&"c"',
      ' x\ty\r\nz ',
      '\u0001_x0041_',
      '007',
      -1.5,
      { day: '1899-12-31' },
      { time: '06:30:00' },
    ];
    const shown = [...cells.slice(0, 5), '1899-12-31', { time: '06:30:00' }];
    expect(await rowsOf(await buffer(workbookWith([cells], 'A/B')))).toEqual([shown]);
  });
});

/** A text in an encoding of one or two bytes a character. */
function encoded(text: string, encoding: string): Uint8Array<ArrayBuffer> {
  if (encoding === 'utf-16le') return new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
  const signs = Array.from({ length: 256 }, (_, byte) =>
    new TextDecoder(encoding).decode(Uint8Array.of(byte)),
  );
  return Uint8Array.from([...text].map((sign) => signs.indexOf(sign)));
}

describe('undoUpload', () => {
  test('undoUpload withdraws what waits, says what it leaves and why, and the file can be sent again', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const text = 'customer,amount\na,1\nb,2\nc,3\nd,4\ne,x\n';
    const { path: place, batchId } = await put(queue, text);
    const [done, held] = await queue.claim(2);
    const report = { id: done?.id as number, version: done?.version as number, status: 'COMPLETE' as const };
    await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results: [report] } });
    const [, , , fourth] = (await queue.owner.call.listWorkItems({ path: queue.path, body: {} })).body.list;
    const defer = { action: 'DEFER' as const, ids: [fourth?.id as number] };
    await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: defer });
    const left = [
      { status: 'COMPLETE', count: 1, reason: 'is done' },
      { status: 'IN_PROGRESS', count: 1, reason: 'is being processed: cancel it, or wait' },
    ];
    const tried = await queue.owner.call.undoUpload({ path: place, body: { dryRun: true } });
    expect(tried.body).toEqual({ dryRun: true, withdrawn: 3, left });
    expect((await queue.owner.call.getUpload({ path: place })).body.undoneOn).toBeUndefined();
    const undone = await queue.owner.call.undoUpload({ path: place, body: {} });
    expect(undone.body).toEqual({ dryRun: false, withdrawn: 3, left });
    const batch = await queue.owner.call.getBatch({ path: { ...queue.path, batchId: Number(batchId) } });
    expect(batch.body).toMatchObject({ received: 5, done: 1, failed: 0, withdrawn: 3, waiting: 1 });
    const { body } = await queue.owner.call.getUpload({ path: place });
    expect(body).toMatchObject({ undoneOn: expect.any(String), undoneBy: queue.owner.id });
    const { list } = (await queue.owner.call.listEvents({ query: { queueId: queue.id } })).body;
    expect(
      list.findLast(({ itemId, operation }) => itemId === undefined && operation === 'undoUpload'),
    ).toMatchObject({ operation: 'undoUpload', batchId, changes: { withdrawn: 3 } });
    expect(list.filter(({ operation, itemId }) => operation === 'undoUpload' && itemId).at(0)).toMatchObject({
      from: 'NEW',
      changes: { json: { customer: 'c', amount: 3 } },
    });
    const again = await put(queue, text, { onError: 'skip' });
    expect(again).toMatchObject({ created: 2, duplicates: 2, rejected: 1 });
    expect(held?.status).toBe('IN_PROGRESS');
  });

  test('undoUpload goes on where it was, and says so once', async () => {
    const queue = await createQueue(app);
    const rows = Array.from({ length: 1200 }, (_, index) => `customer ${index}`).join('\n');
    const { path: place } = await put(queue, `customer\n${rows}\n`);
    // The state after a server died in the middle of a call.
    await app.sql('delete from work_items where queue_id = $1 and id % 2 = 0', [queue.id]);
    expect((await queue.owner.call.undoUpload({ path: place, body: {} })).body.withdrawn).toBe(600);
    expect((await queue.owner.call.undoUpload({ path: place, body: {} })).body).toEqual({
      dryRun: false,
      withdrawn: 0,
      left: [],
    });
    const query = { queueId: queue.id, operation: 'undoUpload', limit: 1000 };
    const { list } = (await queue.owner.call.listEvents({ query })).body;
    expect(list.filter(({ itemId }) => itemId === undefined)).toHaveLength(1);
  });
});

test('createWorkItemsFromFile tells of a file that another user is just putting in, and afterwards what became of it', async () => {
  const queue = await createQueue(app);
  const other = await app.user('colleague');
  await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: other.id }, body: {} });
  const client = new pg.Client(app.connection);
  await client.connect();
  await client.query('begin');
  await client.query('lock table batches in share mode');
  const send = ({ call }: Pick<typeof other, 'call'>) =>
    call.createWorkItemsFromFile({
      path: queue.path,
      query: {},
      body: { file: new Blob(['customer\nJane\n']) },
    });
  const both = [send(queue.owner), send(other)];
  const early = await Promise.race(both);
  await client.query('commit');
  await client.end();
  expect([early.status, early.error.message]).toEqual([
    409,
    expect.stringContaining('is being put into this queue by another call'),
  ]);
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
  expect((await send(other)).body).toMatchObject({ created: 1, repeated: true });
});

test('createWorkItemsFromFile takes real records by the model that proposeWorkItemModel makes of them, each id once', async () => {
  const { owner } = await createQueue(app);
  const content = readFileSync(new URL('fixtures/credit-applications.csv', import.meta.url));
  const body = { file: new Blob([Uint8Array.from(content)]) };
  const proposed = (await owner.call.proposeWorkItemModel({ query: {}, body })).body;
  const attributes = proposed.attributes ?? [];
  expect(attributes.map(({ name, type }) => `${name} ${type}`)).toEqual(
    expect.arrayContaining(['Customer_ID NUMBER', 'Credit_History TEXT', 'Default_On_Payment NUMBER']),
  );
  const model = await owner.call.createWorkItemModel({ body: { name: 'Real records', attributes } });
  const queue = await owner.call.createQueue({
    body: {
      ...{ name: 'Real records', workItemModelId: Number(model.body.id) },
      ...{ disallowDuplicate: true, uniqueBy: ['Customer_ID'] },
    },
  });
  const place = { id: Number(queue.body.id) };
  const stored = (await owner.call.createWorkItemsFromFile({ path: place, query: {}, body })).body;
  expect(stored).toMatchObject({ rows: 60, created: 55, duplicates: 5, rejected: 0 });
});
