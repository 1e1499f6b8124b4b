import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { finish, held, letLapse, pathOf, read, timeline } from '../testing/work.ts';

const app = await startApp();

/** Has a device of its own claim the only item of the queue and fall silent; answers the item as it is then, and the device. */
async function lapseOnce(queue: QueueFixture) {
  const deviceId = await queue.device();
  const [claimed] = await queue.claim(1, { deviceId });
  await letLapse(app, claimed);
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

describe('returnLapsedItems', () => {
  test('returnLapsedItems fails an item whose holders fall silent one after the other, and tells which and when', async () => {
    const queue = await createPoisoned({ lapseLimit: 3, autoRetryLimit: 9 });
    const [first, second] = [await lapseOnce(queue), await lapseOnce(queue)];
    expect([first, second].map(({ item }) => [item.status, item.lapseCount])).toEqual([
      ['NEW', 1],
      ['NEW', 2],
    ]);
    const { item, deviceId } = await lapseOnce(queue);
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

  test('returnLapsedItems has no limit with a lapseLimit of 0', async () => {
    const queue = await createPoisoned({ lapseLimit: 0 });
    for (let lapses = 1; lapses <= 7; lapses += 1) {
      expect((await lapseOnce(queue)).item).toMatchObject({ status: 'NEW', lapseCount: lapses });
    }
  });

  test('returnLapsedItems counts five lapses unless the queue says otherwise, and explainWorkItem says how far it is', async () => {
    const queue = await createPoisoned({});
    for (let lapses = 1; lapses < 5; lapses += 1) await lapseOnce(queue);
    const [waiting] = (await queue.owner.call.listWorkItems({ path: queue.path, body: {} })).body.list;
    const { body } = await queue.owner.call.explainWorkItem({ path: pathOf(queue, waiting) });
    expect(body.reasons).toContainEqual({
      code: 'LAPSED',
      sentence:
        'Its last 4 holders, one after the other, fell silent, so it was started and came back. At 5 in a row it fails.',
      facts: { lapseCount: 4, lapseLimit: 5 },
    });
    expect((await lapseOnce(queue)).item).toMatchObject({ status: 'FAILED', failureKind: 'SYSTEM' });
  });

  test('returnLapsedItems counts only what lapsed since somebody reported on the item', async () => {
    const queue = await createPoisoned({ lapseLimit: 2, autoRetryLimit: 1 });
    for (const report of [
      { status: 'NEW' },
      { status: 'FAILED', failureKind: 'SYSTEM', error: 'no paper' },
    ] as const) {
      expect((await lapseOnce(queue)).item).toMatchObject({ status: 'NEW', lapseCount: 1 });
      const [claimed] = await queue.claim();
      expect(await finish(queue, { ...held(claimed), ...report })).toMatchObject([{ status: 'NEW' }]);
      expect(await read(queue, claimed)).not.toHaveProperty('lapseCount');
    }
    await lapseOnce(queue);
    expect((await lapseOnce(queue)).item).toMatchObject({ status: 'FAILED', lapseCount: 2 });
  });
});

describe('restartWorkItem', () => {
  test('restartWorkItem gives an item that lapsed too often all its lapses again', async () => {
    const queue = await createPoisoned({ lapseLimit: 1 });
    const { item } = await lapseOnce(queue);
    expect(item.status).toBe('FAILED');
    const body = { version: item.version as number, reason: 'the screen was mended' };
    const { body: after } = await queue.owner.call.restartWorkItem({ path: pathOf(queue, item), body });
    expect(after).toMatchObject({ status: 'NEW' });
    expect(after).not.toHaveProperty('lapseCount');
    expect((await lapseOnce(queue)).item).toMatchObject({ status: 'FAILED', lapseCount: 1 });
  });
});
