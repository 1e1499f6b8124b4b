import type { Id, Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import * as functions from '../../operations.ts';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { updateUpTo } from './bulk.ts';

// Two portions: the limit is checked between them.
const limit = 600;
const atOnce = 1000;
const app = await startApp({}, undefined, { ...functions, updateWorkItemStatus: updateUpTo(limit) });

/** A queue with a number of items, a call that defers those after an item, and the number of deferred ones. */
async function createFullQueue(items: number) {
  const queue = await createQueue(app);
  const added = await queue.add(...Array.from({ length: items }, (_, index) => index));
  const defer = async (after: Id, more: Partial<Schemas['BulkRequest']> = {}) => {
    const filter = { operator: 'gt', field: 'id', value: after };
    const body = { action: 'DEFER' as const, filter, ...more };
    return (await queue.owner.call.updateWorkItemStatus({ path: queue.path, body })).body;
  };
  const deferred = async () =>
    (await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.DEFERRED;
  return { ids: added.map(({ id }) => id as Id), defer, deferred };
}

test('updateWorkItemStatus that meets its limit says so and up to which item it came, and the next call goes on from there', async () => {
  const { ids, defer, deferred } = await createFullQueue(atOnce + 200);
  const first = await defer(0);
  expect(first).toMatchObject({ selected: atOnce, changed: atOnce, isMore: true, lastId: ids[atOnce - 1] });
  expect(await deferred()).toBe(atOnce);
  const second = await defer(first.lastId ?? 0);
  expect(second).toMatchObject({ selected: 200, changed: 200, isMore: false });
  expect(second).not.toHaveProperty('lastId');
  expect(await deferred()).toBe(ids.length);
});

test('updateWorkItemStatus counts in a trial as far as the call would come', async () => {
  const { ids, defer, deferred } = await createFullQueue(atOnce + 1);
  const trial = await defer(0, { dryRun: true });
  expect(trial).toMatchObject({ changed: atOnce, isMore: true, lastId: ids[atOnce - 1] });
  expect(await deferred()).toBe(0);
  expect(await defer(0)).toEqual({ ...trial, dryRun: false, batchId: expect.any(Number) });
});

test.each([limit, atOnce])(
  'updateWorkItemStatus of %i items, all there are, has left nothing',
  async (items) => {
    const { defer, deferred } = await createFullQueue(items);
    const outcome = await defer(0);
    expect(outcome).toMatchObject({ selected: items, changed: items, isMore: false });
    expect(outcome).not.toHaveProperty('lastId');
    expect(await deferred()).toBe(items);
  },
);

test('updateWorkItemStatus with ids goes on from where it came as well', async () => {
  const { ids, defer, deferred } = await createFullQueue(atOnce + 5);
  const first = await defer(0, { filter: undefined, ids: ids.toReversed() } as never);
  expect(first).toMatchObject({ changed: atOnce, isMore: true, lastId: ids[atOnce - 1] });
  const rest = ids.filter((id) => id > (first.lastId ?? 0));
  expect(await defer(0, { filter: undefined, ids: rest } as never)).toMatchObject({
    changed: 5,
    isMore: false,
  });
  expect(await deferred()).toBe(ids.length);
});
