import { beforeAll, expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { startApp, type App, type Caller } from '../../testing/app.ts';
import { noting, type Reading } from '../../testing/buffers.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { createCustomers, startSealedApp } from '../../testing/secrets.ts';
import { addTenant } from '../../testing/tenant.ts';
import { pathOf } from '../../testing/work.ts';
import { findWithin } from './find.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

const find = async (call: Caller, text: string, limit = 20) =>
  (await call.findWorkItems({ body: { text, limit } })).body;
const foundBy = async (call: Caller, text: string, limit = 20) =>
  (await find(call, text, limit)).list.map(({ id, field, value }) => [id, field, value]);

test('findWorkItems finds an item by its id, by a display column and by a tag, in all queues that the caller may see', async () => {
  const [one, other] = [await createQueue(app), await createQueue(app)];
  const [first, second] = await one.add(7101, 7102);
  const [third] = await other.add(7101);
  const { name } = (await one.owner.call.getQueue({ path: one.path })).body;
  const { list, ...rest } = await find(one.owner.call, 'CUSTOMER 7102 ');
  expect(rest).toEqual({ isCut: false, isPartial: false });
  expect(list).toEqual([
    {
      queueId: one.id,
      queueName: name,
      id: second?.id,
      version: second?.version,
      status: 'NEW',
      createdOn: expect.any(String),
      field: 'customer',
      value: 'customer 7102',
    },
  ]);
  const both = [third, first].map((item) => [item?.id, 'customer', 'customer 7101']);
  expect(await foundBy(app.admin, 'mer 7101')).toEqual(both);
  expect(await foundBy(app.admin, 'mer 7101', 1)).toEqual(both.slice(0, 1));
  expect((await find(app.admin, 'mer 7101', 1)).isCut).toBe(true);
  expect(await foundBy(app.admin, String(third?.id))).toContainEqual([third?.id, 'id', String(third?.id)]);
  const body = { id: second?.id, queueId: one.id, version: 0, tags: ['Urgent 5%'] };
  const tagged = await one.owner.call.updateWorkItem({ path: pathOf(one, second), body: body as never });
  expect(tagged.status, JSON.stringify(tagged.body)).toBe(200);
  expect(await foundBy(app.admin, 'urgent 5%')).toEqual([[second?.id, 'tags', 'Urgent 5%']]);
  expect(await foundBy(app.admin, 'urgent%5')).toEqual([]);
});

test('findWorkItems shows nothing of queues that the caller may not see', async () => {
  const queue = await createQueue(app);
  const [item] = await queue.add(8200);
  const strangers = [(await app.user('stranger')).call, (await addTenant(app, 'other')).call];
  for (const call of strangers)
    for (const text of ['customer 8200', String(item?.id)]) expect((await find(call, text)).list).toEqual([]);
  expect((await app.as(undefined).findWorkItems({ body: { text: 'customer 8200' } })).status).toBe(401);
});

test('findWorkItems finds the beginning of an indexed column in a large queue, and says what it has not looked at', async () => {
  const reading: Reading = { buffers: 0, statements: [] };
  const own = await startApp({}, undefined, {
    ...functions,
    findWorkItems: noting<'findWorkItems'>(findWithin({ newest: 10, least: 5, budgetMs: 60_000 }), reading),
  });
  const [plain, indexed] = [
    await createQueue(own),
    await createQueue(own, { displayColumns: ['customer'], indexedColumns: ['customer'] }),
  ];
  const amounts = Array.from({ length: 1000 }, (_, index) => 1000 + index);
  const [old] = await indexed.add(...amounts);
  const [hidden] = await plain.add(...amounts);
  reading.buffers = 0;
  const { list, isPartial } = await find(own.admin, 'CUSTOMER 1000');
  expect(list.map(({ id, value }) => [id, value])).toEqual([[old?.id, 'customer 1000']]);
  expect(isPartial).toBe(true);
  // To examine all would take some hundreds.
  expect(reading.buffers).toBeLessThan(150);
  expect(await foundBy(own.admin, String(hidden?.id))).toEqual([[hidden?.id, 'id', String(hidden?.id)]]);
});

test('findWorkItems finds a part of a searched attribute in an old item', async () => {
  const own = await startApp({}, undefined, {
    ...functions,
    findWorkItems: findWithin({ newest: 10, least: 5, budgetMs: 60_000 }),
  });
  const queue = await createQueue(own, { searchedAttributes: ['customer', 'due'] });
  const [old] = await queue.add(...Array.from({ length: 1000 }, (_, index) => 1000 + index));
  expect(await foundBy(own.admin, 'mer 1000')).toEqual([[old?.id, 'customer', 'customer 1000']]);
  expect(await foundBy(own.admin, 'mer 9999')).toEqual([]);
});

test('findWorkItems refuses a text of blanks, and one that is too long', async () => {
  for (const text of ['', ' ', '   ', 'x'.repeat(201)])
    expect((await app.admin.findWorkItems({ body: { text } })).status, text).toBe(400);
});

test('findWorkItems looks for no value that is encrypted, and shows none of its hashes', async () => {
  const sealedApp = await startSealedApp();
  const runner = await sealedApp.user('runner', ['AAE_Bot Runner']);
  const queue = await createCustomers(sealedApp, runner, {
    displayColumns: ['customer'],
    indexedColumns: ['customer'],
  });
  await queue.add({ customer: 'Meier' });
  const [value] = await sealedApp.sql<{ hash: string }>('select text as hash from work_item_values');
  for (const text of ['Meier', String(value?.hash), String(value?.hash).slice(0, 3)])
    expect((await find(sealedApp.admin, text)).list, text).toEqual([]);
});
