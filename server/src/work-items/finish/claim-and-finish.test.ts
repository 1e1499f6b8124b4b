import { describe, expect, test, vi } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually } from '../../testing/fixtures.ts';
import { finish, held, letLeaseExpire, read } from '../../testing/work.ts';

const app = await startApp();
const amounts = (items: Schemas['WorkItem'][]) => items.map(({ json }) => json?.['amount']);

describe('claimWorkItems', () => {
  test('claimWorkItems leases the oldest items to the caller, each once', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2, 3);
    const deviceId = await queue.device();
    const first = await queue.claim(2, { deviceId, leaseSeconds: 30 });
    expect(amounts(first)).toEqual([1, 2]);
    expect(first[0]).toMatchObject({
      status: 'IN_PROGRESS',
      version: 1,
      deviceId,
      updatedBy: queue.consumer.id,
    });
    const lease = Date.parse(first[0]?.leaseExpiresOn ?? '') - Date.parse(first[0]?.startTime ?? '');
    expect(lease).toBe(30_000);
    expect(amounts(await queue.claim(5))).toEqual([3]);
    expect(await queue.claim()).toEqual([]);
  });

  test('claimWorkItems goes by priority, then the processing order of the queue, then age, over all that waits', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['-amount', 'customer'] });
    const create = (json: Record<string, unknown>, priority?: number) =>
      queue.owner.call.createWorkItems({
        path: queue.path,
        body: { workItems: [{ json, ...(priority !== undefined && { priority }) }] },
      });
    await create({ customer: 'b', amount: 5 });
    await create({ customer: 'a', amount: 5 });
    await create({ customer: 'none' });
    await create({ customer: 'c', amount: 70 });
    await create({ customer: 'last', amount: 100 }, 0);
    await create({ customer: 'first', amount: 1 }, 9);
    await create({ customer: 'a', amount: 5, urgent: true });
    const claimed = await queue.claim(10);
    expect(claimed.map(({ json }) => json?.['customer'])).toEqual([
      'first',
      'c',
      'a',
      'a',
      'b',
      'none',
      'last',
    ]);
    expect(claimed.map(({ json }) => json?.['urgent'])[3]).toBe(true);
  });

  test('claimWorkItems grants nothing of an INACTIVE queue', async () => {
    const queue = await createQueue(app, { status: 'INACTIVE' });
    await queue.add(1);
    expect(await queue.claim()).toEqual([]);
  });

  test('claimWorkItems waits for work when asked to, and is answered when it comes', async () => {
    const queue = await createQueue(app);
    const waiting = queue.claim(1, { waitSeconds: 30 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await queue.add(8);
    expect(amounts(await waiting)).toEqual([8]);
  });

  test('claimWorkItems answers an empty list when nothing came in time', async () => {
    const queue = await createQueue(app);
    expect(await queue.claim(1, { waitSeconds: 0.2 })).toEqual([]);
  });

  test('claimWorkItems waits no longer than it was asked to when the clock of the server is put back', async () => {
    const queue = await createQueue(app);
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
    const waiting = queue.claim(1, { waitSeconds: 1 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    vi.useRealTimers();
    expect(await waiting).toEqual([]);
  });

  test('claimWorkItems shares new items among all that wait', async () => {
    const queue = await createQueue(app);
    const waiting = Promise.all(Array.from({ length: 12 }, () => queue.claim(1, { waitSeconds: 30 })));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await queue.add(...Array.from({ length: 12 }, (_, index) => index));
    expect(amounts((await waiting).flat()).toSorted((a, b) => Number(a) - Number(b))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test('claimWorkItems leaves the item to others when its caller has gone', async () => {
    const queue = await createQueue(app);
    const gone = new AbortController();
    const call = queue.consumer.call.claimWorkItems(
      { path: queue.path, body: { waitSeconds: 30 } },
      { signal: gone.signal },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    gone.abort();
    await expect(call).rejects.toThrow('abort');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await queue.add(1);
    expect(amounts(await queue.claim())).toEqual([1]);
  });

  test('claimWorkItems refuses counts, leases and members that the contract does not know', async () => {
    const queue = await createQueue(app);
    for (const body of [
      { count: 0 },
      { count: 1001 },
      { leaseSeconds: 0 },
      { waitSeconds: -1 },
      { cuont: 1 },
    ]) {
      const { status, error } = await queue.consumer.call.claimWorkItems({
        path: queue.path,
        body,
      });
      expect(status).toBe(400);
      expect(error.message).toContain(Object.keys(body)[0]);
    }
  });
});

describe('finishWorkItems', () => {
  test('finishWorkItems completes an item with its output', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const outcomes = await finish(queue, {
      ...held(item),
      status: 'COMPLETE',
      output: { score: 7 },
      comment: 'fine',
    });
    expect(outcomes).toEqual([{ id: item?.id, status: 'COMPLETE', version: 2 }]);
    const done = await read(queue, item);
    expect(done).toMatchObject({
      status: 'COMPLETE',
      result: 'SUCCESS',
      output: { score: 7 },
      comment: 'fine',
      version: 2,
    });
    expect(Date.parse(done.endTime ?? '')).toBeGreaterThanOrEqual(Date.parse(done.startTime ?? ''));
    expect(done.leaseExpiresOn).toBeUndefined();
  });

  test('finishWorkItems never retries a business failure', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 3 });
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, {
      ...held(item),
      status: 'FAILED',
      failureKind: 'BUSINESS',
      error: 'no such customer',
    });
    expect(await read(queue, item)).toMatchObject({
      status: 'FAILED',
      result: 'FAILURE',
      failureKind: 'BUSINESS',
      error: 'no such customer',
      retryCount: 0,
    });
  });

  test('finishWorkItems retries a technical failure behind the waiting items, up to the limit', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1 });
    await queue.add(1, 2);
    const [item] = await queue.claim();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await finish(queue, { ...held(item), status: 'FAILED', error: 'timeout' })).toMatchObject([
      { status: 'NEW' },
    ]);
    const [second, again] = await queue.claim(2);
    expect(amounts([second as never, again as never])).toEqual([2, 1]);
    expect(again).toMatchObject({ retryCount: 1, error: 'timeout' });
    expect(await finish(queue, { ...held(again), status: 'FAILED', error: 'timeout' })).toMatchObject([
      { status: 'FAILED' },
    ]);
    expect(await read(queue, item)).toMatchObject({ failureKind: 'SYSTEM', retryCount: 1 });
  });

  test('finishWorkItems parks an item until a time, and it comes back by itself', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const deferredUntil = new Date(Date.now() + 400).toISOString();
    await finish(queue, { ...held(item), status: 'DEFERRED', deferredUntil, comment: 'office closed' });
    expect(await read(queue, item)).toMatchObject({
      status: 'DEFERRED',
      deferredUntil,
      comment: 'office closed',
    });
    expect(await queue.claim(1, { waitSeconds: 20 })).toMatchObject([{ id: item?.id, retryCount: 0 }]);
  });

  test('finishWorkItems answers the same report twice with the same outcome and one event', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const report = { ...held(item), status: 'COMPLETE' as const };
    expect(await finish(queue, report)).toEqual(await finish(queue, report));
    const { body } = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(body.list.map(({ operation }) => operation)).toEqual([
      'createWorkItems',
      'claimWorkItems',
      'finishWorkItems',
    ]);
  });

  test('finishWorkItems knows a report again when somebody else has got the item since', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1 });
    await queue.add(1);
    const [item] = await queue.claim();
    const report = { ...held(item), status: 'FAILED' as const, error: 'timeout' };
    await finish(queue, report);
    const other = await app.user('other runner', ['AAE_Bot Runner']);
    const again = await other.call.claimWorkItems({ path: queue.path });
    expect(again.body.list).toMatchObject([{ id: item?.id, version: 3 }]);
    expect(await finish(queue, report)).toEqual([{ id: item?.id, status: 'IN_PROGRESS', version: 3 }]);
    expect(await read(queue, item)).toMatchObject({ status: 'IN_PROGRESS', version: 3, retryCount: 1 });
  });

  test('finishWorkItems keeps a late report as evidence and lets it change nothing', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    await letLeaseExpire(app, item);
    const [again] = await queue.claim(1, { waitSeconds: 20 });
    const [outcome] = await finish(queue, { ...held(item), status: 'COMPLETE', output: { score: 1 } });
    expect(outcome?.error?.code).toBe('LATE_REPORT');
    expect(await read(queue, item)).toMatchObject({ status: 'IN_PROGRESS', version: again?.version });
    const { body } = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(body.list.at(-1)).toMatchObject({
      operation: 'lateReport',
      changes: { status: 'COMPLETE', output: { score: 1 } },
    });
  });

  test('finishWorkItems settles each report by itself, in order', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    const [first, second] = await queue.claim(2);
    const outcomes = await finish(
      queue,
      { id: 999_999, version: 1, status: 'COMPLETE' },
      { ...held(second), status: 'COMPLETE', result: 'FAILURE' },
      { ...held(first), status: 'COMPLETE' },
      { ...held(first), status: 'FAILED' },
    );
    expect(outcomes.map(({ error, status }) => error?.code ?? status)).toEqual([
      'NOT_FOUND',
      'INVALID_REQUEST',
      'COMPLETE',
      'LATE_REPORT',
    ]);
  });
});

describe('reclaimExpiredLeases', () => {
  test('reclaimExpiredLeases gives the item of a silent holder to others, without counting the attempt', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1 });
    await queue.add(1, 2);
    const [item] = await queue.claim();
    await letLeaseExpire(app, item);
    await eventually(
      () => read(queue, item),
      ({ status }) => status === 'NEW',
    );
    const [again] = await queue.claim();
    expect(again).toMatchObject({ id: item?.id, retryCount: 0, version: 3 });
    const { body } = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(body.list[2]).toMatchObject({
      operation: 'returnLapsedItems',
      actorId: 0,
      from: 'IN_PROGRESS',
      to: 'NEW',
    });
  });
});

describe('expireItems', () => {
  test('expireItems fails what nobody took in time, and it is never granted', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'HOURS' },
    });
    const [item] = await queue.add(1);
    await app.sql("update work_items set expires_on = now() - interval '1 second' where id = $1", [item?.id]);
    expect(await queue.claim()).toEqual([]);
    const expired = await eventually(
      () => read(queue, item),
      ({ status }) => status !== 'NEW',
    );
    expect(expired).toMatchObject({ status: 'FAILED', failureKind: 'EXPIRED' });
  });
});

describe('getQueueStats', () => {
  test('getQueueStats counts by status and tells the throughput and handling time of the last minutes', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2, 3, 4);
    const [first, second] = await queue.claim(3);
    await finish(
      queue,
      { ...held(first), status: 'COMPLETE' },
      { ...held(second), status: 'FAILED', failureKind: 'BUSINESS' },
    );
    const { body } = await queue.owner.call.getQueueStats({ path: queue.path });
    expect(body.counts).toEqual({ NEW: 1, IN_PROGRESS: 1, COMPLETE: 1, FAILED: 1, DEFERRED: 0 });
    expect(body.recent).toMatchObject({ minutes: 15, complete: 1, failed: 1, throughputPerMinute: 2 / 15 });
    expect(body.recent.averageHandlingSeconds).toBeGreaterThanOrEqual(0);
    expect(body.oldestWaitingSeconds).toBeGreaterThanOrEqual(0);
  });

  test('getQueueStats stays the same when its differences are added up', async () => {
    const queue = await createQueue(app);
    for (let round = 0; round < 60; round += 1) await queue.add(round);
    const before = (await queue.owner.call.getQueueStats({ path: queue.path })).body.counts;
    const rows = () =>
      app.sql<{ count: string }>('select count(*) from queue_tallies where queue_id = $1', [queue.id]);
    // Each add brought one; on a slow machine the first ones are added up before the last one comes.
    await eventually(rows, ([row]) => Number(row?.count) <= 50);
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts).toEqual(before);
    expect(before.NEW).toBe(60);
  });
});
