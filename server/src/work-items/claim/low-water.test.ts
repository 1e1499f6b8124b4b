import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDatabase, startApp, type App, type Caller } from '../../testing/app.ts';
import { createDevice, createLine } from '../../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { atEnd } from '../../testing/endings.ts';
import { finish, held, letLeaseExpire, pathOf, read } from '../../testing/work.ts';

let here: App;
let there: App;

beforeAll(async () => {
  const database = await createDatabase();
  here = await startApp({}, database);
  there = await startApp({}, database);
  // Another transaction, which stays open: entries of items claimed from now on stay in the index.
  const other = new pg.Client(database);
  await other.connect();
  await other.query('begin isolation level repeatable read; select from users');
  atEnd(() => other.end());
});

// Marks end when a test decides, not when the machine is slow. The time begins at the real one, which the servers have read.
let now: number;
beforeEach(() => {
  now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void vi.restoreAllMocks());

const many = (count: number) => Array.from({ length: count }, (_, index) => index);
const letMarkEnd = () => (now += 5000);
const amountsOf = (items: readonly Schemas['WorkItem'][]) => items.map(({ json }) => json?.['amount']);

/** A queue with a mark at the server `here`, with many entries below it; its item 0 is in progress, 1 to 5 wait. */
async function createMarked(settings: Partial<Schemas['NewQueue']> = {}) {
  const queue = await createQueue(here, settings);
  await queue.add(...many(201).map((index) => -index));
  await queue.claim(200, { leaseSeconds: 3600 });
  const waiting = await queue.add(1, 2, 3, 4, 5);
  const [first] = await queue.claim(1, { leaseSeconds: 3600 });
  return { queue, first, waiting };
}

async function addUrgent(call: Caller, { path }: QueueFixture, amount = 99, priority = 9): Promise<void> {
  const workItems = [{ json: { customer: 'urgent', amount }, priority }];
  expect((await call.createWorkItems({ path, body: { workItems } })).status).toBe(200);
}

describe('claimWorkItems while a transaction stays open', () => {
  test('claimWorkItems gives an item of higher priority next at the server that it came to', async () => {
    const { queue } = await createMarked();
    expect(amountsOf(await queue.claim())).toEqual([1]);
    await addUrgent(queue.owner.call, queue);
    expect(amountsOf(await queue.claim())).toEqual([99]);
    await addUrgent(queue.owner.call, queue, 97, 8);
    await addUrgent(queue.owner.call, queue, 98);
    expect(amountsOf(await queue.claim())).toEqual([98]);
    expect(amountsOf(await queue.claim(2))).toEqual([97, 2]);
    expect(amountsOf(await queue.claim(9))).toEqual([3, 4, 5]);
  });

  test('claimWorkItems gives an item of higher priority that came to another server within five seconds', async () => {
    const { queue } = await createMarked();
    await addUrgent(there.as(queue.owner.token), queue);
    // The look begins after the claimed items; without that this would be 99.
    expect(amountsOf(await queue.claim())).toEqual([1]);
    letMarkEnd();
    expect(amountsOf(await queue.claim())).toEqual([99]);
    expect(amountsOf(await queue.claim())).toEqual([2]);
  });

  test('claimWorkItems gives next what comes back below, however it does', async () => {
    const { queue, first, waiting } = await createMarked();
    const next = async () => amountsOf(await queue.claim());
    await finish(queue, { ...held(first), status: 'NEW' });
    const [again] = await queue.claim();
    expect(again?.id).toBe(first?.id);
    await letLeaseExpire(here, again);
    await eventually(
      () => read(queue, again),
      ({ status }) => status === 'NEW',
    );
    letMarkEnd();
    expect((await queue.claim())[0]?.id).toBe(first?.id);
    const fifth = await read(queue, waiting[4]);
    const { id = 0, version = 0 } = fifth;
    const priority = { id, queueId: queue.id, version, priority: 8 };
    const { status, error } = await queue.owner.call.updateWorkItem({
      path: pathOf(queue, fifth),
      body: priority,
    });
    expect(status, JSON.stringify(error)).toBe(200);
    expect([await next(), await next()]).toEqual([[5], [1]]);
  });

  test('claimWorkItems follows a new order of the queue', async () => {
    const { queue } = await createMarked();
    const { version = 0 } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const body = { version, workItemProcessingOrders: ['-amount'] };
    await queue.owner.call.updateQueue({ path: queue.path, body });
    await eventually(
      async () => (await queue.owner.call.getQueue({ path: queue.path })).body,
      ({ rekeying }) => !rekeying,
    );
    letMarkEnd();
    expect(amountsOf(await queue.claim(2))).toEqual([5, 4]);
  });

  test('claimWorkItems finds nothing of a drained queue, and what comes then', async () => {
    const { queue } = await createMarked();
    await queue.claim(9);
    expect([await queue.claim(), await queue.claim()]).toEqual([[], []]);
    letMarkEnd();
    expect(await queue.claim()).toEqual([]);
    await addUrgent(queue.owner.call, queue);
    await queue.add(6);
    expect(amountsOf(await queue.claim(9))).toEqual([99, 6]);
  });

  test('claimWorkItems that waits is woken for an item that came below to another server', async () => {
    vi.restoreAllMocks();
    const { queue } = await createMarked();
    await queue.claim(9);
    const waiting = queue.claim(1, { waitSeconds: 60 });
    await addUrgent(there.as(queue.owner.token), queue);
    expect(amountsOf(await waiting)).toEqual([99]);
  });

  test('requestWork counts and grants from the mark on, and what has come below it since', async () => {
    const device = await createDevice(await here.user('agent', ['AAE_Bot Runner']), { slots: 500 });
    const { lines } = await createLine(here, [device]);
    const line = lines[0]?.queue as QueueFixture;
    await line.add(...many(201).map((index) => -index));
    await device.ask({ count: 200 });
    await line.add(1, 2, 3, 4, 5);
    await device.ask({ count: 1 });
    await addUrgent(there.as(line.owner.token), line, 98);
    expect(amountsOf(await device.ask({ count: 1 }))).toEqual([1]);
    await addUrgent(line.owner.call, line);
    expect(amountsOf(await device.ask({ count: 2 }))).toEqual([99, 2]);
    letMarkEnd();
    expect(amountsOf(await device.ask({ count: 5 }))).toEqual([98, 3, 4, 5]);
  });
});

test('claimWorkItems at two servers grants everything once, while items come in any order and come back', async () => {
  vi.restoreAllMocks();
  const { queue } = await createMarked();
  const count = 120;
  expect(await queue.claim(9, { leaseSeconds: 3600 })).toHaveLength(5);
  const granted: unknown[] = [];
  const consume = async (call: Caller) => {
    while (granted.length < count) {
      const { list } = (
        await call.claimWorkItems({
          path: queue.path,
          body: { count: 3, waitSeconds: 2, leaseSeconds: 3600 },
        })
      ).body;
      const results = list.map((item) => {
        const isReturned = Math.random() < 0.2;
        if (!isReturned) granted.push(item.id);
        return { ...held(item), status: isReturned ? ('NEW' as const) : ('COMPLETE' as const) };
      });
      if (results.length > 0) await call.finishWorkItems({ path: queue.path, body: { results } });
    }
  };
  const produce = async (call: Caller) => {
    for (const index of many(count / 4)) {
      const workItems = [0, 1].map(() => ({ json: { customer: 'x', amount: index }, priority: index % 10 }));
      await call.createWorkItems({ path: queue.path, body: { workItems } });
    }
  };
  const [owners, consumers] = [queue.owner, queue.consumer].map(({ call, token }) => [call, there.as(token)]);
  await Promise.all([
    ...(owners ?? []).map(produce),
    ...many(3).flatMap(() => (consumers ?? []).map(consume)),
  ]);
  expect(new Set(granted).size).toBe(granted.length);
  expect(granted.length).toBe(count);
  expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
});
