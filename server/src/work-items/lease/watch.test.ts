import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { beat, finish, held, letLeaseExpire, pathOf, read } from '../../testing/work.ts';

const app = await startApp();

/** The changes of items reported to the consumer of the queue within a number of seconds. */
async function watch(
  { consumer, path }: QueueFixture,
  items: readonly (Schemas['WorkItem'] | undefined)[],
  waitSeconds = 0,
) {
  const body = { leases: items.map(held), waitSeconds };
  const answer = await consumer.call.watchWorkItems({ path, body });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return answer.body.list;
}

/** A queue with items that its consumer holds. */
async function createBusyQueue(items = 2) {
  const queue = await createQueue(app);
  await queue.add(...Array.from({ length: items }, (_, index) => index));
  return { queue, items: await queue.claim(items) };
}

// Sleepers look by themselves every few seconds: without wake-ups, this number of rounds would outlast a test.
const rounds = 10;

describe('watchWorkItems', () => {
  test('watchWorkItems answers nothing of items that simply go on', async () => {
    const { queue, items } = await createBusyQueue();
    expect(await watch(queue, items)).toEqual([]);
    expect(await watch(queue, items, 0.1)).toEqual([]);
  });

  test('watchWorkItems says at once which item a person wants stopped', async () => {
    const { queue, items } = await createBusyQueue(rounds);
    for (const item of items) {
      const left = items.slice(items.indexOf(item));
      const call = watch(queue, left, 60);
      await watch(queue, left);
      const body = { reason: 'sent twice' };
      await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item), body });
      expect(await call).toEqual([{ id: item.id, cancel: { by: 'owner', reason: 'sent twice' } }]);
    }
  });

  test('watchWorkItems hears of an item that is cancelled with many others', async () => {
    const { queue, items } = await createBusyQueue();
    const call = watch(queue, items, 60);
    await watch(queue, items);
    const [cancelled] = items;
    const ids = [cancelled?.id as number];
    await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: { action: 'CANCEL', ids } });
    expect(await call).toMatchObject([{ id: cancelled?.id, cancel: { by: 'owner' } }]);
  });

  test('watchWorkItems says which items the caller does not hold, such as those whose lease has expired', async () => {
    const { queue, items } = await createBusyQueue();
    const [expired, kept] = items;
    const call = watch(queue, items, 60);
    await letLeaseExpire(app, expired);
    expect(await call).toMatchObject([{ id: expired?.id, error: { code: 'LEASE_LOST' } }]);
    const stranger = await app.user(`other-runner`, ['AAE_Bot Runner']);
    const answer = await stranger.call.watchWorkItems({ path: queue.path, body: { leases: [held(kept)] } });
    expect(answer.body.list).toMatchObject([{ id: kept?.id, error: { code: 'LEASE_LOST' } }]);
    expect(await watch(queue, [{ ...kept, version: 9 }])).toMatchObject([
      { id: kept?.id, error: { code: 'LEASE_LOST' } },
    ]);
  });

  test('watchWorkItems keeps no item: that is what heartbeats are for', async () => {
    const { queue, items } = await createBusyQueue(1);
    const [item] = items;
    const before = await read(queue, item);
    await watch(queue, [item]);
    expect(await read(queue, item)).toEqual(before);
  });

  test('watchWorkItems lets the caller report an item that it was told to stop', async () => {
    const { queue, items } = await createBusyQueue(1);
    const [item] = items;
    await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item), body: {} });
    expect(await watch(queue, [item], 60)).toMatchObject([{ cancel: { by: 'owner' } }]);
    expect(await beat(queue, held(item))).toMatchObject([{ cancel: { by: 'owner' } }]);
    const report = { ...held(item), status: 'FAILED', error: 'stopped' } as const;
    expect(await finish(queue, report)).toMatchObject([{ status: 'FAILED' }]);
  });
});
