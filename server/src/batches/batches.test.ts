import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();
const feedOf = (queue: QueueFixture) => async () =>
  (await queue.owner.call.listEvents({ query: { queueId: queue.id } })).body.list;

const body = (name: string, expected?: Schemas['ControlTotals']) => ({ name, ...(expected && { expected }) });

async function openBatch(queue: QueueFixture, name = 'Payments', expected?: Schemas['ControlTotals']) {
  const { path, owner } = queue;
  const created = await owner.call.createBatch({ path, body: body(name, expected) });
  expect(created.status, JSON.stringify(created.error)).toBe(200);
  return Number(created.body.id);
}

function put(queue: QueueFixture, batchId: number, ...amounts: number[]) {
  const workItems = amounts.map((amount) => ({ json: { customer: `customer ${amount}`, amount } }));
  return queue.owner.call.createWorkItems({ path: queue.path, body: { batchId, workItems } });
}

async function read(queue: QueueFixture, batchId: number) {
  return (await queue.owner.call.getBatch({ path: { ...queue.path, batchId } })).body;
}

async function finish(queue: QueueFixture, status: 'COMPLETE' | 'FAILED', count = 1) {
  const items = await queue.claim(count);
  const failure = status === 'FAILED' ? { failureKind: 'BUSINESS' as const } : {};
  const results = items.map(({ id = 0, version = 0 }) => ({ id, version, status, ...failure }));
  await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
  return items;
}

async function eventsOf(queue: QueueFixture, batchId: number) {
  const { list } = (await queue.owner.call.listEvents({ query: { queueId: queue.id, batchId } })).body;
  return list;
}

/** Reads the batch once the job has added up all changes. */
function settled(queue: QueueFixture, batchId: number, isDone: (batch: Schemas['Batch']) => boolean) {
  return eventually(() => read(queue, batchId), isDone);
}

describe('createBatch', () => {
  test('createBatch opens a batch for items, which carry its id in answers, lists and events', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue);
    await queue.add(1);
    const created = (await put(queue, batchId, 2, 3)).body.list;
    expect(created.map((item) => item.batchId)).toEqual([batchId, batchId]);
    const filter = { operator: 'eq', field: 'batchId', value: batchId };
    const listed = await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } });
    expect(listed.body.list.map(({ id, batchId: shown }) => [id, shown])).toEqual(
      created.map(({ id }) => [id, batchId]),
    );
    const others = { operator: 'not', operands: [filter] };
    expect(
      (await queue.owner.call.listWorkItems({ path: queue.path, body: { filter: others } })).body.list,
    ).toHaveLength(1);
    expect((await queue.claim(3)).map((item) => item.batchId)).toEqual([undefined, batchId, batchId]);
    expect((await eventsOf(queue, batchId)).map(({ operation, itemId }) => [operation, itemId])).toEqual([
      ['createBatch', undefined],
      ['createWorkItems', created[0]?.id],
      ['createWorkItems', created[1]?.id],
    ]);
  });

  test('createBatch refuses names that people cannot tell apart, and sums of what is no number', async () => {
    const { path, owner } = await createQueue(app);
    const blank = await owner.call.createBatch({ path, body: { name: ' ' } });
    expect([blank.status, blank.error.message]).toEqual([400, 'name must not be blank.']);
    const sums = { customer: 5 };
    const wrong = await owner.call.createBatch({ path, body: body('Payments', { sums }) });
    expect([wrong.status, wrong.error.message]).toEqual([
      400,
      'expected.sums names "customer", which is no attribute of the type NUMBER, or is encrypted: those are amount.',
    ]);
  });

  test('createWorkItems refuses a batch that is unknown, closed, or one of a bulk action', async () => {
    const queue = await createQueue(app);
    expect((await put(queue, 987_654_321, 1)).status).toBe(404);
    const elsewhere = await openBatch(await createQueue(app));
    expect((await put(queue, elsewhere, 1)).status).toBe(404);
    const batchId = await openBatch(queue);
    await queue.owner.call.closeBatch({ path: { ...queue.path, batchId } });
    const closed = await put(queue, batchId, 1);
    expect([closed.status, closed.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    const [item] = await queue.add(1);
    const ids = [item?.id as number];
    const bulk = await queue.owner.call.updateWorkItemStatus({
      path: queue.path,
      body: { action: 'DEFER', ids },
    });
    const refused = await put(queue, Number(bulk.body.batchId), 1);
    expect(refused.error.message).toContain('is one of a bulk action and takes no other items');
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts).toMatchObject({
      NEW: 0,
      DEFERRED: 1,
    });
  });
});

describe('getBatch', () => {
  test('getBatch reconciles to the item whatever became of each: received = done + failed + withdrawn + waiting', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue);
    const items = (await put(queue, batchId, 1, 2, 3, 4, 5, 6)).body.list.map(({ id }) => id as number);
    await finish(queue, 'COMPLETE', 2);
    await finish(queue, 'FAILED');
    await queue.owner.call.deleteWorkItem({ path: { ...queue.path, workItemId: items[3] as number } });
    const model = (await queue.owner.call.getQueue({ path: queue.path })).body.workItemModelId as number;
    const other = (
      await queue.owner.call.createQueue({ body: { name: 'Elsewhere', workItemModelId: model } })
    ).body.id as number;
    const moved = { action: 'MOVE' as const, queueId: other, ids: [items[4] as number] };
    await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: moved });
    const counts = { received: 6, done: 2, failed: 1, withdrawn: 2, waiting: 1 };
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN', ...counts });
    const there = await queue.owner.call.listWorkItems({ path: { id: other }, body: {} });
    expect(there.body.list.map((item) => item.batchId)).toEqual([undefined]);
    // Finished items stay counted as done when deleted; failed ones then count as withdrawn.
    await queue.owner.call.deleteWorkItem({ path: { ...queue.path, workItemId: items[0] as number } });
    await queue.owner.call.deleteWorkItem({ path: { ...queue.path, workItemId: items[2] as number } });
    const later = { received: 6, done: 2, failed: 0, withdrawn: 3, waiting: 1 };
    expect(await read(queue, batchId)).toMatchObject(later);
    await settled(queue, batchId, () => true);
    expect(await read(queue, batchId)).toMatchObject(later);
  });

  test('getBatch compares what was received with what was announced, to the last digit', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue, 'Payments', { items: 3, sums: { amount: 0.6 } });
    await put(queue, batchId, 0.1, 0.2);
    expect(await read(queue, batchId)).toMatchObject({
      sums: { amount: 0.3 },
      matches: false,
      state: 'OPEN',
    });
    await put(queue, batchId, 0.3);
    expect(await read(queue, batchId)).toMatchObject({
      expected: { items: 3, sums: { amount: 0.6 } },
      sums: { amount: 0.6 },
      matches: true,
    });
    await put(queue, batchId, 5);
    expect(await read(queue, batchId)).toMatchObject({ received: 4, matches: false });
  });

  test('getBatch says that a batch is stuck when all that waits of it is deferred for ever', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue);
    const [first, second] = (await put(queue, batchId, 1, 2)).body.list.map(({ id }) => id as number);
    const defer = (id: number | undefined, deferredUntil?: string) =>
      queue.owner.call.updateWorkItemStatus({
        path: queue.path,
        body: { action: 'DEFER', ids: [id as number], ...(deferredUntil && { deferredUntil }) },
      });
    await defer(first);
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN', waiting: 2 });
    await defer(second, '2999-01-01T00:00:00Z');
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN' });
    await defer(second);
    expect(await read(queue, batchId)).toMatchObject({ state: 'STUCK', waiting: 2 });
  });

  test('getBatch says of no batch that it is stuck whose last items will expire', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 30, durationUnit: 'DAYS' },
    });
    const batchId = await openBatch(queue);
    const ids = (await put(queue, batchId, 1, 2)).body.list.map(({ id }) => id as number);
    await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: { action: 'DEFER', ids } });
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN', waiting: 2 });
  });

  test('getBatch finds no batch of another queue', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(await createQueue(app));
    const { status, error } = await queue.owner.call.getBatch({ path: { ...queue.path, batchId } });
    expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('completeBatches', () => {
  test('completeBatches says once that a batch is complete, behind the ends of all of its items', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue, 'Payments', { items: 2 });
    await put(queue, batchId, 1);
    const [done] = await finish(queue, 'COMPLETE');
    await put(queue, batchId, 2);
    const [failed] = await finish(queue, 'FAILED');
    const batch = await settled(queue, batchId, ({ completedOn }) => completedOn !== undefined);
    expect(batch).toMatchObject({ state: 'DONE_WITH_FAILURES', matches: true });
    // The feed shows an event once all that began before it has ended, elsewhere as well.
    const feed = await eventually(feedOf(queue), (list) => list.at(-1)?.operation === 'completeBatch');
    const ends = feed.filter(({ to }) => to === 'COMPLETE' || to === 'FAILED').map(({ itemId }) => itemId);
    expect(ends).toEqual([done?.id, failed?.id]);
    expect(feed.at(-1)).toMatchObject({
      operation: 'completeBatch',
      actorId: 0,
      batchId,
      changes: {
        name: 'Payments',
        state: 'DONE_WITH_FAILURES',
        received: 2,
        done: 1,
        failed: 1,
        withdrawn: 0,
      },
    });
    expect(feed.filter(({ operation }) => operation === 'completeBatch')).toHaveLength(1);
  });

  test('completeBatches takes its word back when an item is taken up again, and says it anew at the end', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue, 'Payments', { items: 1 });
    await put(queue, batchId, 1);
    const [item] = await finish(queue, 'FAILED');
    await settled(queue, batchId, ({ completedOn }) => completedOn !== undefined);
    const path = { ...queue.path, workItemId: item?.id as number };
    const { version = 0 } = (await queue.owner.call.getWorkItem({ path })).body;
    await queue.owner.call.restartWorkItem({ path, body: { version } });
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN', failed: 0, waiting: 1 });
    await settled(queue, batchId, ({ completedOn }) => completedOn === undefined);
    await finish(queue, 'COMPLETE');
    expect(await settled(queue, batchId, ({ completedOn }) => completedOn !== undefined)).toMatchObject({
      state: 'DONE',
    });
    const of = (await eventsOf(queue, batchId)).map(({ operation }) => operation);
    expect(of.filter((one) => one.endsWith('Batch'))).toEqual([
      'createBatch',
      'completeBatch',
      'reopenBatch',
      'completeBatch',
    ]);
  });

  test('closeBatch completes a batch that nothing was announced of, also an empty one', async () => {
    const queue = await createQueue(app);
    const batchId = await openBatch(queue);
    await put(queue, batchId, 1);
    await finish(queue, 'COMPLETE');
    expect(await read(queue, batchId)).toMatchObject({ state: 'OPEN', waiting: 0 });
    const empty = await openBatch(queue);
    for (const id of [batchId, empty])
      expect((await queue.owner.call.closeBatch({ path: { ...queue.path, batchId: id } })).status).toBe(200);
    await settled(queue, batchId, ({ completedOn }) => completedOn !== undefined);
    await settled(queue, empty, ({ completedOn }) => completedOn !== undefined);
  });
});

describe('updateWorkItemStatus', () => {
  test('updateWorkItemStatus makes a batch of those that were changed, and leaves the batch alone that they came with', async () => {
    const queue = await createQueue(app);
    const own = await openBatch(queue);
    const items = (await put(queue, own, 1, 2, 3)).body.list.map(({ id }) => id as number);
    await finish(queue, 'FAILED', 2);
    const { body: outcome } = await queue.owner.call.updateWorkItemStatus({
      path: queue.path,
      body: { action: 'RESTART', ids: items, reason: 'The bank is back' },
    });
    const batchId = Number(outcome.batchId);
    expect(outcome).toMatchObject({ selected: 3, changed: 2, refused: 1, batchId: expect.any(Number) });
    const filter = { operator: 'eq', field: 'batchId', value: batchId };
    const listed = await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } });
    expect(listed.body.list.map((item) => [item.id, item.batchId])).toEqual([
      [items[0], own],
      [items[1], own],
    ]);
    const [first] = await finish(queue, 'COMPLETE', 2);
    expect(first?.batchId).toBe(own);
    expect(await read(queue, batchId)).toMatchObject({
      ...{ name: 'The bank is back', source: 'BULK', state: 'OPEN' },
      ...{ received: 2, done: 1, failed: 0, withdrawn: 0, waiting: 1 },
    });
    expect((await eventsOf(queue, batchId)).map(({ itemId }) => itemId)).toEqual(items.slice(0, 2));
  });

  test('completeBulkBatches says once of a bulk action that all that it changed has ended, and not while it goes on', async () => {
    const queue = await createQueue(app);
    const ids = (await queue.add(1, 2, 3)).map(({ id }) => id as number);
    const change = (action: 'SET_PRIORITY' | 'COMPLETE' | 'DELETE', of: readonly number[], more = {}) =>
      queue.owner.call.updateWorkItemStatus({ path: queue.path, body: { action, ids: [...of], ...more } });
    const first = Number((await change('SET_PRIORITY', ids, { priority: 9 })).body.batchId);
    const second = Number((await change('DELETE', ids.slice(2))).body.batchId);
    const isOver = ({ completedOn }: Schemas['Batch']) => completedOn !== undefined;
    expect(await settled(queue, second, isOver)).toMatchObject({ received: 1, withdrawn: 1 });
    expect((await read(queue, first)).completedOn).toBeUndefined();
    const [done, failed] = [await finish(queue, 'COMPLETE'), await finish(queue, 'FAILED')];
    expect(await settled(queue, first, isOver)).toMatchObject({
      ...{ source: 'BULK', state: 'DONE_WITH_FAILURES', received: 3, done: 1, failed: 1, withdrawn: 1 },
    });
    const isTold = ({ batchId, operation }: Schemas['Event']) =>
      operation === 'completeBatch' && batchId === first;
    const feed = await eventually(feedOf(queue), (list) => list.some(isTold));
    const ends = feed.filter(({ operation }) => operation === 'completeBatch');
    expect(ends.map(({ batchId }) => batchId)).toEqual([second, first]);
    expect(ends.at(-1)?.changes).toMatchObject({ name: 'SET_PRIORITY', received: 3, done: 1, failed: 1 });
    const items = [done, failed].flat().map(({ id }) => id);
    const last = feed.findLastIndex(({ itemId }) => items.includes(itemId));
    expect(feed.findLastIndex(({ operation }) => operation === 'completeBatch')).toBeGreaterThan(last);
  });

  test('updateWorkItemStatus goes on with the batch of an earlier call of the same user, and of nobody else', async () => {
    const queue = await createQueue(app);
    const [one, two] = (await queue.add(1, 2)).map(({ id }) => id as number);
    const defer = (ids: (number | undefined)[], more = {}, call = queue.owner.call) =>
      call.updateWorkItemStatus({
        path: queue.path,
        body: { action: 'DEFER', ids: ids as number[], ...more },
      });
    const batchId = Number((await defer([one])).body.batchId);
    const stranger = await defer([two], { batchId }, app.admin);
    expect([stranger.status, stranger.error.code]).toEqual([404, 'NOT_FOUND']);
    expect((await defer([two], { batchId: await openBatch(queue) })).status).toBe(404);
    expect((await defer([two], { batchId })).body.batchId).toBe(batchId);
    expect(await read(queue, batchId)).toMatchObject({ received: 2, waiting: 2 });
  });

  test('updateWorkItemStatus makes no batch of a dry run, or where nothing is changed', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const ids = [item?.id as number];
    const dry = await queue.owner.call.updateWorkItemStatus({
      path: queue.path,
      body: { action: 'DEFER', ids, dryRun: true },
    });
    expect(dry.body).toMatchObject({ changed: 1 });
    expect(dry.body.batchId).toBeUndefined();
    const none = await queue.owner.call.updateWorkItemStatus({
      path: queue.path,
      body: { action: 'RESTART', ids },
    });
    expect(none.body.batchId).toBeUndefined();
    expect((await queue.owner.call.listBatches({ path: queue.path })).body).toEqual({
      list: [],
      isMore: false,
    });
  });
});

test('listBatches has the newest first, and goes on before one', async () => {
  const queue = await createQueue(app);
  const first = await openBatch(queue, 'One');
  const second = await openBatch(queue, 'Two', { items: 1 });
  await put(queue, second, 1);
  const { list } = (await queue.owner.call.listBatches({ path: queue.path })).body;
  expect(list).toMatchObject([
    { id: second, name: 'Two', source: 'CALLER', received: 1, waiting: 1, matches: true },
    { id: first, name: 'One', state: 'OPEN', received: 0 },
  ]);
  const older = (await queue.owner.call.listBatches({ path: queue.path, query: { before: second } })).body;
  expect(older.list.map(({ id }) => id)).toEqual([first]);
});
