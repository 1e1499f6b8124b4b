import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { pathOf, read } from '../../testing/work.ts';

const app = await startApp();
const hour = { type: 'DURATION', duration: 1, durationUnit: 'HOURS' };

/** Moves the date at which a queue expires into the past. */
async function letPass({ id }: QueueFixture): Promise<void> {
  const past = { type: 'DATE', date: '2020-01-01T00:00:00.000Z' };
  await app.sql('update queues set expiry = $2 where id = $1', [id, past]);
}

async function expiredItem(expiry: Schemas['QueueExpiry']) {
  const queue = await createQueue(app, { expiry });
  const [added] = await queue.add(1);
  await app.sql(`update work_items set expires_on = now() - interval '1 s' where id = $1`, [added?.id]);
  const item = await eventually(
    () => read(queue, added),
    ({ status }) => status === 'FAILED',
  );
  return { queue, item };
}

test('createWorkItems and createWorkItemsFromFile refuse items that would expire at once, and say so', async () => {
  const queue = await createQueue(app, { expiry: { type: 'DATE', date: '2099-01-01T00:00:00Z' } });
  await letPass(queue);
  const workItems = [{ json: { customer: 'late' } }];
  const file = new Blob(['customer\nlate\n'], { type: 'text/csv' });
  const refused = [
    await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } }),
    await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } }),
  ];
  for (const { status, error } of refused) {
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(error.message).toContain('would expire at once, since its expiry, 2020-01-01T00:00:00.000Z');
  }
});

test('updateWorkItem and updateWorkItemStatus give an item that has expired a new expiry when they defer it', async () => {
  for (const isBulk of [false, true]) {
    const { queue, item } = await expiredItem(hour);
    const { call } = queue.owner;
    const { id = 0, version = 0 } = item;
    const single = { id, queueId: queue.id, version, status: 'DEFERRED' } as const;
    if (isBulk) await call.updateWorkItemStatus({ path: queue.path, body: { action: 'DEFER', ids: [id] } });
    else await call.updateWorkItem({ path: pathOf(queue, item), body: single });
    const deferred = await read(queue, item);
    expect(deferred).toMatchObject({ status: 'DEFERRED' });
    expect(deferred).not.toHaveProperty('error');
    expect(Date.parse(deferred.expiresOn ?? '')).toBeGreaterThan(Date.parse(deferred.updatedOn ?? ''));
  }
});

test('updateWorkItemStatus defers nothing that would expire at once, and nothing to a time that has passed', async () => {
  const { queue, item } = await expiredItem(hour);
  await letPass(queue);
  const [waiting] = [await createQueue(app)];
  const [other] = await waiting.add(1);
  const bulk = async (where: QueueFixture, body: Omit<Schemas['BulkRequest'], 'action'>) =>
    (await where.owner.call.updateWorkItemStatus({ path: where.path, body: { action: 'DEFER', ...body } }))
      .body;
  expect((await bulk(queue, { ids: [item.id as number] })).refusals).toMatchObject([
    { code: 'STATUS_CONFLICT', message: expect.stringContaining('would expire at once') },
  ]);
  const past = { ids: [other?.id as number], deferredUntil: '2020-01-01T00:00:00Z' };
  expect((await bulk(waiting, past)).refusals).toMatchObject([
    { code: 'INVALID_REQUEST', message: expect.stringContaining('deferredUntil has passed') },
  ]);
});

test('updateQueue has its new expiry reach the items that are there, and expires none of them at once', async () => {
  const queue = await createQueue(app, { expiry: hour });
  const [old, young] = await queue.add(1, 2);
  // As if it had waited for days.
  const arrival = `overlay(sort_key placing int8send((extract(epoch from now() - interval '2 days') * 1000)::bigint) from length(sort_key) - 7)`;
  await app.sql(`update work_items set sort_key = ${arrival} where id = $1`, [old?.id]);
  const settle = async (expiry: Schemas['QueueExpiry']) => {
    const { version = 0 } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const changed = await queue.owner.call.updateQueue({ path: queue.path, body: { version, expiry } });
    expect(changed.body).toMatchObject({ rekeying: true });
    await eventually(
      async () => (await queue.owner.call.getQueue({ path: queue.path })).body,
      ({ rekeying }) => !rekeying,
    );
    return Promise.all([read(queue, old), read(queue, young)]);
  };
  for (const item of await settle({ type: 'NONE' })) expect(item).not.toHaveProperty('expiresOn');
  const [late, soon] = await settle({ type: 'DURATION', duration: 1, durationUnit: 'DAYS' });
  const dayMs = 86_400_000;
  expect(Date.parse(soon?.expiresOn ?? '')).toBe(Date.parse(young?.createdOn ?? '') + dayMs);
  // Counted from its arrival it would have expired: it is counted from the change.
  expect(Date.parse(late?.expiresOn ?? '')).toBeGreaterThan(Date.parse(old?.createdOn ?? '') + dayMs);
  expect(late).toMatchObject({ status: 'NEW', version: 0, updatedOn: old?.updatedOn });
  const date = '2099-01-01T00:00:00.000Z';
  expect(await settle({ type: 'DATE', date })).toMatchObject([{ expiresOn: date }, { expiresOn: date }]);
});

test('updateQueue leaves the expiry of items alone when it changes their order', async () => {
  const queue = await createQueue(app, { expiry: hour });
  const [item] = await queue.add(1);
  await app.sql(`update work_items set expires_on = '2099-01-01' where id = $1`, [item?.id]);
  const body = { version: 0, workItemProcessingOrders: ['amount'] };
  await queue.owner.call.updateQueue({ path: queue.path, body });
  await eventually(
    async () => (await queue.owner.call.getQueue({ path: queue.path })).body,
    ({ rekeying }) => !rekeying,
  );
  expect((await read(queue, item)).expiresOn).toBe('2099-01-01T00:00:00.000Z');
});
