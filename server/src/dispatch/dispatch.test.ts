import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { createQueue, eventually } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';
import { complete, createDevice, createLine } from '../testing/dispatch.ts';

let app: App;
/** Registers devices, and belongs to no queue. */
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  const role = await app.admin.createRole({
    body: { name: 'Agents', permissions: ['useQueues', 'runDevice'] },
  });
  expect(role.status, JSON.stringify(role.error)).toBe(200);
  agent = await app.user('agent', ['Agents']);
});

describe('requestWork', () => {
  test('requestWork answers the next item of a queue with its automation, its bot and its lease', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue, automation }] = lines as [(typeof lines)[0]];
    const [first] = await queue.add(7, 8);
    const { status, body } = await agent.call.requestWork({ path: runner.path, body: { leaseSeconds: 600 } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'ACTIVE',
      list: [{ id: first?.id, status: 'IN_PROGRESS', version: 1 }],
    });
    const [item] = body.list;
    expect(item).toMatchObject({
      queueId: queue.id,
      deviceId: runner.device.id,
      automationId: String(automation.id),
      botName: 'bot',
      json: { amount: 7 },
    });
    expect(item?.runAsUser).toBeUndefined();
    expect(Date.parse(item?.leaseExpiresOn ?? '')).toBeGreaterThan(
      Date.parse(item?.startTime ?? '') + 500_000,
    );
  });

  test('requestWork tells of itself in the timeline, and the device is busy until the report', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue }] = lines as [(typeof lines)[0]];
    await queue.add(1);
    const items = await runner.ask();
    const busySlots = async () => (await app.admin.getDevice({ path: runner.path })).body.busySlots;
    expect(await busySlots()).toBe(1);
    await complete(agent, items);
    expect(await busySlots()).toBe(0);
    const { body } = await app.admin.listWorkItemEvents({
      path: { ...queue.path, workItemId: items[0]?.id as number },
    });
    expect(body.list.map(({ operation, deviceId }) => [operation, deviceId])).toEqual([
      ['createWorkItems', undefined],
      ['requestWork', runner.device.id],
      ['finishWorkItems', runner.device.id],
    ]);
  });

  test('requestWork gives no more items than asked for, nor than the device has free slots', async () => {
    const runner = await createDevice(agent, { slots: 3 });
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(1, 2, 3, 4, 5);
    const first = await runner.ask({ count: 1 });
    const second = await runner.ask({ count: 100 });
    expect([first.length, second.length]).toEqual([1, 2]);
    expect(await runner.ask()).toEqual([]);
    await complete(agent, first);
    expect(await runner.ask()).toHaveLength(1);
  });

  test('requestWork lets calls for one device share its free slots', async () => {
    const runner = await createDevice(agent, { slots: 4 });
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(1, 2, 3, 4, 5, 6, 7, 8);
    const answers = await Promise.all(Array.from({ length: 6 }, () => runner.ask({ count: 2 })));
    expect(answers.flat()).toHaveLength(4);
  });

  test('requestWork gives a device nothing that it lacks a pool, a label or a bot for', async () => {
    const runners = [
      await createDevice(agent, { labels: ['sap'] }),
      await createDevice(agent, { labels: ['sap', 'germany'], bots: ['other'] }),
      await createDevice(agent, { labels: ['sap', 'germany', 'more'], bots: ['other', 'bot'] }),
    ];
    const elsewhere = await createDevice(agent, { labels: ['sap', 'germany'] });
    const { lines } = await createLine(app, runners, {}, () => ({ labels: ['sap', 'germany'] }));
    await lines[0]?.queue.add(1, 2, 3, 4);
    const answers = await Promise.all([...runners, elsewhere].map((runner) => runner.ask()));
    expect(answers.map(({ length }) => length)).toEqual([0, 0, 1, 0]);
  });

  test('requestWork serves a device from all its pools', async () => {
    const runner = await createDevice(agent, { slots: 4 });
    const [one, other] = [await createLine(app, [runner]), await createLine(app, [runner])];
    await one.lines[0]?.queue.add(1, 2, 3);
    await other.lines[0]?.queue.add(4, 5, 6);
    const items = await runner.ask();
    expect(new Set(items.map(({ queueId }) => queueId)).size).toBe(2);
    expect(items.filter(({ queueId }) => queueId === one.lines[0]?.queue.id)).toHaveLength(2);
  });

  test('requestWork answers a device that is not active at once, with its state', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(1);
    const [reason, path] = ['patched tonight', runner.path];
    const ask = async () => (await agent.call.requestWork({ path, body: { waitSeconds: 60 } })).body;
    await app.admin.drainDevice({ path, body: { reason } });
    expect(await ask()).toEqual({ state: 'DRAINING', stateReason: reason, list: [] });
    await app.admin.quarantineDevice({ path, body: { reason } });
    expect(await ask()).toEqual({ state: 'QUARANTINED', stateReason: reason, list: [] });
    await app.admin.resumeDevice({ path });
    expect(await ask()).toMatchObject({ state: 'ACTIVE', list: [{ queueId: lines[0]?.queue.id }] });
  });

  test('requestWork gives what a quarantined device ran to another, as the same user', async () => {
    const robot = await app.user('robot of the quarantine');
    const [first, second] = [await createDevice(agent), await createDevice(agent)];
    const { lines } = await createLine(app, [first, second], {}, () => ({ runAsUserIds: [robot.id] }));
    await lines[0]?.queue.add(1);
    const [item] = await first.ask();
    expect(await second.ask()).toEqual([]);
    await app.admin.quarantineDevice({ path: first.path, body: { reason: 'books twice' } });
    expect(await second.ask()).toMatchObject([
      { id: item?.id, deviceId: second.device.id, runAsUser: { id: robot.id } },
    ]);
  });

  test('requestWork gives nothing of an automation that is paused or stopped, and what runs goes on', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { lines } = await createLine(app, [runner]);
    const [{ queue, automation }] = lines as [(typeof lines)[0]];
    await queue.add(1, 2);
    const items = await runner.ask({ count: 1 });
    const path = { id: Number(automation.id) };
    const hold = async (version: number, status: 'PAUSED' | 'STOPPED') =>
      app.admin.updateAutomation({ path, body: { version, status, statusReason: 'month end' } });
    expect((await hold(0, 'PAUSED')).status).toBe(200);
    expect(await runner.ask()).toEqual([]);
    expect((await hold(1, 'STOPPED')).status).toBe(200);
    expect(await runner.ask()).toEqual([]);
    await complete(agent, items);
    await app.admin.updateAutomation({ path, body: { version: 2, status: 'ACTIVE' } });
    expect(await runner.ask()).toHaveLength(1);
  });

  test('requestWork is a sign of life of the device', async () => {
    const runner = await createDevice(agent);
    await app.sql(
      `update devices set last_seen_on = now() - interval '1 hour', is_connected = false where id = $1`,
      [runner.device.id],
    );
    await runner.ask();
    const { body } = await app.admin.getDevice({ path: runner.path });
    expect(body.status).toBe('CONNECTED');
    expect(Date.parse(body.lastSeenOn)).toBeGreaterThan(Date.now() - 60_000);
  });

  test('requestWork runs items as the users of the automation, each of them once at a time', async () => {
    const [first, second] = [await app.user('robot 1'), await app.user('robot 2')];
    const runners = [await createDevice(agent, { slots: 5 }), await createDevice(agent, { slots: 5 })];
    const { pool, lines } = await createLine(app, runners, {}, () => ({
      runAsUserIds: [first.id, second.id],
    }));
    const [{ queue }] = lines as [(typeof lines)[0]];
    const sharing = await createQueue(app);
    await createAutomation(app, sharing, pool, { runAsUserIds: [first.id] });
    await queue.add(1, 2, 3, 4);
    await sharing.add(5);
    const items = (await Promise.all(runners.map((runner) => runner.ask()))).flat();
    const users = items.map(({ runAsUser }) => runAsUser);
    expect(users).toHaveLength(2);
    expect(users).toContainEqual({ id: first.id, username: 'robot 1' });
    expect(users).toContainEqual({ id: second.id, username: 'robot 2' });
    expect(await runners[0]?.ask()).toEqual([]);
    await complete(agent, items);
    expect(await runners[0]?.ask()).toHaveLength(2);
  });

  test('requestWork works as nobody who is disabled', async () => {
    const robot = await app.user('disabled robot');
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner], {}, () => ({ runAsUserIds: [robot.id] }));
    await lines[0]?.queue.add(1);
    await app.sql('update users set disabled = true where id = $1', [robot.id]);
    expect(await runner.ask()).toEqual([]);
    await app.sql('update users set disabled = false where id = $1', [robot.id]);
    expect(await runner.ask()).toMatchObject([{ runAsUser: { username: 'disabled robot' } }]);
  });

  test.each([
    [{ count: 0 }, 'count must be at least 1'],
    [{ count: 1001 }, 'count must be at most 1000'],
    [{ waitSeconds: 61 }, 'waitSeconds must be at most 60'],
    [{ leaseSeconds: 0 }, 'leaseSeconds must be at least 1'],
    [{ deviceId: 1 }, 'deviceId is not a known member'],
  ])('requestWork refuses %j', async (body, message) => {
    const { status, error } = await agent.call.requestWork({ path: { id: 1 }, body: body as never });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
  });

  test('requestWork knows no device that another user registered', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(1);
    const other = await app.user('other agent', ['AAE_Bot Runner']);
    const foreigner = await addTenant(app, 'second');
    for (const call of [other.call, app.admin, foreigner.call]) {
      const { status, error } = await call.requestWork({ path: runner.path });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    }
    const { error } = await agent.call.requestWork({ path: { id: 999_999 } });
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('/v4/wlm/devices') });
  });

  test('requestWork needs the permission runDevice', async () => {
    const basic = await app.user('basic');
    const { status, error } = await basic.call.requestWork({ path: { id: 1 } });
    expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
  });

  test('requestWork grants each item once, however many devices ask', async () => {
    const runners = await Promise.all(Array.from({ length: 12 }, () => createDevice(agent, { slots: 3 })));
    const { lines } = await createLine(app, runners, { queues: 3 });
    for (const { queue } of lines) await queue.add(...Array.from({ length: 8 }, (_, index) => index));
    const answers = await Promise.all(runners.map((runner) => runner.ask()));
    const ids = answers.flat().map(({ id }) => id);
    expect(ids).toHaveLength(24);
    expect(new Set(ids).size).toBe(24);
    expect(answers.every(({ length }) => length >= 1)).toBe(true);
  });
});

describe('the devices of a user', () => {
  test('heartbeatWorkItems and finishWorkItems serve whose device has the item, though the user is not in the queue', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { pool, lines } = await createLine(app, [runner]);
    const [{ queue }] = lines as [(typeof lines)[0]];
    await queue.add(1, 2);
    const items = await runner.ask();
    const leases = items.map(({ id, version }) => ({ id: id as number, version: version as number }));
    const beat = await agent.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    expect(beat.body.list.map(({ error }) => error)).toEqual([undefined, undefined]);
    await complete(agent, items.slice(0, 1));
    // A device reports the items that it runs even when it has left the pool.
    await app.sql('delete from pool_devices where pool_id = $1', [pool.id]);
    await complete(agent, items.slice(1));
  });

  test('nothing but the item of theirs is open to them', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    const [{ queue }] = lines as [(typeof lines)[0]];
    await queue.add(1, 2);
    const [item] = await runner.ask();
    const path = { ...queue.path, workItemId: item?.id as number };
    expect((await agent.call.getWorkItem({ path })).status).toBe(200);
    const answers = await Promise.all([
      agent.call.getQueue({ path: queue.path }),
      agent.call.listWorkItemEvents({ path }),
      agent.call.listWorkItems({ path: queue.path }),
      agent.call.claimWorkItems({ path: queue.path }),
      agent.call.createWorkItems({ path: queue.path, body: { workItems: [{ json: { customer: 'x' } }] } }),
      agent.call.deleteWorkItem({ path }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
  });

  test('an expired lease frees the slot of the device', async () => {
    const runner = await createDevice(agent);
    const { lines } = await createLine(app, [runner]);
    await lines[0]?.queue.add(1);
    const [item] = await runner.ask();
    await app.sql(`update work_items set lease_expires_on = now() - interval '1 second' where id = $1`, [
      item?.id,
    ]);
    const [again] = await eventually(
      () => runner.ask({ waitSeconds: 5 }),
      ({ length }) => length > 0,
    );
    expect(again).toMatchObject({ id: item?.id, version: 3, automationId: item?.automationId });
  });

  test('createPool keeps devices apart by what they may do', async () => {
    const runner = await createDevice(agent);
    const queue = await createQueue(app);
    await createPool(app, [runner.device]);
    const { status } = await agent.call.heartbeatWorkItems({
      path: queue.path,
      body: { leases: [{ id: 1, version: 1 }] },
    });
    expect(status).toBe(404);
  });
});
