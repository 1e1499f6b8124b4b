import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { complete, createDevice, createLine, type DeviceFixture } from '../testing/dispatch.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

/** Opens a call that waits for work; once this resolves, the call has looked and found none. */
async function waitAt(runner: DeviceFixture): Promise<{ readonly answer: Promise<Schemas['WorkItem'][]> }> {
  const answer = runner.ask({ waitSeconds: 60 });
  await runner.ask({ count: 1 });
  return { answer };
}

// Waiting calls look by themselves every few seconds: without wake-ups, these rounds would outlast the test.
const rounds = 20;

describe('requestWork while a change keeps out who writes the items of a queue', () => {
  /** Locks the queue, like a change that compares its items; returns the function that ends it. */
  async function keepOut(queueId: unknown): Promise<() => Promise<void>> {
    const keeper = new pg.Client(app.connection);
    await keeper.connect();
    await keeper.query('begin');
    await keeper.query('select from queues where id = $1 for update', [queueId]);
    return () => keeper.end();
  }

  test('requestWork gives items of other queues meanwhile, and those of the queue afterwards', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { lines } = await createLine(app, [runner], { queues: 2 });
    const [kept, open] = lines.map(({ queue }) => queue) as [QueueFixture, QueueFixture];
    await kept.add(1);
    await open.add(2);
    const letGo = await keepOut(kept.id);
    expect(await runner.ask()).toMatchObject([{ queueId: open.id }]);
    await letGo();
    expect(await runner.ask()).toMatchObject([{ queueId: kept.id }]);
  });

  test('requestWork that waits is woken by updateQueue when it has compared the items', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue }] = lines as [(typeof lines)[0]];
    for (let round = 0; round < rounds; round += 1) {
      await queue.add(round);
      const letGo = await keepOut(queue.id);
      const call = await waitAt(runner);
      const uniqueBy = [round % 2 === 0 ? 'amount' : 'customer'];
      const { version = 0 } = (await queue.owner.call.getQueue({ path: queue.path })).body;
      const body = { version, disallowDuplicate: true, uniqueBy };
      const changed = queue.owner.call.updateQueue({ path: queue.path, body });
      await letGo();
      expect((await changed).status).toBe(200);
      await complete(agent, await call.answer);
    }
  });
});

describe('requestWork that waits', () => {
  test('requestWork is answered as soon as an item comes, for one device of many', async () => {
    const runners = await Promise.all(Array.from({ length: 6 }, () => createDevice(agent)));
    const { lines } = await createLine(app, runners, { queues: 2 });
    const calls = await Promise.all(runners.map((runner) => waitAt(runner)));
    for (let round = 0; round < rounds; round += 1) {
      const [added] = (await lines[round % 2]?.queue.add(round)) ?? [];
      const items = await Promise.race(calls.map(({ answer }) => answer));
      expect(items).toMatchObject([{ id: added?.id }]);
      await complete(agent, items);
      const served = runners.findIndex(({ device }) => device.id === items[0]?.deviceId);
      calls[served] = await waitAt(runners[served] as DeviceFixture);
    }
    await lines[0]?.queue.add(...runners.keys());
    const last = await Promise.all(calls.map(({ answer }) => answer));
    expect(last.map(({ length }) => length)).toEqual(runners.map(() => 1));
  });

  test('requestWork gives items that came while the device was away when it returns', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { lines } = await createLine(app, [runner]);
    const items = await lines[0]?.queue.add(1, 2);
    expect(await runner.ask({ waitSeconds: 60 })).toMatchObject(items?.map(({ id }) => ({ id })) ?? []);
  });

  test('requestWork hears of an automation, a pool and a label that the device had not before', async () => {
    for (let round = 0; round < rounds / 2; round += 1) {
      const runner = await createDevice(agent);
      const queue = await createQueue(app);
      await queue.add(1);
      const call = await waitAt(runner);
      const pool = await createPool(app, [runner.device]);
      await createAutomation(app, queue, pool, { labels: ['sap'] });
      await app.admin.updateDevice({ path: runner.path, body: { version: 0, labels: ['sap'] } });
      expect(await call.answer).toHaveLength(1);
    }
  });

  test('requestWork hears that a queue goes on that was paused', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue }] = lines as [(typeof lines)[0]];
    for (let round = 0; round < rounds / 2; round += 1) {
      await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'month end' } });
      await queue.add(round);
      const call = await waitAt(runner);
      await queue.owner.call.resumeQueue({ path: queue.path, body: {} });
      await complete(agent, await call.answer);
    }
  });

  test('requestWork hears that the threshold of a queue was lowered', async () => {
    const runner = await createDevice(agent);
    const pool = await createPool(app, [runner.device]);
    const queue = await createQueue(app, { reactivationUnit: 'COUNT' });
    await createAutomation(app, queue, pool);
    const change = async (reactivationThreshold: number, version: number) => {
      const body = { version, reactivationThreshold };
      expect((await app.admin.updateQueue({ path: queue.path, body })).status).toBe(200);
    };
    for (let round = 0; round < rounds / 2; round += 1) {
      await change(2, 2 * round);
      await queue.add(round);
      const call = await waitAt(runner);
      await change(1, 2 * round + 1);
      await complete(agent, await call.answer);
    }
  });

  test('requestWork hears that an automation goes on that was stopped', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue, automation }] = lines as [(typeof lines)[0]];
    const path = { id: Number(automation.id) };
    for (let round = 0; round < rounds / 2; round += 1) {
      const version = 2 * round;
      await app.admin.updateAutomation({
        path,
        body: { version, status: 'STOPPED', statusReason: 'month end' },
      });
      await queue.add(round);
      const call = await waitAt(runner);
      await app.admin.updateAutomation({ path, body: { version: version + 1, status: 'ACTIVE' } });
      await complete(agent, await call.answer);
    }
  });

  test('requestWork is answered with the state of a device that is drained meanwhile', async () => {
    for (let round = 0; round < rounds / 2; round += 1) {
      const runner = await createDevice(agent);
      const answer = agent.call.requestWork({ path: runner.path, body: { waitSeconds: 60 } });
      await runner.ask();
      await app.admin.drainDevice({ path: runner.path, body: { reason: 'patched tonight' } });
      expect((await answer).body).toEqual({ state: 'DRAINING', stateReason: 'patched tonight', list: [] });
      expect(
        (await agent.call.requestWork({ path: runner.path, body: { waitSeconds: 60 } })).body.list,
      ).toEqual([]);
    }
  });

  test.each([
    ['drainDevice', 'DRAINING'],
    ['quarantineDevice', 'QUARANTINED'],
  ] as const)(
    'requestWork after %s waits, of a device that knows, until it may work again',
    async (hold, state) => {
      const runner = await createDevice(agent);
      const { lines } = await createLine(app, [runner]);
      await app.admin[hold]({ path: runner.path, body: { reason: 'patched tonight' } });
      await lines[0]?.queue.add(1);
      const ask = (waitSeconds: number) =>
        agent.call.requestWork({ path: runner.path, body: { waitSeconds, state } });
      expect((await ask(0)).body).toEqual({ state, stateReason: 'patched tonight', list: [] });
      const answer = ask(60);
      await runner.ask();
      await app.admin.resumeDevice({ path: runner.path });
      expect((await answer).body).toMatchObject({ state: 'ACTIVE', list: [{ status: 'IN_PROGRESS' }] });
    },
  );

  test('requestWork of a device that takes itself for held is answered at once when it is not', async () => {
    const runner = await createDevice(agent);
    const body = { waitSeconds: 60, state: 'DRAINING' } as const;
    const answer = await agent.call.requestWork({ path: runner.path, body });
    expect(answer.body).toEqual({ state: 'ACTIVE', list: [] });
  });

  test('requestWork hears that a slot of the device is free again', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(...Array.from({ length: rounds }, (_, index) => index));
    let items = await runner.ask();
    for (let round = 1; round < rounds; round += 1) {
      const call = await waitAt(runner);
      await complete(agent, items);
      items = await call.answer;
      expect(items).toHaveLength(1);
    }
  });

  test('requestWork hears that a run-as user is free again, whichever queue the user was needed for', async () => {
    const robot = await app.user('robot');
    const runners = [await createDevice(agent), await createDevice(agent)] as const;
    const lines = [
      await createLine(app, [runners[0]], {}, () => ({ runAsUserIds: [robot.id] })),
      await createLine(app, [runners[1]], {}, () => ({ runAsUserIds: [robot.id] })),
    ] as const;
    const amounts = Array.from({ length: rounds / 2 }, (_, index) => index);
    for (const {
      lines: [line],
    } of lines)
      await line?.queue.add(...amounts);
    let items = await runners[0].ask();
    for (let round = 1; round < rounds; round += 1) {
      const call = await waitAt(runners[round % 2 === 0 ? 0 : 1]);
      await complete(agent, items);
      items = await call.answer;
      expect(items).toMatchObject([{ runAsUser: { username: 'robot' } }]);
    }
  });

  test('requestWork wakes all devices that a queue may be started on, when the last item makes it start', async () => {
    const runners = await Promise.all(Array.from({ length: 12 }, () => createDevice(agent)));
    const pool = await createPool(
      app,
      runners.map(({ device }) => device),
    );
    const queue = await createQueue(app, { reactivationUnit: 'COUNT', reactivationThreshold: 12 });
    await createAutomation(app, queue, pool);
    for (let round = 0; round < 3; round += 1) {
      const calls = await Promise.all(runners.map((runner) => waitAt(runner)));
      for (let amount = 0; amount < 12; amount += 1) await queue.add(amount);
      const items = (await Promise.all(calls.map(({ answer }) => answer))).flat();
      expect(items).toHaveLength(12);
      await complete(agent, items);
    }
  });

  test('requestWork ends with an empty list when none came, and when the server stops', async () => {
    const runner = await createDevice(agent);
    expect(await runner.ask({ waitSeconds: 0.2 })).toEqual([]);
    const call = await waitAt(runner);
    await app.stop();
    expect(await call.answer).toEqual([]);
  });
});
