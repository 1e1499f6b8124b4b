import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { finish, held, letLeaseExpire, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();

/** Has a device of its own claim the only item of the queue and fall silent; returns the item after that, and the device. */
async function expireOnce(queue: QueueFixture) {
  const deviceId = await queue.device();
  const [claimed] = await queue.claim(1, { deviceId });
  await letLeaseExpire(app, claimed);
  const item = await eventually(
    () => read(queue, claimed),
    ({ status }) => status !== 'IN_PROGRESS',
  );
  return { item, deviceId };
}

async function createPoisoned(settings: Partial<Schemas['NewQueue']>) {
  const queue = await createQueue(app, settings);
  await queue.add(1);
  return queue;
}

describe('reclaimExpiredLeases', () => {
  test('reclaimExpiredLeases fails an item whose holders fall silent one after the other, and tells which and when', async () => {
    const queue = await createPoisoned({ lapseLimit: 3, autoRetryLimit: 9 });
    const [first, second] = [await expireOnce(queue), await expireOnce(queue)];
    expect([first, second].map(({ item }) => [item.status, item.lapseCount])).toEqual([
      ['NEW', 1],
      ['NEW', 2],
    ]);
    const { item, deviceId } = await expireOnce(queue);
    expect(item).toMatchObject({ status: 'FAILED', failureKind: 'SYSTEM', lapseCount: 3, retryCount: 0 });
    const devices = [first.deviceId, second.deviceId, deviceId];
    expect(item.error).toContain('The lease ran out 3 times in a row');
    for (const id of devices) expect(item.error).toMatch(new RegExp(`on device ${id} until \\d{4}-`));
    expect(item.attempts?.map((attempt) => [attempt.deviceId, attempt.outcome])).toEqual(
      devices.map((id) => [id, 'LAPSED']),
    );
    expect((await timeline(queue, item)).at(-1)).toMatchObject({
      operation: 'returnLapsedItems',
      actorId: 0,
      from: 'IN_PROGRESS',
      to: 'FAILED',
      deviceId,
      reason: item.error,
      changes: { transition: 'exhaust', failureKind: 'SYSTEM', lapseCount: 3 },
    });
    const { body } = await queue.owner.call.explainWorkItem({ path: pathOf(queue, item) });
    expect(body.code).toBe('FAILED');
    expect(body.sentence).toContain('The lease ran out 3 times in a row');
    expect(body.sentence).toContain('No other device gets it.');
    expect(await queue.claim()).toEqual([]);
  });

  test('reclaimExpiredLeases takes only the items whose lease is over', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    const [running, silent] = await queue.claim(2, { leaseSeconds: 3600 });
    await letLeaseExpire(app, silent);
    await eventually(
      () => read(queue, silent),
      ({ status }) => status === 'NEW',
    );
    expect(await read(queue, running)).toMatchObject({ status: 'IN_PROGRESS', version: 1 });
  });

  test('reclaimExpiredLeases has no limit with a lapseLimit of 0', async () => {
    const queue = await createPoisoned({ lapseLimit: 0 });
    for (let expiries = 1; expiries <= 7; expiries += 1) {
      expect((await expireOnce(queue)).item).toMatchObject({ status: 'NEW', lapseCount: expiries });
    }
  });

  test('reclaimExpiredLeases counts five expired leases unless the queue says otherwise, and explainWorkItem says how far it is', async () => {
    const queue = await createPoisoned({});
    for (let expiries = 1; expiries < 5; expiries += 1) await expireOnce(queue);
    const [waiting] = (await queue.owner.call.listWorkItems({ path: queue.path, body: {} })).body.list;
    const { body } = await queue.owner.call.explainWorkItem({ path: pathOf(queue, waiting) });
    expect(body.reasons).toContainEqual({
      code: 'LAPSED',
      sentence:
        'Its last 4 holders, one after the other, fell silent, so it was started and came back. At 5 in a row it fails.',
      facts: { lapseCount: 4, lapseLimit: 5 },
    });
    expect((await expireOnce(queue)).item).toMatchObject({ status: 'FAILED', failureKind: 'SYSTEM' });
  });

  test('reclaimExpiredLeases counts only the leases that expired since somebody reported on the item', async () => {
    const queue = await createPoisoned({ lapseLimit: 2, autoRetryLimit: 1 });
    for (const report of [
      { status: 'NEW' },
      { status: 'FAILED', failureKind: 'SYSTEM', error: 'no paper' },
    ] as const) {
      expect((await expireOnce(queue)).item).toMatchObject({ status: 'NEW', lapseCount: 1 });
      const [claimed] = await queue.claim();
      expect(await finish(queue, { ...held(claimed), ...report })).toMatchObject([{ status: 'NEW' }]);
      expect(await read(queue, claimed)).not.toHaveProperty('lapseCount');
    }
    await expireOnce(queue);
    expect((await expireOnce(queue)).item).toMatchObject({ status: 'FAILED', lapseCount: 2 });
  });
});

describe('restartWorkItem', () => {
  test('restartWorkItem counts the expired leases of an item from zero again', async () => {
    const queue = await createPoisoned({ lapseLimit: 1 });
    const { item } = await expireOnce(queue);
    expect(item.status).toBe('FAILED');
    const body = { version: item.version as number, reason: 'the screen was mended' };
    const { body: after } = await queue.owner.call.restartWorkItem({ path: pathOf(queue, item), body });
    expect(after).toMatchObject({ status: 'NEW' });
    expect(after).not.toHaveProperty('lapseCount');
    expect((await expireOnce(queue)).item).toMatchObject({ status: 'FAILED', lapseCount: 1 });
  });
});
