import { ExactNumber, type Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { startApp } from '../../testing/app.ts';
import { noting, type Reading } from '../../testing/buffers.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { createLargeQueue } from '../../testing/large-queue.ts';
import { listWithin } from './list.ts';

const count = 20_000;
// As in a queue that is twenty times as large, with the usual bounds.
const bounds = {
  sorted: 5000,
  few: 1000,
  counted: 500,
  firstStep: 500,
  longestStep: 2000,
  budgetMs: 60_000,
};
const reading: Reading = { buffers: 0, statements: [] };
const listWorkItems = noting<'listWorkItems'>(listWithin(bounds), reading);
const app = await startApp({}, undefined, { ...functions, listWorkItems });
// This one gives up at once.
const hasty = await startApp({}, app.connection, {
  ...functions,
  listWorkItems: listWithin({ ...bounds, budgetMs: -1 }),
});

let queue: QueueFixture;
let first = 0;
const placeOf = ({ id }: Schemas['WorkItem']) => Number(id) - first + 1;

beforeAll(async () => {
  queue = await createLargeQueue(app, count);
  const rows = await app.sql<{ id: string }>('select min(id) as id from work_items where queue_id = $1', [
    queue.id,
  ]);
  first = Number(rows[0]?.id);
});

type Request = Schemas['WorkItemListRequest'];

const is = (field: string, value: unknown) => ({ operator: 'eq', field, value });
const all = (...operands: object[]) => ({ operator: 'and', operands });

async function list(body: Request) {
  reading.buffers = 0;
  const answer = await queue.owner.call.listWorkItems({ path: queue.path, body });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  const places = answer.body.list.map(placeOf);
  return { ...answer.body, places, buffers: reading.buffers };
}

async function refusal(body: Request) {
  const { status, error } = await queue.owner.call.listWorkItems({ path: queue.path, body });
  expect(status).toBe(400);
  return error.message;
}

/** The places of all items of a list, page by page, and the most that the database read for one page. */
async function listAll(body: Request) {
  const places: number[] = [];
  let most = 0;
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Request['page'] = { ...body.page, ...(after && { after }) };
    const answer = await list({ ...body, page });
    places.push(...answer.places);
    most = Math.max(most, answer.buffers);
    after = answer.page.next;
  }
  return { places, most };
}

const placesOf = (isOne: (place: number) => boolean) =>
  Array.from({ length: count }, (_, index) => index + 1).filter(isOne);
const isOver = (place: number) => place <= count / 2;
const hasFailed = (place: number) => isOver(place) && place % 10 === 0;
const readsAPage = 3000;

describe('a page of a large queue', () => {
  test.each<[string, Request, number[]]>([
    ['everything', {}, [1, 2, 3]],
    ['the newest', { sort: [{ field: 'id', direction: 'desc' }] }, [20_000, 19_999, 19_998]],
    ['what waits', { filter: is('status', 'NEW') }, [10_001, 10_002, 10_003]],
    ['what failed', { filter: is('status', 'FAILED') }, [10, 20, 30]],
    [
      'what waits or failed, the newest first',
      {
        filter: { operator: 'ne', field: 'status', value: 'COMPLETE' },
        sort: [{ field: 'id', direction: 'desc' }],
      },
      [20_000, 19_999, 19_998],
    ],
    ['what ended last', { sort: [{ field: 'endTime', direction: 'desc' }] }, [10_000, 9999, 9998]],
    [
      'what was created last',
      { sort: [{ field: 'createdOn', direction: 'desc' }] },
      [20_000, 19_999, 19_998],
    ],
    ['far from the first', { page: { offset: 4000 } }, [4001, 4002, 4003]],
  ])('listWorkItems reads little to list %s', async (_, body, expected) => {
    const { places, buffers } = await list({ ...body, page: { ...body.page, length: 200 } });
    expect(places.slice(0, 3)).toEqual(expected);
    expect(places).toHaveLength(200);
    expect(buffers).toBeLessThan(readsAPage);
  });

  test('listWorkItems reads no more for the last page than for the first, and lists each item once', async () => {
    const page = { length: 1000, total: false };
    const failed = await listAll({ filter: is('status', 'FAILED'), page: { length: 100, total: false } });
    expect(failed.places).toEqual(placesOf(hasFailed));
    expect(failed.most).toBeLessThan(readsAPage);
    const newest = await listAll({ sort: [{ field: 'id', direction: 'desc' }], page });
    expect(newest.places).toEqual(placesOf(() => true).toReversed());
    expect(newest.most).toBeLessThan(5 * readsAPage);
    const waiting = await listAll({ filter: is('status', 'NEW'), sort: [{ field: 'createdOn' }], page });
    expect(waiting.places).toEqual(placesOf((place) => !isOver(place)));
  });

  test('listWorkItems goes on from items that have ended to those that have not', async () => {
    const sort = [{ field: 'endTime', direction: 'desc' }];
    const { places } = await listAll({ sort, page: { length: 3000 } });
    const waiting = placesOf((place) => !isOver(place)).toReversed();
    expect(places).toEqual([...placesOf(isOver).toReversed(), ...waiting]);
  });

  test('listWorkItems finds the items that were created in a span of time without reading those before', async () => {
    const { list: far } = await list({ filter: is('col2', 15_000) });
    const since = far[0]?.createdOn as string;
    const filter = { operator: 'ge', field: 'createdOn', value: since };
    const { places, buffers, page } = await list({ filter, page: { length: 100 } });
    expect(places[0]).toBe(15_000);
    expect(buffers).toBeLessThan(readsAPage * 2);
    expect(page.totalFilter).toBeGreaterThan(4000);
    expect(page.totalFilter).toBeLessThan(6000);
  });

  test('listWorkItems sorts by anything what few enough items are left of', async () => {
    const { places, page } = await list({
      filter: is('status', 'FAILED'),
      sort: [{ field: 'col2', direction: 'desc' }],
    });
    expect(places.slice(0, 2)).toEqual([10_000, 9990]);
    expect(page).toMatchObject({ total: count, totalFilter: 1000 });
    const narrow = { operator: 'le', field: 'id', value: first + 9 };
    expect((await list({ filter: narrow, sort: [{ field: 'priority' }] })).places.slice(0, 3)).toEqual([
      10, 1, 2,
    ]);
  });

  test('listWorkItems refuses a sort that no index has, and says what can be done', async () => {
    const message = await refusal({ sort: [{ field: 'col2' }] });
    expect(message).toContain('cannot order 20000 items by col2');
    expect(message).toContain('filter by status');
    expect(await refusal({ page: { offset: 5001 } })).toContain('page.after');
  });
});

describe('the number of items that match', () => {
  test('listWorkItems knows it for statuses, counts few, and estimates many from some of them', async () => {
    const failed = { operator: 'or', operands: [is('status', 'FAILED'), is('status', 'NEW')] };
    expect((await list({ filter: failed, page: { length: 1 } })).page).toMatchObject({ totalFilter: 11_000 });
    const { page, buffers } = await list({ filter: is('priority', 3), page: { length: 1 } });
    expect(page).toMatchObject({ isEstimated: true });
    expect(page.totalFilter).toBeGreaterThan(1000);
    expect(page.totalFilter).toBeLessThan(4000);
    expect(buffers).toBeLessThan(readsAPage);
  });

  test('listWorkItems leaves it out when it is not asked for, and behind the first page', async () => {
    const uncounted = await list({ page: { total: false, length: 1 } });
    expect(uncounted.page).not.toHaveProperty('totalFilter');
    const after = uncounted.page.next as string;
    expect((await list({ page: { after } })).page).not.toHaveProperty('totalFilter');
    expect((await list({ page: { after, total: true } })).page).toMatchObject({ totalFilter: count });
    // Members copied from an answer have no effect.
    expect((await list({ page: { length: 1, total: 7 } })).page).toMatchObject({
      totalFilter: count,
    });
  });
});

describe('what no index serves', () => {
  test('listWorkItems looks for it item by item', async () => {
    expect((await list({ filter: is('col2', 19_999) })).places).toEqual([19_999]);
    const filter = all(is('col1', 'customer 7'), is('status', 'NEW'));
    const { places } = await listAll({ filter, page: { length: 30 } });
    expect(places).toEqual(placesOf((place) => !isOver(place) && place % 100 === 7));
  });

  test('listWorkItems finds a value anywhere in the record of an item', async () => {
    const contains = (value: string) => ({ operator: 'substring', field: 'any', value });
    expect((await list({ filter: is('any', '123') })).places).toEqual([123]);
    expect((await list({ filter: contains('9987') })).places).toEqual([9987, 19_987]);
    expect((await list({ filter: contains('MER 77'), page: { length: 2 } })).places).toEqual([77, 177]);
    // The names of attributes are no values.
    expect((await list({ filter: contains('amount') })).places).toEqual([]);
  });

  test('listWorkItems that runs out of time answers what it has found, how far it looked, and the place to go on from', async () => {
    const body: Request = { filter: is('col1', 'customer 7'), page: { length: 100 } };
    const places: number[] = [];
    for (let after: string | null = null; ;) {
      const call = hasty.as(queue.owner.token);
      const answer = await call.listWorkItems({
        path: queue.path,
        body: { ...body, page: { ...body.page, after } },
      });
      const { page, list: found } = answer.body;
      places.push(...found.map(placeOf));
      if (page.next === undefined) break;
      expect(page).toMatchObject({ isPartial: true, lookedAt: 500 });
      after = page.next;
    }
    expect(places).toEqual(placesOf((place) => place % 100 === 7));
  });

  test('listWorkItems that runs out of time while it skips items says how many it has skipped', async () => {
    const places: number[] = [];
    let page: Request['page'] = { offset: 12, length: 100 };
    for (;;) {
      const body = { filter: is('col1', 'customer 7'), page };
      const answer = await hasty.as(queue.owner.token).listWorkItems({ path: queue.path, body });
      places.push(...answer.body.list.map(placeOf));
      const { offset, next } = answer.body.page;
      if (next === undefined) break;
      page = { offset: Number(page.offset) - offset, length: 100, after: next };
    }
    expect(places).toEqual(placesOf((place) => place % 100 === 7).slice(12));
  });
});

describe('the place to go on from', () => {
  test('listWorkItems refuses one that it has not given, or that is of another order', async () => {
    expect(await refusal({ page: { after: 'nonsense' } })).toContain('page.after is no `next` of a list');
    const { page } = await list({ page: { length: 1 } });
    const after = page.next as string;
    expect(await refusal({ sort: [{ field: 'id', direction: 'desc' }], page: { after } })).toContain(
      'another order',
    );
    const small = await createLargeQueue(app, 3);
    const byTags = { sort: [{ field: 'tags' }], page: { length: 1 } };
    const { body } = await small.owner.call.listWorkItems({ path: small.path, body: byTags });
    expect(body.page).toEqual({ offset: 0, total: 3, totalFilter: 3 });
    const forged = Buffer.from('["id","1; drop"]').toString('base64url');
    expect(await refusal({ page: { after: forged } })).toContain('page.after must be a whole number');
    const unwritable = Buffer.from('["comment,id","\\u0000","1"]').toString('base64url');
    const byComment = { filter: is('priority', 3), sort: [{ field: 'comment' }] };
    expect(await refusal({ ...byComment, page: { after: unwritable } })).toContain('is no `next`');
  });

  test('listWorkItems goes on behind numbers of as many digits as there can be', async () => {
    const own = await createQueue(app, { displayColumns: ['customer', 'amount'] });
    const amounts = [`1.${'3'.repeat(900)}e-300`, `1.${'3'.repeat(900)}e+300`, '7'];
    const workItems = amounts.map((digits) => ({ json: { customer: 'x', amount: new ExactNumber(digits) } }));
    expect((await own.owner.call.createWorkItems({ path: own.path, body: { workItems } })).status).toBe(200);
    const sort = [{ field: 'col2' }];
    const whole = await own.owner.call.listWorkItems({ path: own.path, body: { sort } });
    const found: unknown[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: Request['page'] = { length: 1, ...(after && { after }) };
      const { status, body } = await own.owner.call.listWorkItems({ path: own.path, body: { sort, page } });
      expect(status).toBe(200);
      found.push(...body.list.map(({ id }) => id));
      after = body.page.next;
    }
    expect(found).toHaveLength(3);
    expect(found).toEqual(whole.body.list.map(({ id }) => id));
  });

  test('listWorkItems goes on in a small queue through equal and unset values, in both directions', async () => {
    const small = await createLargeQueue(app, 20);
    const sorts = [
      [{ field: 'endTime' }],
      [
        { field: 'result', direction: 'desc' },
        { field: 'col2', direction: 'desc' },
      ],
    ];
    for (const sort of [...sorts, [{ field: 'priority', direction: 'desc' }, { field: 'endTime' }]]) {
      const whole = await small.owner.call.listWorkItems({ path: small.path, body: { sort } });
      const ids: unknown[] = [];
      for (let after: string | undefined = ''; after !== undefined;) {
        const page: Request['page'] = { length: 3, ...(after && { after }) };
        const { body } = await small.owner.call.listWorkItems({ path: small.path, body: { sort, page } });
        ids.push(...body.list.map(({ id }) => id));
        after = body.page.next;
      }
      expect(ids).toEqual(whole.body.list.map(({ id }) => id));
      expect(ids).toHaveLength(20);
    }
  });
});

describe('the members of items', () => {
  test('listWorkItems answers those that are asked for, and reads no data that is not', async () => {
    const page = { length: 200, total: false };
    const narrow = await list({ fields: ['status', 'priority', 'unknown'], page });
    expect(narrow.list[0]).toEqual({ id: first, status: 'COMPLETE', priority: 1 });
    const wide = await list({ fields: ['json', 'col2'], page });
    expect(wide.list[0]).toEqual({
      id: first,
      json: { customer: 'customer 1', amount: 1, due: '2026-03-01' },
      col2: '1',
    });
    expect(narrow.buffers).toBeLessThan(wide.buffers * 0.7);
    for (const fields of [[], null, 'id', [1]])
      expect((await list({ fields, page: { length: 1 } })).list[0]).toHaveProperty('updatedOn');
  });
});

// After all other tests, as it writes into the items.
test('listWorkItems reads the items of a batch only, whether few or most of a large queue have come with it', async () => {
  const { owner, path, id } = queue;
  const batches: number[] = [];
  for (const name of ['few', 'many']) {
    const created = await owner.call.createBatch({ path, body: { name } });
    batches.push(Number(created.body.id));
  }
  const [few, many] = batches;
  await app.sql(
    `update work_items set batch_id = case when (id - $2::bigint) % 40 = 0 then $3::bigint else $4::bigint end
      where queue_id = $1 and ((id - $2::bigint) % 40 = 0 or (id - $2::bigint) % 2 = 1)`,
    [id, first, few, many],
  );
  await app.sql('vacuum analyze work_items');
  const page = { length: 200 };
  const one = await list({ filter: is('batchId', few), sort: [{ field: 'priority' }], page });
  expect([one.page.totalFilter, one.places.every((place) => (place - 1) % 40 === 0)]).toEqual([500, true]);
  const waiting = await list({ filter: all(is('batchId', many), is('status', 'NEW')), page });
  expect(waiting.places.slice(0, 3)).toEqual([10_002, 10_004, 10_006]);
  expect(waiting.buffers).toBeLessThan(readsAPage);
  const rest = await listAll({ filter: is('batchId', many), page: { length: 1000, total: false } });
  expect(rest.places).toEqual(placesOf((place) => place % 2 === 0));
  expect(rest.most).toBeLessThan(5 * readsAPage);
});
