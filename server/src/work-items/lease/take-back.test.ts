import { afterAll, expect, test } from 'vitest';
import type { Id } from '@millrace/api';
import { openPool, transaction } from '../../engine/db.ts';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { takeBackItems } from './take-back.ts';

const app = await startApp();
const pool = openPool(app.connection, 2);
afterAll(() => pool.end());

const device = await (await createQueue(app)).device();

/** Takes items back in the same way as the quarantine of a device in its transaction; returns their outcomes, by id. */
async function takeBack(queue: QueueFixture, itemIds: readonly Id[]): Promise<Map<Id, string>> {
  const why = { operation: 'quarantineDevice', actorId: queue.owner.id, reason: 'the screen is broken' };
  const taken = await transaction(pool, async (db, clock) => {
    const context = { db, now: await clock, wake: () => undefined };
    return takeBackItems(context, { queueId: queue.id, deviceId: device, itemIds }, why);
  });
  return new Map(taken.map(({ id, status, failureKind }) => [id, failureKind ?? status]));
}

test('takeBackItems has items of a device done by others, but what is cancelled or past return ends', async () => {
  const queue = await createQueue(app);
  await queue.add(1, 2, 3);
  const items = await queue.claim(3, { deviceId: device });
  const [plain, cancelled, passed] = items.map(({ id }) => id as number);
  const path = { ...queue.path, workItemId: cancelled as number };
  expect((await queue.owner.call.cancelWorkItem({ path, body: {} })).status).toBe(200);
  const leases = [{ id: passed as number, version: 1, pointOfNoReturn: true } as const];
  await queue.consumer.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
  const ends = await takeBack(queue, [plain as number, cancelled as number, passed as number]);
  expect(ends).toEqual(
    new Map([
      [plain, 'NEW'],
      [cancelled, 'BUSINESS'],
      [passed, 'IN_DOUBT'],
    ]),
  );
  const { body } = await queue.owner.call.listWorkItemEvents({
    path: { ...queue.path, workItemId: plain as number },
  });
  expect(body.attempts).toMatchObject([
    { number: 1, deviceId: device, outcome: 'TAKEN_BACK', error: 'the screen is broken' },
  ]);
  expect(body.list.at(-1)).toMatchObject({ operation: 'quarantineDevice', actorId: queue.owner.id });
  expect(await queue.claim(3)).toMatchObject([{ id: plain, retryCount: 0 }]);
  // A quarantined device is no sign that the item brings devices down.
  expect(await app.sql('select lapse_count from work_items where id = $1', [plain])).toEqual([
    { lapse_count: null },
  ]);
});

test('takeBackItems leaves alone what the device does not hold any more', async () => {
  const queue = await createQueue(app);
  await queue.add(1, 2, 3);
  const [other] = await queue.claim(1, { deviceId: await queue.device() });
  const [done] = await queue.claim(1, { deviceId: device });
  const results = [{ id: done?.id as number, version: 1, status: 'COMPLETE' } as const];
  await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
  expect(await takeBack(queue, [other?.id as number, done?.id as number, 987_654])).toEqual(new Map());
});
