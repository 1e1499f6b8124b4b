import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { startApp } from '../../testing/app.ts';
import { noting, type Reading } from '../../testing/buffers.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { createLargeQueue } from '../../testing/large-queue.ts';
import { finish, held, pathOf } from '../../testing/work.ts';
import { listWithin } from './list.ts';

const count = 3000;
// As in a queue that is forty times as large, with the usual bounds.
const steps = { firstStep: 50, longestStep: 500, budgetMs: 60_000 };
const bounds = { sorted: 500, few: 100, counted: 100, ...steps };
const reading: Reading = { buffers: 0, statements: [] };
const listWorkItems = noting<'listWorkItems'>(listWithin(bounds), reading);
const app = await startApp({}, undefined, { ...functions, listWorkItems });
/** Treats any queue as a small one, whose items are filtered and sorted as a whole. */
const plain = await startApp({}, app.connection);
/** Treats any queue as a large one. */
const hungry = await startApp({}, undefined, {
  ...functions,
  listWorkItems: listWithin({ ...bounds, sorted: 1, few: 1 }),
});

type Request = Schemas['WorkItemListRequest'];

let queue: QueueFixture;
const long = 'y'.repeat(300);
const others = [
  { customer: 'customer 5' },
  { customer: 'Ärger', amount: -1.5 },
  { customer: 'customer 5', amount: 9007199254740993n, due: '2026-03-02T10:00:00+01:00' },
  { customer: `${long}a`, amount: 17 },
  { customer: `${long}b`, amount: 17 },
];

const settled = ({ owner, path }: QueueFixture) =>
  eventually(
    async () => (await owner.call.getQueue({ path })).body,
    ({ rekeying }) => !rekeying,
  );

async function index(one: QueueFixture, indexedColumns: string[]) {
  const { version = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
  const answer = await one.owner.call.updateQueue({ path: one.path, body: { version, indexedColumns } });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return settled(one);
}

beforeAll(async () => {
  queue = await createLargeQueue(app, count);
  await index(queue, ['customer', 'amount', 'due']);
  const workItems = others.map((json) => ({ json }));
  expect((await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } })).status).toBe(
    200,
  );
});

const where = (operator: string, field: string, value: unknown) => ({ operator, field, value });
const all = (...operands: object[]) => ({ operator: 'and', operands });
const [customer, amount, due] = ['col1', 'col2', 'col3'];

/** The ids of all items of a list, page by page, and the most that the database read for one page. */
async function listAll(body: Request, call = queue.owner.call) {
  const length = body.filter === undefined ? 300 : 20;
  const ids: unknown[] = [];
  let most = 0;
  for (let after: string | undefined = ''; after !== undefined;) {
    reading.buffers = 0;
    const page = { length, total: false, ...(after && { after }) };
    const answer = await call.listWorkItems({
      path: queue.path,
      body: { fields: ['id'], ...body, page },
    });
    expect(answer.status, JSON.stringify(answer.error)).toBe(200);
    ids.push(...answer.body.list.map(({ id }) => id));
    most = Math.max(most, reading.buffers);
    after = answer.body.page.next;
  }
  return { ids, most };
}

describe('listWorkItems of a large queue whose columns are indexed', () => {
  test.for<[string, Request]>([
    ['equal', { filter: where('eq', amount, 4711) }],
    ['equal to a number that no double has', { filter: where('eq', amount, 9007199254740993n) }],
    ['equal to a text', { filter: where('eq', customer, 'customer 5') }],
    [
      'equal to a text and a status',
      { filter: all(where('eq', customer, 'customer 5'), where('eq', 'status', 'NEW')) },
    ],
    ['equal to a text that is kept as its beginning', { filter: where('eq', customer, `${long}a`) }],
    ['equal to what nothing has', { filter: where('eq', customer, 'nobody') }],
    ['a range of numbers', { filter: all(where('gt', amount, 100), where('le', amount, 150)) }],
    [
      'a range of texts',
      { filter: all(where('ge', customer, 'customer 98'), where('lt', customer, 'customer 99')) },
    ],
    ['a range of long texts', { filter: where('gt', customer, long) }],
    ['a time', { filter: where('gt', due, '2026-03-01T12:00:00Z') }],
    ['the beginning of a text', { filter: where('startsWith', customer, 'customer 97') }],
    ['the beginning of a text in letters of two bytes', { filter: where('startsWith', customer, 'Ä') }],
    [
      'a comparison that nothing comes near',
      { filter: all(where('eq', customer, 'customer 5'), where('ne', amount, 17)) },
    ],
    [
      'newest first',
      { filter: where('eq', customer, 'customer 5'), sort: [{ field: 'id', direction: 'desc' }] },
    ],
    [
      'by creation',
      { filter: where('eq', customer, 'customer 5'), sort: [{ field: 'createdOn', direction: 'desc' }] },
    ],
    [
      'by another column',
      { filter: where('eq', customer, 'customer 5'), sort: [{ field: amount, direction: 'desc' }] },
    ],
    [
      'by the column itself, which is in a range',
      {
        filter: all(where('ge', amount, 10), where('lt', amount, 60)),
        sort: [{ field: amount, direction: 'desc' }],
      },
    ],
  ])('listWorkItems finds what is %s, page by page, without looking at the rest', async ([, body]) => {
    const { ids, most } = await listAll(body);
    expect(ids).toEqual((await listAll(body, plain.as(queue.owner.token))).ids);
    expect(most).toBeLessThan(600);
  });

  test.for<[string, Request]>([
    ['a number', { sort: [{ field: amount, direction: 'asc' }] }],
    ['a number, the greatest first', { sort: [{ field: amount, direction: 'desc' }] }],
    [
      'a text, backwards',
      {
        sort: [
          { field: customer, direction: 'desc' },
          { field: 'id', direction: 'desc' },
        ],
      },
    ],
    [
      'a time, where most are equal',
      { sort: [{ field: due, direction: 'asc' }], filter: where('eq', 'status', 'FAILED') },
    ],
  ])('listWorkItems goes on in the order of %s, items without a value last', async ([, body]) => {
    const { ids, most } = await listAll(body);
    const wanted = (await listAll(body, plain.as(queue.owner.token))).ids;
    // Texts with the same first 256 characters are in the order of their ids.
    expect(ids).toEqual(wanted);
    expect(most).toBeLessThan(4000);
  });

  test('listWorkItems counts what a comparison of an indexed column alone finds, and estimates from it with others', async () => {
    const page = async (filter: object) =>
      (await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } as Request })).body.page;
    expect(await page(where('eq', customer, 'customer 5'))).toMatchObject({ totalFilter: 32 });
    expect(await page(where('le', amount, 400))).toMatchObject({ totalFilter: 403 });
    expect(await page(all(where('le', amount, 400), where('ne', 'status', 'FAILED')))).toMatchObject({
      totalFilter: expect.toSatisfy((found: number) => found > 300 && found < 403) as number,
      isEstimated: true,
    });
  });
});

describe('indexed columns', () => {
  const found = async ({ owner, path }: QueueFixture, value: unknown) => {
    const body = { filter: where('eq', amount, value) } as Request;
    return (await owner.call.listWorkItems({ path, body })).body.list.map(({ id }) => id);
  };

  async function tinyQueue() {
    const one = await createQueue(hungry, { indexedColumns: ['amount', 'customer'] });
    return { ...one, items: await one.add(1, 2, 3) };
  }

  test('listWorkItems finds an item by what it is corrected to, and no more by what it was', async () => {
    const { items, ...one } = await tinyQueue();
    const [item] = items;
    const body = { id: item?.id as number, queueId: one.id, version: 0, json: { customer: 'x', amount: 77 } };
    expect((await one.owner.call.updateWorkItem({ path: pathOf(one, item), body })).status).toBe(200);
    expect([await found(one, 1), await found(one, 77)]).toEqual([[], [item?.id]]);
    const edit = { action: 'EDIT', ids: [items[1]?.id as number], json: { amount: 78 } } as never;
    await one.owner.call.updateWorkItemStatus({ path: one.path, body: edit });
    expect([await found(one, 2), await found(one, 78)]).toEqual([[], [items[1]?.id]]);
  });

  test('listWorkItems finds items of files, of a queue that they were moved to, and none that were deleted', async () => {
    const { items, ...one } = await tinyQueue();
    const file = new Blob(['customer,amount\nJane,41\nJoe,much\n']);
    await one.owner.call.createWorkItemsFromFile({ path: one.path, body: { file } });
    expect(await found(one, 41)).toHaveLength(1);
    const { workItemModelId = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
    const body = { name: `Target ${one.id}`, workItemModelId, indexedColumns: ['amount'] };
    const target = (await one.owner.call.createQueue({ body })).body;
    const there = { ...one, path: { id: Number(target.id) } };
    await one.owner.call.createWorkItems({
      path: there.path,
      body: { workItems: [8, 9].map((n) => ({ json: { customer: 'x', amount: n } })) },
    });
    const move = { action: 'MOVE' as const, queueId: Number(target.id), ids: [items[0]?.id as number] };
    expect((await one.owner.call.updateWorkItemStatus({ path: one.path, body: move })).body).toMatchObject({
      changed: 1,
    });
    expect([await found(one, 1), await found(there, 1)]).toEqual([[], [items[0]?.id]]);
    await one.owner.call.deleteWorkItem({ path: pathOf(one, items[1]) });
    expect(await found(one, 2)).toEqual([]);
    expect(await valuesOf(one.id)).toBe(2 * 3);
  });

  const valuesOf = async (id: number) =>
    Number(
      (
        await hungry.sql<{ count: string }>('select count(*) from work_item_values where queue_id = $1', [id])
      )[0]?.count,
    );

  test('updateQueue takes an index away with all of its values, and gives another one', async () => {
    const { items, ...one } = await tinyQueue();
    const [claimed] = await one.claim();
    await finish(one, { ...held(claimed), status: 'COMPLETE' });
    await index(one, []);
    expect(await valuesOf(one.id)).toBe(0);
    await index(one, ['amount']);
    expect(await valuesOf(one.id)).toBe(3);
    expect(await found(one, 1)).toEqual([items[0]?.id]);
  });

  test('updateWorkItemModel renames an attribute, and lists find items by it as before', async () => {
    const { items, ...one } = await tinyQueue();
    const { workItemModelId = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
    const { attributes = [], version = 0 } = (
      await one.owner.call.getWorkItemModel({ path: { id: workItemModelId } })
    ).body;
    const renamed = attributes.map(({ id, name }) => ({
      id: id as number,
      name: name === 'amount' ? 'sum' : name,
    }));
    const body = { version, attributes: renamed } as never;
    expect((await one.owner.call.updateWorkItemModel({ path: { id: workItemModelId }, body })).status).toBe(
      200,
    );
    expect((await settled(one)).indexedColumns).toEqual(['sum', 'customer']);
    expect(await found(one, 3)).toEqual([items[2]?.id]);
  });

  test.for([
    ['nobody', 'names "nobody", but the attributes of the model are'],
    ['urgent', 'names "urgent", which is BOOLEAN'],
    ['due', 'names "due", which is none of the displayColumns'],
  ])('createQueue refuses an index of %s', async ([name, message]) => {
    const { workItemModelId = 0 } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const body = {
      name: `Refused ${name}`,
      workItemModelId,
      displayColumns: ['customer', 'urgent'],
      indexedColumns: [name as string],
    };
    const { status, error } = await queue.owner.call.createQueue({ body });
    expect([status, error.details?.[0]?.field]).toEqual([400, 'indexedColumns']);
    expect(error.message).toContain(message);
  });
});
