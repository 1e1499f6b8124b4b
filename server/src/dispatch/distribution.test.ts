import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { createQueue } from '../testing/fixtures.ts';
import { complete, createDevice, createLine, type DeviceFixture } from '../testing/dispatch.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

const many = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Has the device complete this number of items, one after the other; returns their queues. */
async function workOff(runner: DeviceFixture, count: number): Promise<unknown[]> {
  const queues: unknown[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const items = await runner.ask();
    queues.push(...items.map(({ queueId }) => queueId));
    await complete(agent, items);
  }
  return queues;
}

describe('requestWork by the scheme of the pool', () => {
  test('requestWork in a pool with FAIR keeps all devices busy and shares them by weight', async () => {
    const runners = await Promise.all(many(8).map(() => createDevice(agent)));
    const weights = [1, 1, 2];
    const { lines } = await createLine(app, runners, { queues: 3, scheme: 'FAIR' }, (index) => ({
      weight: weights[index] as number,
    }));
    for (const { queue } of lines) await queue.add(...many(8));
    const items = (await Promise.all(runners.map((runner) => runner.ask()))).flat();
    const counts = lines.map(({ queue }) => items.filter(({ queueId }) => queueId === queue.id).length);
    expect(counts).toEqual([2, 2, 4]);
  });

  test('requestWork in a pool with FAIR gives queues turns by weight on one slot', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner], { queues: 2, scheme: 'FAIR' }, (index) => ({
      weight: index === 0 ? 1 : 3,
    }));
    for (const { queue } of lines) await queue.add(...many(12));
    const queues = await workOff(runner, 12);
    expect(queues.filter((id) => id === lines[0]?.queue.id)).toHaveLength(3);
  });

  test('requestWork in a pool with PRIORITY passes over nothing of higher priority', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner], { queues: 2, scheme: 'PRIORITY' }, (index) => ({
      priority: index === 0 ? 2 : 8,
    }));
    const [low, high] = lines.map(({ queue }) => queue) as [QueueOf, QueueOf];
    await low.add(...many(4));
    await high.add(...many(2));
    expect(await workOff(runner, 3)).toEqual([high.id, high.id, low.id]);
    await high.add(3);
    expect(await workOff(runner, 2)).toEqual([high.id, low.id]);
  });

  test('requestWork in a pool with ROUND_ROBIN stays with a queue for its time slice, or until it is empty', async () => {
    const runner = await createDevice(agent);
    const { pool, lines } = await createLine(app, [runner], {
      queues: 3,
      scheme: 'ROUND_ROBIN',
      timeSliceSeconds: 86_400,
    });
    const [one, two, three] = lines.map(({ queue }) => queue) as [QueueOf, QueueOf, QueueOf];
    await one.add(...many(2));
    await two.add(...many(9));
    await three.add(...many(9));
    expect(await workOff(runner, 4)).toEqual([one.id, one.id, two.id, two.id]);
    await one.add(...many(9));
    expect(await workOff(runner, 2)).toEqual([two.id, two.id]);
    for (const next of [three, one, two]) {
      await app.sql(`update pools set slice_started_on = slice_started_on - interval '1 day' where id = $1`, [
        pool.id,
      ]);
      expect(await workOff(runner, 2)).toEqual([next.id, next.id]);
    }
  });

  type QueueOf = Awaited<ReturnType<typeof createQueue>>;
});

describe('requestWork by the threshold of the queue', () => {
  async function guarded(settings: Partial<Schemas['NewQueue']>) {
    const runners = await Promise.all(many(4).map(() => createDevice(agent)));
    const pool = await createPool(
      app,
      runners.map(({ device }) => device),
    );
    const queue = await createQueue(app, settings);
    await createAutomation(app, queue, pool);
    const ask = (index: number) => (runners[index] as DeviceFixture).ask();
    return { queue, ask };
  }

  test('requestWork with PERCENT starts one device, and others when less of the reactivation cycle waits', async () => {
    const { queue, ask } = await guarded({ reactivationUnit: 'PERCENT', reactivationThreshold: 50 });
    await queue.add(...many(6));
    for (const _ of many(3)) {
      const items = await ask(0);
      expect(items).toHaveLength(1);
      expect(await ask(1)).toEqual([]);
      await complete(agent, items);
    }
    // Of six items, the fourth brings the number of waiting ones down to two.
    expect(await ask(0)).toHaveLength(1);
    expect(await ask(1)).toHaveLength(1);
    expect(await ask(2)).toHaveLength(1);
    expect(await ask(3)).toEqual([]);
  });

  test('requestWork with a PERCENT of 0 never starts a second device', async () => {
    const { queue, ask } = await guarded({ reactivationUnit: 'PERCENT', reactivationThreshold: 0 });
    await queue.add(...many(3));
    const items = await ask(0);
    expect(await ask(1)).toEqual([]);
    await complete(agent, items);
    expect(await ask(1)).toHaveLength(1);
  });

  test('requestWork with COUNT starts a drained queue when so many wait, and goes on until it is drained', async () => {
    const { queue, ask } = await guarded({ reactivationUnit: 'COUNT', reactivationThreshold: 3 });
    await queue.add(1, 2);
    expect(await ask(0)).toEqual([]);
    await queue.add(3);
    const items = [...(await ask(0)), ...(await ask(1))];
    expect(items).toHaveLength(2);
    await queue.add(4);
    items.push(...(await ask(2)), ...(await ask(3)));
    expect(items).toHaveLength(4);
    await complete(agent, items);
    await queue.add(5, 6);
    expect(await ask(0)).toEqual([]);
    await queue.add(7);
    expect(await ask(0)).toHaveLength(1);
  });

  test.each([
    ['deleted', { action: 'DELETE' }],
    ['deferred', { action: 'DEFER' }],
    ['moved', { action: 'MOVE' }],
  ] as const)(
    'updateWorkItemStatus drains a queue whose items are %s while no device asks',
    async (_, how) => {
      const { queue, ask } = await guarded({ reactivationUnit: 'COUNT', reactivationThreshold: 2 });
      const workItemModelId = Number((await app.admin.getQueue({ path: queue.path })).body.workItemModelId);
      const others = await createQueue(app, { workItemModelId });
      const [, ...rest] = await queue.add(1, 2, 3);
      expect(await ask(0)).toHaveLength(1);
      const target = how.action === 'MOVE' ? { queueId: others.id } : {};
      const drained = { ...how, ...target, ids: rest.map(({ id }) => Number(id)) };
      const { body } = await app.admin.updateWorkItemStatus({ path: queue.path, body: drained });
      expect(body.changed).toBe(2);
      await queue.add(4);
      expect(await ask(1)).toEqual([]);
      await queue.add(5);
      expect(await ask(1)).toHaveLength(1);
    },
  );

  test('claimWorkItems that finds a queue empty drains it', async () => {
    const { queue, ask } = await guarded({ reactivationUnit: 'COUNT', reactivationThreshold: 2 });
    await queue.add(1, 2);
    expect(await ask(0)).toHaveLength(1);
    expect(await queue.claim(2)).toHaveLength(1);
    await queue.add(3);
    expect(await ask(1)).toEqual([]);
  });

  test('claimWorkItems is not subject to the threshold', async () => {
    const { queue } = await guarded({ reactivationUnit: 'COUNT', reactivationThreshold: 100 });
    await queue.add(1);
    expect(await queue.claim()).toHaveLength(1);
  });

  test('requestWork does not take a paused queue for a drained one', async () => {
    const { queue, ask } = await guarded({ reactivationUnit: 'COUNT', reactivationThreshold: 3 });
    await queue.add(1, 2, 3);
    expect(await ask(0)).toHaveLength(1);
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'month end' } });
    expect(await ask(1)).toEqual([]);
    await queue.owner.call.resumeQueue({ path: queue.path, body: {} });
    expect(await ask(1)).toHaveLength(1);
  });
});
