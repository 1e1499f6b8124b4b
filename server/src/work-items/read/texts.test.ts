import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { createDatabase, startApp } from '../../testing/app.ts';
import { noting, type Reading } from '../../testing/buffers.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { createLargeQueue } from '../../testing/large-queue.ts';
import { createCustomers, startSealedApp } from '../../testing/secrets.ts';
import { pathOf } from '../../testing/work.ts';
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
const hungry = { ...functions, listWorkItems: listWithin({ ...bounds, sorted: 1 }) };
const eager = await startApp({}, undefined, hungry);

type Request = Schemas['WorkItemListRequest'];

const where = (operator: string, field: string, value: unknown) => ({ operator, field, value });
const all = (...operands: object[]) => ({ operator: 'and', operands });

const settled = ({ owner, path }: QueueFixture) =>
  eventually(
    async () => (await owner.call.getQueue({ path })).body,
    ({ rekeying }) => !rekeying,
  );

async function search(one: QueueFixture, searchedAttributes: string[]) {
  const { version = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
  const answer = await one.owner.call.updateQueue({ path: one.path, body: { version, searchedAttributes } });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return settled(one);
}

const idsOf = async ({ path, owner }: QueueFixture, body: object, call = owner.call) => {
  const answer = await call.listWorkItems({ path, body: { fields: ['id'], ...body } });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return answer.body.list.map(({ id }) => id);
};

describe('listWorkItems of a large queue whose texts are searched', () => {
  let queue: QueueFixture;

  beforeAll(async () => {
    queue = await createLargeQueue(app, count);
    await search(queue, ['customer', 'amount', 'due', 'urgent']);
    const texts = ['Zoë Quist, "North" 50%', 'Zoë QUIST, south', `${'y'.repeat(9000)} quist`];
    const workItems = texts.map((customer, index) => ({ json: { customer, amount: index } }));
    expect((await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } })).status).toBe(
      200,
    );
  });

  test.for<[string, Request]>([
    ['a part of a column', { filter: where('substring', 'col1', 'quist') }],
    ['a part in letters of two bytes', { filter: where('substring', 'col1', 'zoë q') }],
    ['a part with signs of patterns', { filter: where('substring', 'col1', '"North" 50%') }],
    ['a value anywhere', { filter: where('substring', 'any', '2977') }],
    ['equal to a text', { filter: where('eq', 'col1', 'Zoë QUIST, south') }],
    ['the beginning of a text', { filter: where('startsWith', 'col1', 'Zoë Q') }],
    ['equal to any value', { filter: where('eq', 'any', '2977') }],
    [
      'a part and a status',
      { filter: all(where('substring', 'any', '1490'), where('eq', 'status', 'COMPLETE')) },
    ],
    ['two parts', { filter: all(where('substring', 'col1', 'quist'), where('substring', 'col1', 'south')) }],
    ['nothing', { filter: where('substring', 'any', 'nobody') }],
    [
      'newest first',
      { filter: where('substring', 'col1', 'quist'), sort: [{ field: 'id', direction: 'desc' }] },
    ],
    [
      'by a column without an index',
      { filter: where('substring', 'col1', 'quist'), sort: [{ field: 'col2', direction: 'desc' }] },
    ],
  ])('listWorkItems finds %s without looking at the rest', async ([, body]) => {
    reading.buffers = 0;
    const ids = await idsOf(queue, body);
    expect(ids).toEqual(await idsOf(queue, body, plain.as(queue.owner.token)));
    // The sample is most of it, and does not grow with the queue.
    expect(reading.buffers).toBeLessThan(1200);
  });

  test('listWorkItems looks at items one by one for a part that most of them have, or that is too short', async () => {
    reading.statements = [];
    for (const value of ['tomer 7', 'Qu']) {
      const filter = where('substring', 'col1', value);
      const { page, list } = (
        await queue.owner.call.listWorkItems({
          path: queue.path,
          body: { filter, page: { length: 5 } },
        })
      ).body;
      expect(page.isEstimated).toBe(true);
      expect(list.length).toBeGreaterThan(0);
    }
    expect(reading.statements.filter((statement) => statement.includes('text is null'))).toEqual([]);
  });
});

describe('searched attributes', () => {
  const searched = async (settings: object = { searchedAttributes: ['customer'] }) => {
    const one = await createQueue(eager, settings);
    return { ...one, items: await one.add(1111, 2222, 3333) };
  };
  const found = (one: QueueFixture, value: string) =>
    idsOf(one, { filter: where('substring', 'col1', value) });
  const textsOf = async ({ id }: QueueFixture) =>
    (
      await eager.sql<{ text: string }>(
        'select text from work_item_texts where queue_id = $1 order by text',
        [id],
      )
    ).map(({ text }) => text);

  test('listWorkItems finds an item by what it is corrected to, and no more by what it was', async () => {
    const { items, ...one } = await searched();
    const [item] = items;
    const json = { customer: 'Marguerite', amount: 1 };
    const body = { id: item?.id as number, queueId: one.id, version: 0, json };
    expect((await one.owner.call.updateWorkItem({ path: pathOf(one, item), body })).status).toBe(200);
    expect([await found(one, '1111'), await found(one, 'guerite')]).toEqual([[], [item?.id]]);
    expect(await textsOf(one)).toEqual(['Marguerite', 'customer 2222', 'customer 3333']);
  });

  test('listWorkItems finds items of files, of a queue that they were moved to, and none that were deleted', async () => {
    const { items, ...one } = await searched();
    const file = new Blob(['customer,amount\nMarguerite,41\n']);
    await one.owner.call.createWorkItemsFromFile({ path: one.path, body: { file } });
    expect(await found(one, 'guerite')).toHaveLength(1);
    const { workItemModelId = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
    const body = { name: `Target ${one.id}`, workItemModelId, searchedAttributes: ['customer'] };
    const target = (await one.owner.call.createQueue({ body })).body;
    const there = { ...one, id: Number(target.id), path: { id: Number(target.id) } };
    const move = { action: 'MOVE' as const, queueId: there.id, ids: [items[0]?.id as number] };
    expect((await one.owner.call.updateWorkItemStatus({ path: one.path, body: move })).body).toMatchObject({
      changed: 1,
    });
    await one.owner.call.deleteWorkItem({ path: pathOf(one, items[1]) });
    expect([await textsOf(one), await textsOf(there)]).toEqual([
      ['Marguerite', 'customer 3333'],
      ['customer 1111'],
    ]);
  });

  test('updateQueue has other attributes searched, or none', async () => {
    const { items, ...one } = await searched({});
    expect(await textsOf(one)).toEqual([]);
    await search(one, ['customer', 'amount', 'due', 'urgent']);
    expect(await idsOf(one, { filter: where('substring', 'any', '333') })).toEqual([items[2]?.id]);
    expect(await textsOf(one)).toEqual([1, 2, 3].map((n) => `customer ${1111 * n}\n${1111 * n}`));
    expect((await search(one, [])).searchedAttributes).toEqual([]);
    expect(await textsOf(one)).toEqual([]);
  });

  test('updateWorkItemModel renames an attribute, and searches it as before', async () => {
    const { items, ...one } = await searched();
    const { workItemModelId = 0 } = (await one.owner.call.getQueue({ path: one.path })).body;
    const path = { id: workItemModelId };
    const { attributes = [], version = 0 } = (await one.owner.call.getWorkItemModel({ path })).body;
    const renamed = attributes.map(({ id, name }) => ({ id, name: name === 'customer' ? 'debtor' : name }));
    const body = { version, attributes: renamed } as never;
    expect((await one.owner.call.updateWorkItemModel({ path, body })).status).toBe(200);
    expect((await settled(one)).searchedAttributes).toEqual(['debtor']);
    expect(await found(one, '3333')).toEqual([items[2]?.id]);
  });

  test('createQueue refuses to search what the model has not', async () => {
    const { workItemModelId = 0 } = (
      await (await searched()).owner.call.getQueue({ path: (await searched()).path })
    ).body;
    const body = { name: 'Refused', workItemModelId, searchedAttributes: ['nobody'] };
    const { status, error } = await eager.admin.createQueue({ body });
    expect([status, error.details?.[0]?.field]).toEqual([400, 'searchedAttributes']);
  });

  test('createQueue refuses to search where the database has no trigrams, and says what it lacks', async () => {
    const database = await createDatabase();
    const poor = await startApp({}, database, hungry);
    const { owner, path, ...one } = await createQueue(poor, { searchedAttributes: ['customer'] });
    const queue = { owner, path, ...one };
    const [item] = await queue.add(4444);
    await poor.sql('drop index work_item_texts_trigrams');
    // The former searches examine items one by one.
    expect(await found(queue, '4444')).toEqual([item?.id]);
    const { workItemModelId = 0 } = (await owner.call.getQueue({ path })).body;
    const body = { name: 'Refused', workItemModelId, searchedAttributes: ['customer'] };
    const { status, error } = await owner.call.createQueue({ body });
    expect([status, error.message]).toEqual([400, expect.stringContaining('pg_trgm and btree_gin')]);
    // Servers make the index again when they start.
    await startApp({}, database);
    expect((await owner.call.createQueue({ body })).status).toBe(200);
  });

  test('createQueue refuses to search an attribute whose values are encrypted, and no text has them', async () => {
    const sealedApp = await startSealedApp();
    const runner = await sealedApp.user('runner', ['AAE_Bot Runner']);
    const refused = createCustomers(sealedApp, runner, { searchedAttributes: ['customer'] });
    await expect(refused).rejects.toThrow('encrypted and found as a whole only');
    const queue = await createCustomers(sealedApp, runner, { searchedAttributes: ['amount'] });
    await queue.add({ customer: 'Canary Text', amount: 4711 });
    const rows = await sealedApp.sql<{ text: string }>('select text from work_item_texts');
    expect(rows.map(({ text }) => text).join()).not.toContain('Canary');
    expect(rows[0]?.text).toContain('4711');
  });
});
