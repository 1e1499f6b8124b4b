import { parseJson, type Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { exportWithin } from './export.ts';

const app = await startApp();

type Request = Schemas['ExportRequest'];
type Json = Schemas['NewWorkItem']['json'];

function download(queue: QueueFixture, body: Request, of: App = app): Promise<Response> {
  return fetch(`${of.url}/v4/wlm/queues/${queue.id}/workitems/export`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-authorization': queue.owner.token },
    body: JSON.stringify(body),
  });
}

const textOf = async (queue: QueueFixture, body: Request) => (await download(queue, body)).text();

async function add(queue: QueueFixture, records: readonly Json[]): Promise<Schemas['WorkItem'][]> {
  const workItems = records.map((json) => ({ json }));
  const { status, body, error } = await queue.owner.call.createWorkItems({
    path: queue.path,
    body: { workItems },
  });
  expect(status, error.message).toBe(200);
  return body.list;
}

async function recordsIn(queue: QueueFixture): Promise<unknown[]> {
  const { body } = await queue.owner.call.listWorkItems({ path: queue.path, body: {} });
  return body.list.map(({ json }) => json);
}

async function exportsOf(queue: QueueFixture) {
  const query = { queueId: queue.id, operation: 'exportWorkItems' };
  return (await queue.owner.call.listEvents({ query })).body.list.map(({ actorId, changes }) => ({
    actorId,
    changes,
  }));
}

test('exportWorkItems names the batch that items came with, and finds those that a bulk action changed', async () => {
  const queue = await createQueue(app);
  const { body: batch } = await queue.owner.call.createBatch({
    path: queue.path,
    body: { name: 'Payments' },
  });
  const workItems = [{ json: { customer: 'Jane', amount: 1 } }];
  await queue.owner.call.createWorkItems({
    path: queue.path,
    body: { batchId: Number(batch.id), workItems },
  });
  const [other] = await add(queue, [{ customer: 'Joe' }]);
  const fields = ['customer', 'batchId'];
  const all = await textOf(queue, { fields: ['json', 'batchId'], attributes: ['customer'] });
  expect(all).toBe(`${fields.join(',')}\r\nJane,${batch.id}\r\nJoe,\r\n`);
  const body = { action: 'DEFER' as const, ids: [other?.id as number] };
  const { batchId } = (await queue.owner.call.updateWorkItemStatus({ path: queue.path, body })).body;
  const filter = { operator: 'eq', field: 'batchId', value: batchId };
  const changed = await textOf(queue, { filter, fields: ['json'], attributes: ['customer'] });
  expect(changed).toBe('customer\r\nJoe\r\n');
});

/** Values that a spreadsheet or a careless program would change. */
const odd: readonly Json[] = [
  { customer: '=1+1', amount: -5, due: '2026-03-01', urgent: true },
  { customer: '+49 30 1234', amount: 0.1 },
  { customer: '-', amount: 12345678901234567890n },
  { customer: '@sum', due: '2026-03-01T09:30:00Z' },
  { customer: "'=quoted" },
  { customer: "''=twice", urgent: false },
  { customer: "it's" },
  { customer: '\ttab' },
  { customer: 'a "b", c; d|e' },
  { customer: 'two\nlines' },
  { customer: 'carriage\r\nreturn' },
  { customer: '\uff1dwide' },
  { customer: '00123', due: '2026-12-31T23:00:00.500Z' },
  { customer: ' spaces ' },
  { customer: 'zoë 😀 _x0041_ <&>' },
];

describe('exportWorkItems', () => {
  test('exportWorkItems answers CSV with the members of items and an attribute a column, every formula made harmless', async () => {
    const queue = await createQueue(app);
    const items = await add(queue, odd.slice(0, 3));
    const response = await download(queue, { fields: ['id', 'status', 'json'] });
    expect(response.headers.get('content-type')).toContain('text/csv');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="Applications \d+ [\d-]+\.csv"/,
    );
    expect((await response.text()).split('\r\n')).toEqual([
      'id,status,customer,amount,due,urgent',
      `${items[0]?.id},NEW,'=1+1,-5,2026-03-01,true`,
      `${items[1]?.id},NEW,'+49 30 1234,0.1,,`,
      `${items[2]?.id},NEW,'-,12345678901234567890,,`,
      '',
    ]);
  });

  test('exportWorkItems takes the filter, the sort, the columns and the signs that were asked for', async () => {
    const queue = await createQueue(app);
    await add(queue, [
      { customer: 'a', amount: 1.5, due: '2026-07-01T10:00:00Z' },
      { customer: 'b', amount: 2.5 },
      { customer: 'c', amount: 3.5, due: '2026-01-01T10:00:00+05:00' },
    ]);
    const text = await textOf(queue, {
      filter: { operator: 'ne', field: 'col1', value: 'b' },
      sort: [{ field: 'col2', direction: 'desc' }],
      fields: ['json'],
      attributes: ['due', 'amount'],
      delimiter: 'SEMICOLON',
      decimalSign: 'COMMA',
      timeZone: 'Europe/Berlin',
    });
    expect(text.split('\r\n')).toEqual([
      'due;amount',
      '2026-01-01T06:00:00+01:00;3,5',
      '2026-07-01T12:00:00+02:00;1,5',
      '',
    ]);
  });

  test.each(['CSV', 'EXCEL'] as const)(
    'exportWorkItems writes %s that becomes the same items when it is sent back',
    async (format) => {
      const [from, to] = [await createQueue(app), await createQueue(app)];
      await add(from, odd);
      const response = await download(from, { format, fields: ['json'] });
      const file = new Blob([await response.arrayBuffer()]);
      const { body } = await to.owner.call.createWorkItemsFromFile({ path: to.path, body: { file } });
      expect(body).toMatchObject({ created: odd.length, rejected: 0, format });
      expect(await recordsIn(to)).toEqual(odd);
    },
  );

  test('exportWorkItems writes times of a zone into a workbook, which are the same instants when they are read in that zone', async () => {
    const [from, to] = [await createQueue(app), await createQueue(app)];
    await add(from, [{ customer: 'a', due: '2026-07-01T10:00:00Z' }]);
    const timeZone = 'America/New_York';
    const file = new Blob([
      await (await download(from, { format: 'EXCEL', fields: ['json'], timeZone })).arrayBuffer(),
    ]);
    const preview = await to.owner.call.previewFile({ path: to.path, query: { timeZone }, body: { file } });
    expect(preview.body.rows[0]?.cells[2]).toBe('2026-07-01 06:00:00');
    expect(preview.body.rows[0]?.json).toEqual({ customer: 'a', due: '2026-07-01T10:00:00Z' });
  });

  test('exportWorkItems answers NDJSON with the items as lists have them', async () => {
    const queue = await createQueue(app);
    await add(queue, odd);
    const text = await textOf(queue, { format: 'NDJSON' });
    const lines = text.split('\n').slice(0, -1).map(parseJson);
    expect(lines).toEqual((await queue.owner.call.listWorkItems({ path: queue.path, body: {} })).body.list);
    const some = await textOf(queue, { format: 'NDJSON', fields: ['json'] });
    expect(parseJson(some.split('\n')[2] ?? '')).toEqual({ json: odd[2] });
  });

  test('exportWorkItems answers a header alone where nothing matches, and works in an archived queue', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.archiveQueue({ path: queue.path });
    expect(await textOf(queue, { fields: ['json'] })).toBe('customer,amount,due,urgent\r\n');
    const book = await (await download(queue, { format: 'EXCEL' })).arrayBuffer();
    expect(new Uint8Array(book).slice(0, 2)).toEqual(new Uint8Array([0x50, 0x4b]));
  });

  test('exportWorkItems gives an attribute its own name also where a member of items has the same', async () => {
    const queue = await createQueue(app);
    const { body: model } = await app.admin.createWorkItemModel({
      body: { name: 'Clash', attributes: [{ name: 'id' }, { name: 'status' }] },
    });
    const made = await queue.owner.call.createQueue({
      body: { name: 'Clash', workItemModelId: model.id as number },
    });
    const text = await textOf({ ...queue, id: Number(made.body.id) }, { fields: ['id', 'json'] });
    expect(text).toBe('id (item),id,status\r\n');
  });

  test('exportWorkItems is on record with who, what and how many, before its end is sent', async () => {
    const queue = await createQueue(app);
    await add(queue, odd);
    const filter = { operator: 'eq', field: 'status', value: 'NEW' };
    await textOf(queue, { filter, format: 'NDJSON' });
    const asked = { format: 'NDJSON', filter };
    // The feed waits for writers of other tests on the same cluster.
    const told = await eventually(
      () => exportsOf(queue),
      ({ length }) => length > 1,
    );
    expect(told).toEqual([
      { actorId: queue.owner.id, changes: { state: 'BEGUN', ...asked } },
      { actorId: queue.owner.id, changes: { state: 'DONE', rows: odd.length, ...asked } },
    ]);
  });

  test.each<[string, Request, string]>([
    [
      'an attribute that the model lacks',
      { attributes: ['vendor'] },
      'which the model does not have: it has customer',
    ],
    [
      'a delimiter of a workbook',
      { format: 'EXCEL', delimiter: 'TAB' },
      'goes with the format CSV, not with EXCEL',
    ],
    ['a zone that is none', { timeZone: 'Mars' }, 'is no time zone'],
    ['a filter that is none', { filter: { operator: 'near', field: 'id', value: 1 } }, 'filter'],
    ['a member that items lack', { fields: ['size' as 'id'] }, 'fields'],
  ])('exportWorkItems refuses %s in words, and puts nothing on record', async (_, body, message) => {
    const queue = await createQueue(app);
    const response = await download(queue, body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as Schemas['Error']).message).toContain(message);
    expect(await exportsOf(queue)).toEqual([]);
  });
});

describe('exportWorkItems of much', () => {
  let queue: QueueFixture;
  beforeAll(async () => void (queue = await large()));

  /** Some ten megabytes, more than a connection buffers without a reader. */
  async function large(of: App = app): Promise<QueueFixture> {
    const made = await createQueue(of);
    await add(
      made,
      Array.from({ length: 120 }, (_, amount) => ({ customer: 'x'.repeat(99_000), amount })),
    );
    return made;
  }

  test('exportWorkItems takes as many exports of a user as may be under way, and refuses one more until one is read', async () => {
    const [one, other] = [await download(queue, {}), await download(queue, {})];
    const refused = await download(queue, {});
    expect([one.status, other.status, refused.status]).toEqual([200, 200, 429]);
    expect(refused.headers.get('retry-after')).toBe('10');
    await Promise.all([one.text(), other.text()]);
    const later = await eventually(
      async () => {
        const again = await download(queue, { fields: ['id'] });
        await again.text();
        return again.status;
      },
      (status) => status === 200,
    );
    expect(later).toBe(200);
  });

  test('exportWorkItems that must end in the middle is cut, so that its reader notices, and is on record as such', async () => {
    const bounds = { statementMs: 60_000, snapshotMs: 60_000, bytes: 1_000_000 };
    const bounded = await startApp({}, undefined, { ...functions, exportWorkItems: exportWithin(bounds) });
    const own = await large(bounded);
    const response = await download(own, {}, bounded);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
    const [, end] = await exportsOf(own);
    expect(end?.changes).toMatchObject({
      state: 'CUT',
      cause: expect.stringContaining('more than 1000000 bytes'),
    });
  });

  test('exportWorkItems ends when its reader goes away', async () => {
    const response = await download(queue, {});
    await response.body?.cancel();
    const events = await eventually(
      () => exportsOf(queue),
      (list) => list.length % 2 === 0,
    );
    expect(events.at(-1)?.changes).toMatchObject({ rows: expect.any(Number) });
    const after = await eventually(
      async () => (await download(queue, { fields: ['id'] })).status,
      (status) => status === 200,
    );
    expect(after).toBe(200);
  });

  test('exportWorkItems has a snapshot that no reader holds open: who reads late gets all that was there', async () => {
    const response = await download(queue, { fields: ['json'], attributes: ['amount', 'customer'] });
    await eventually(
      () => exportsOf(queue),
      (events) => events.length % 2 === 0,
    );
    const open = await app.sql(
      `select 1 from pg_stat_activity where datname = current_database() and query like 'fetch%' and state <> 'idle'`,
    );
    expect(open).toEqual([]);
    await queue.owner.call.updateWorkItemStatus({
      path: queue.path,
      body: { action: 'DELETE', filter: { operator: 'ge', field: 'id', value: 0 } },
    });
    const lines = (await response.text()).split('\r\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      'amount',
      ...Array.from({ length: 120 }, (_, index) => String(index)),
      '',
    ]);
  });
});
