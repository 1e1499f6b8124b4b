import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

// Ten calls send their files at the same time.
const app = await startApp({ maxUserUploads: 10 });
const unique = (more: Partial<Schemas['NewQueue']> = {}) =>
  createQueue(app, { disallowDuplicate: true, ...more });
const open = { duplicateScope: 'OPEN' } as const;

const create = ({ owner, path }: QueueFixture, ...records: Record<string, unknown>[]) =>
  owner.call.createWorkItems({ path, body: { workItems: records.map((json) => ({ json })) } });
const upload = ({ owner, path }: QueueFixture, ...lines: string[]) =>
  owner.call.createWorkItemsFromFile({
    path,
    query: { onError: 'reject' },
    body: { file: new Blob([['customer,amount', ...lines, ''].join('\n')]) },
  });
const read = async ({ owner, path }: QueueFixture, id: unknown) =>
  (await owner.call.getWorkItem({ path: { ...path, workItemId: id as number } })).body;
const remove = ({ owner, path }: QueueFixture, id: unknown) =>
  owner.call.deleteWorkItem({ path: { ...path, workItemId: id as number } });

async function update(queue: QueueFixture, id: unknown, members: object) {
  const { version } = await read(queue, id);
  const body = { id, queueId: queue.id, version, ...members } as never;
  return queue.owner.call.updateWorkItem({ path: { ...queue.path, workItemId: id as number }, body });
}

async function change({ owner, path }: QueueFixture, settings: Partial<Schemas['QueueUpdate']>) {
  const { version = 0 } = (await owner.call.getQueue({ path })).body;
  return owner.call.updateQueue({ path, body: { version, ...settings } });
}

async function finish(queue: QueueFixture, status: 'COMPLETE' | 'FAILED') {
  const [{ id, version } = {}] = await queue.claim();
  const result = { id, version, status, failureKind: status === 'FAILED' ? 'BUSINESS' : undefined } as never;
  await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results: [result] } });
}

/** Asserts that each counted item of the queue has a unique key of its own, and that no other item has one. */
async function expectUniqueKeys(queue: QueueFixture, counting = 'true') {
  const items = await app.sql(
    `select i.id::int from work_items i where queue_id = $1 and ${counting} order by i.id`,
    [queue.id],
  );
  const holders = await app.sql(
    'select item_id::int as id from work_item_hashes where queue_id = $1 order by item_id',
    [queue.id],
  );
  expect(holders).toEqual(items);
}

const sorted = (statuses: number[]) => statuses.toSorted((a, b) => a - b);

describe('createWorkItems', () => {
  test('createWorkItems compares the attributes that the queue names', async () => {
    const queue = await unique({ uniqueBy: ['customer'] });
    const [first] = (await create(queue, { customer: 'Jane', amount: 1 })).body.list;
    const { status, error } = await create(queue, { customer: 'Joe' }, { customer: 'Jane', amount: 2 });
    expect(status).toBe(409);
    expect(error.details).toEqual([
      { index: 1, itemId: first?.id, message: `equals item ${first?.id} in customer` },
    ]);
    expect((await create(queue, { customer: 'Joe', amount: 1 })).status).toBe(200);
  });

  test('createWorkItems takes an item again once the one before is done, where only open ones are compared', async () => {
    const queue = await unique(open);
    for (const status of ['COMPLETE', 'FAILED'] as const) {
      expect((await create(queue, { customer: 'Jane' })).status).toBe(200);
      expect((await create(queue, { customer: 'Jane' })).error.code).toBe('DUPLICATE');
      await finish(queue, status);
    }
    expect((await create(queue, { customer: 'Jane' })).status).toBe(200);
    await expectUniqueKeys(queue, "status = 'NEW'");
  });

  test('createWorkItems takes an item again once the one before has expired, where only open ones are compared', async () => {
    const queue = await unique(open);
    const [first] = (await create(queue, { customer: 'Jane' })).body.list;
    await app.sql('update work_items set expires_on = now() where id = $1', [first?.id]);
    await eventually(
      () => read(queue, first?.id),
      ({ status }) => status === 'FAILED',
    );
    expect((await create(queue, { customer: 'Jane' })).status).toBe(200);
  });

  test('createWorkItems remembers what is done where all items are compared', async () => {
    const queue = await unique();
    await create(queue, { customer: 'Jane' });
    await finish(queue, 'COMPLETE');
    expect((await create(queue, { customer: 'Jane' })).status).toBe(409);
  });

  test('createWorkItems gives what a refused call wanted to the next in the same transaction', async () => {
    const queue = await unique();
    await create(queue, { customer: 'taken' });
    const calls = Array.from({ length: 20 }, (_, index) =>
      create(queue, { customer: `shared ${index % 4}` }, ...(index % 2 === 0 ? [{ customer: 'taken' }] : [])),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    await expectUniqueKeys(queue);
  });

  test('createWorkItems, files and people who bring items back agree on one item for each unique key', async () => {
    const queue = await unique(open);
    const names = Array.from({ length: 40 }, (_, index) => `customer ${index}`);
    const record = (customer: string) => ({ customer, amount: 1 });
    const old = (await create(queue, ...names.slice(20).map(record))).body.list;
    for (const { id } of old) await update(queue, id, { status: 'FAILED' });
    const few = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36].map((start) => names.slice(start, start + 4));
    const attempts = [
      ...few.map((some) => upload(queue, ...some.toReversed().map((name) => `${name},1`))),
      ...names.map((name) => create(queue, record(name))),
      ...old.map(({ id }) => update(queue, id, { status: 'DEFERRED' })),
      ...few.map((some) => create(queue, ...some.map(record))),
    ];
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 409]));
    const waiting = await app.sql<{ customer: string }>(
      `select d.json ->> 'customer' as customer from work_items i join work_item_data d on d.queue_id = i.queue_id
         and d.item_id = i.id where i.queue_id = $1 and i.status in ('NEW', 'DEFERRED')`,
      [queue.id],
    );
    expect(waiting.map(({ customer }) => customer).toSorted()).toEqual(names.toSorted());
    await expectUniqueKeys(queue, "status in ('NEW', 'DEFERRED')");
  });
});

describe('createWorkItemsFromFile', () => {
  test('createWorkItemsFromFile names the row and the item that has its data', async () => {
    const queue = await unique({ uniqueBy: ['customer'] });
    const [first] = (await create(queue, { customer: 'Jane' })).body.list;
    const { status, error } = await upload(queue, 'Joe,1', 'Jane,2', 'Jim,3');
    expect([status, error.code]).toEqual([409, 'DUPLICATE']);
    expect(error.details).toEqual([
      {
        row: 3,
        field: 'customer',
        itemId: first?.id,
        message: `equals item ${first?.id} in customer: "Jane"`,
      },
    ]);
    expect((await upload(queue, 'Joe,1', 'Joe,2')).error.details).toEqual([
      { row: 3, field: 'customer', message: 'equals row 2 in customer: "Joe"' },
    ]);
    expect((await upload(queue, 'Joe,1', 'Jim,3')).body).toMatchObject({ created: 2 });
    await expectUniqueKeys(queue);
  });

  test('createWorkItemsFromFile takes one of two files with the same rows, whatever their order', async () => {
    const queue = await unique();
    const rows = Array.from({ length: 5000 }, (_, index) => `customer ${index},${index}`);
    const answers = await Promise.all([upload(queue, ...rows), upload(queue, ...rows.toReversed())]);
    expect(sorted(answers.map(({ status }) => status))).toEqual([200, 409]);
    await expectUniqueKeys(queue);
  });
});

describe('updateWorkItem', () => {
  test('updateWorkItem brings an item back only while no other has its unique key', async () => {
    const queue = await unique(open);
    const [first] = (await create(queue, { customer: 'Jane' })).body.list;
    await finish(queue, 'FAILED');
    const [second] = (await create(queue, { customer: 'Jane' })).body.list;
    const refused = await update(queue, first?.id, { status: 'DEFERRED' });
    expect([refused.status, refused.error.code]).toEqual([409, 'DUPLICATE']);
    expect(refused.error.details).toEqual([{ itemId: second?.id, message: `equals item ${second?.id}` }]);
    expect(await read(queue, first?.id)).toMatchObject({ status: 'FAILED', version: 2 });
    await remove(queue, second?.id);
    expect((await update(queue, first?.id, { status: 'DEFERRED' })).status).toBe(200);
    expect((await create(queue, { customer: 'Jane' })).status).toBe(409);
  });

  test('updateWorkItem corrects the data of an item that is done without taking a unique key', async () => {
    const queue = await unique(open);
    const [first] = (await create(queue, { customer: 'Jane' })).body.list;
    await finish(queue, 'FAILED');
    await create(queue, { customer: 'Joe' });
    expect((await update(queue, first?.id, { json: { customer: 'Joe' } })).status).toBe(200);
    expect((await update(queue, first?.id, { status: 'DEFERRED' })).status).toBe(409);
    await expectUniqueKeys(queue, "status = 'NEW'");
  });

  test('updateWorkItem lets two items not take the same new data, nor each other’s', async () => {
    const queue = await unique();
    const [first, second] = (await create(queue, { customer: 'a' }, { customer: 'b' })).body.list;
    const become = (id: unknown, customer: string) => update(queue, id, { json: { customer } });
    const same = await Promise.all([become(first?.id, 'c'), become(second?.id, 'c')]);
    expect(sorted(same.map(({ status }) => status))).toEqual([200, 409]);
    const names = [await read(queue, first?.id), await read(queue, second?.id)].map(({ json }) =>
      String(json?.['customer']),
    );
    const swapped = await Promise.all([
      become(first?.id, names[1] ?? ''),
      become(second?.id, names[0] ?? ''),
    ]);
    expect(swapped.map(({ status }) => status)).toEqual([409, 409]);
    await expectUniqueKeys(queue);
  });
});

describe('updateQueue', () => {
  test('updateQueue begins to refuse duplicates in a queue that holds none', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    await finish(queue, 'COMPLETE');
    expect((await change(queue, { disallowDuplicate: true })).status).toBe(200);
    await expectUniqueKeys(queue);
    expect((await create(queue, { customer: 'customer 1', amount: 1 })).status).toBe(409);
    expect((await change(queue, { disallowDuplicate: false })).status).toBe(200);
    expect((await create(queue, { customer: 'customer 1', amount: 1 })).status).toBe(200);
  });

  test('updateQueue refuses to begin while items equal each other, and names them', async () => {
    const queue = await createQueue(app);
    const [first, , third] = await queue.add(1, 2, 1);
    const { status, error } = await change(queue, { disallowDuplicate: true });
    expect([status, error.code]).toEqual([409, 'DUPLICATE']);
    expect(error.details).toEqual([
      { itemId: third?.id, message: `item ${third?.id} equals item ${first?.id}` },
    ]);
    expect((await queue.owner.call.getQueue({ path: queue.path })).body).toMatchObject({ version: 0 });
    await remove(queue, third?.id);
    expect((await change(queue, { disallowDuplicate: true })).status).toBe(200);
  });

  test('updateQueue compares anew by other attributes, and among open items only', async () => {
    const queue = await unique(open);
    await create(queue, { customer: 'Jane', amount: 1 });
    await finish(queue, 'COMPLETE');
    await create(queue, { customer: 'Jane', amount: 1 });
    expect((await change(queue, { duplicateScope: 'ALL' })).error.code).toBe('DUPLICATE');
    expect((await change(queue, { uniqueBy: ['customer'] })).status).toBe(200);
    expect((await create(queue, { customer: 'Jane', amount: 2 })).status).toBe(409);
    await expectUniqueKeys(queue, "status = 'NEW'");
  });

  test('updateQueue lets no duplicate in that comes while it compares', async () => {
    for (let round = 0; round < 5; round += 1) {
      const queue = await createQueue(app);
      const [changed, ...created] = await Promise.all([
        change(queue, { disallowDuplicate: true }),
        ...Array.from({ length: 6 }, () => create(queue, { customer: 'same' })),
      ]);
      const taken = created.filter(({ status }) => status === 200).length;
      if (changed.status === 409) expect(taken).toBeGreaterThan(1);
      else {
        expect(taken).toBe(1);
        await expectUniqueKeys(queue);
      }
    }
  });
});
