import { expect, test } from 'vitest';
import * as functions from '../operations.ts';
import { startApp } from '../testing/app.ts';
import { noting, type Reading } from '../testing/buffers.ts';
import { createQueue } from '../testing/fixtures.ts';
import { createLargeQueue } from '../testing/large-queue.ts';
import { finish, held } from '../testing/work.ts';

const reading: Reading = { buffers: 0, statements: [] };
const getQueueStats = noting<'getQueueStats'>(functions.getQueueStats, reading);
const app = await startApp({}, undefined, { ...functions, getQueueStats });

test('getQueueStats finds the item that has waited longest without reading those that wait', async () => {
  const { owner, path } = await createLargeQueue(app, 20_000);
  const { body } = await owner.call.getQueueStats({ path });
  expect(body.counts).toMatchObject({ NEW: 10_000, COMPLETE: 9000, FAILED: 1000 });
  const hours = (body.oldestWaitingSeconds ?? 0) / 3600;
  // The first waiting item was created 10,001 seconds into the day before.
  expect(hours).toBeGreaterThan(24 - 2.8);
  expect(hours).toBeLessThan(24);
  expect(reading.buffers).toBeLessThan(100);
});

test('getQueueStats knows how many wait for their retry without reading these', async () => {
  const backingOff = { autoRetryLimit: 1, retryBackOff: { type: 'FIXED', seconds: 3600 } };
  const queue = await createQueue(app, backingOff);
  await queue.add(...Array.from({ length: 500 }, (_, index) => index));
  const items = await queue.claim(500);
  await finish(
    queue,
    ...items.map(
      (item) => ({ ...held(item), status: 'FAILED', failureKind: 'SYSTEM', error: 'down' }) as const,
    ),
  );
  reading.buffers = 0;
  const { body } = await queue.owner.call.getQueueStats({ path: queue.path });
  expect(body).toMatchObject({ inBackOff: 500, inDoubt: 0, nextDueOn: expect.any(String) });
  expect(reading.buffers).toBeLessThan(50);
});

test('listQueueStats says when what waits will be done, where enough was finished lately and nobody has paused it', async () => {
  const queue = await createQueue(app);
  await queue.add(...Array.from({ length: 22 }, (_, index) => index));
  const { owner, path, id } = queue;
  const asked = { filter: { operator: 'eq', field: 'id', value: id } };
  const end = async () => (await owner.call.listQueueStats({ body: asked })).body.list[0]?.expectedEndOn;
  expect(await end()).toBeUndefined();
  const items = await queue.claim(12);
  await app.sql(`update work_items set started_on = now() - interval '10 minutes' where queue_id = $1`, [id]);
  await finish(queue, ...items.map((item) => ({ ...held(item), status: 'COMPLETE' }) as const));
  // Twelve that took ten minutes each, in fifteen minutes: eight at once, so the ninth and tenth come in a second turn.
  const minutes = (Date.parse((await end()) ?? '') - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(10);
  expect(minutes).toBeLessThan(20);
  const [listed, own] = [await end(), (await owner.call.getQueueStats({ path })).body.expectedEndOn];
  expect(Math.abs(Date.parse(own ?? '') - Date.parse(listed ?? ''))).toBeLessThan(600_000);
  await owner.call.pauseQueue({ path, body: { reason: 'SAP is down' } });
  expect(await end()).toBeUndefined();
});
