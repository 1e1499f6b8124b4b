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
