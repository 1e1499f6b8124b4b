import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { createDevice } from '../testing/dispatch.ts';
import { createQueue } from '../testing/fixtures.ts';
import {
  codesOf,
  createSingleLine,
  measureHandling,
  secondsUntilStart,
  whyItem,
  whyQueue,
} from '../testing/why.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

async function disconnect({ device }: Awaited<ReturnType<typeof createDevice>>) {
  await app.sql('update devices set is_connected = false where id = $1', [device.id]);
}

describe('explainQueue', () => {
  it.each(['STOPPED', 'PAUSED'] as const)(
    'explainQueue says who has set its automation to %s',
    async (status) => {
      const { queue, automation } = await createSingleLine(app, [await createDevice(agent)]);
      const [item] = await queue.add(1);
      const path = { id: Number(automation.id) };
      const body = { version: 0, status, statusReason: 'bot is broken' };
      expect((await app.admin.updateAutomation({ path, body })).status).toBe(200);
      const explained = await whyQueue(app.admin, queue);
      expect(codesOf(explained)).toEqual([`AUTOMATION_${status}`]);
      expect(explained.sentence).toMatch(/ by admin: bot is broken\. Activate it to go on\.$/);
      expect(codesOf(await whyItem(app.admin, queue, item))).toEqual([`AUTOMATION_${status}`, 'NEXT']);
    },
  );

  it('explainQueue says that the pool has no device', async () => {
    const { queue, pool } = await createSingleLine(app, []);
    await queue.add(1);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['NO_DEVICE']);
    expect(explained.sentence).toContain(`The pool "${pool.name}"`);
  });

  it('explainQueue says that no device is connected, and names them to those who may see them', async () => {
    const runner = await createDevice(agent);
    const { device } = runner;
    const { queue, pool } = await createSingleLine(app, [runner]);
    await queue.add(1);
    await disconnect(runner);
    const explained = await whyQueue(app.admin, queue);
    expect(explained.code).toBe('NO_DEVICE_CONNECTED');
    expect(explained.sentence).toContain(`Start the agent on "${device.hostName}".`);
    const stranger = await whyQueue(queue.owner.call, queue);
    expect(stranger.sentence).toContain(`Start the agent on "device ${device.id}".`);
    expect(JSON.stringify(stranger)).not.toContain(device.hostName);
    const body = { version: 0, ownerIds: [queue.owner.id] };
    expect((await app.admin.updatePool({ path: { id: Number(pool.id) }, body })).status).toBe(200);
    expect((await whyQueue(queue.owner.call, queue)).sentence).toContain(
      `Start the agent on "${device.hostName}".`,
    );
  });

  it('explainQueue names to somebody whose devices they are at least these', async () => {
    const { queue, pool } = await createSingleLine(app, [await createDevice(agent)]);
    const own = await createDevice(queue.consumer, { nickname: 'In the cellar' });
    const known = await app.admin.getPool({ path: { id: Number(pool.id) } });
    const deviceIds = [...known.body.deviceIds, own.device.id];
    await app.admin.updatePool({ path: { id: Number(pool.id) }, body: { version: 0, deviceIds } });
    await app.sql('update devices set is_connected = false');
    await queue.add(1);
    expect((await whyQueue(queue.consumer.call, queue)).sentence).toMatch(
      /Start the agent on one of "device \d+", "In the cellar"\.$/,
    );
  });

  it('explainQueue says that devices drain or are in quarantine, and why', async () => {
    const runner = await createDevice(agent);
    const { queue } = await createSingleLine(app, [runner]);
    await queue.add(1);
    await app.admin.quarantineDevice({ path: runner.path, body: { reason: 'wrong version' } });
    const explained = await whyQueue(app.admin, queue);
    expect(explained.code).toBe('DEVICES_HELD');
    expect(explained.sentence).toContain(`${runner.device.hostName} is quarantined (wrong version)`);
  });

  it('explainQueue says which label no connected device has, and which device to start that has it', async () => {
    const [one, two] = [await createDevice(agent, { labels: ['sap'] }), await createDevice(agent)];
    const { queue } = await createSingleLine(app, [one, two], {}, () => ({ labels: ['sap', 'germany'] }));
    await queue.add(1);
    const explained = await whyQueue(app.admin, queue);
    expect(explained.code).toBe('NO_DEVICE_WITH_LABELS');
    expect(explained.reasons[0]?.facts).toMatchObject({ labels: ['germany'] });
    expect(explained.reasons[0]?.facts).not.toHaveProperty('disconnectedDeviceIds');
    await app.sql(`update devices set labels = '{sap,germany}' where id = $1`, [two.device.id]);
    await disconnect(two);
    const better = await whyQueue(app.admin, queue);
    expect(better.sentence).toMatch(
      new RegExp(`has the label "germany"\\. Start the agent on "${two.device.hostName}", which has it\\.$`),
    );
    expect(better.reasons[0]?.facts).toMatchObject({ disconnectedDeviceIds: [two.device.id] });
  });

  it('explainQueue says which bot no device knows', async () => {
    const { queue } = await createSingleLine(app, [await createDevice(agent, { bots: ['other'] })]);
    await queue.add(1);
    const explained = await whyQueue(app.admin, queue);
    expect(explained.code).toBe('NO_DEVICE_WITH_BOT');
    expect(explained.sentence).toContain('knows the bot "bot"');
  });

  it('explainQueue looks at all devices of a large pool', async () => {
    const runner = await createDevice(agent);
    await app.sql(
      `insert into devices (tenant_id, user_id, host_name, nickname, labels, bots, slots, agent_version, last_seen_on,
        is_connected, created_by, created_on, updated_by, updated_on)
       select tenant_id, user_id, 'lost-' || n, '', '{}', '{}', 1, '', now(), false, 1, now(), 1, now()
       from devices, generate_series(1, 1001) n where id = $1`,
      [runner.device.id],
    );
    const lost = await app.sql<{ id: number }>(`select id::int from devices where host_name like 'lost-%'`);
    const late = await createDevice(agent);
    const { queue } = await createSingleLine(app, [...lost.map((device) => ({ device }) as never), late]);
    await queue.add(1);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['WORKING']);
  });

  it('explainQueue says that all slots are busy', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { queue } = await createSingleLine(app, [runner]);
    await queue.add(1, 2, 3);
    expect(await runner.ask()).toHaveLength(2);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['SLOTS_BUSY']);
    expect(explained.reasons[0]?.facts).toMatchObject({ slots: 2, deviceIds: [runner.device.id] });
  });

  it('explainQueue says what the run-as users are at work on, as far as one may see it, and waits for it', async () => {
    const robot = await app.user('a robot');
    const runner = await createDevice(agent, { slots: 5 });
    const runAs = { runAsUserIds: [robot.id] };
    const { queue, automation, pool } = await createSingleLine(app, [runner], {}, () => runAs);
    const other = await createQueue(app);
    const { name } = await createAutomation(app, other, pool, runAs);
    const [elsewhere] = await other.add(1);
    expect(await runner.ask()).toHaveLength(1);
    const [item] = await queue.add(2);
    await measureHandling(app, queue, 600);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['RUN_AS_USERS_TAKEN']);
    expect(explained.sentence).toContain(
      `of the automation "${automation.name}" is at work: "a robot" on item ${elsewhere?.id} (automation "${name}").`,
    );
    expect(explained.reasons[0]?.facts).toMatchObject({
      runAsUsers: [{ itemId: elsewhere?.id, queueId: other.id }],
    });
    expect(Math.round(secondsUntilStart(explained) / 60)).toBe(10);
    expect(Math.round(secondsUntilStart(await whyItem(app.admin, queue, item)) / 60)).toBe(10);
    await app.sql('delete from queue_members where queue_id = $1', [other.id]);
    await app.sql('delete from queue_consumers where queue_id = $1', [other.id]);
    const hidden = await whyQueue(queue.owner.call, queue);
    expect(hidden.sentence).toContain('is at work: "a robot" for another automation.');
    expect(JSON.stringify(hidden)).not.toContain(name);
  });

  it('explainQueue names run-as users that are disabled, and expects no start when all are', async () => {
    const [robot, second] = [await app.user('first robot'), await app.user('second robot')];
    const runner = await createDevice(agent, { slots: 5 });
    const runAsUserIds = [robot.id, second.id];
    const { queue } = await createSingleLine(app, [runner], {}, () => ({ runAsUserIds }));
    const [, , third] = await queue.add(1, 2, 3);
    await app.sql('update users set disabled = true where id = $1', [second.id]);
    expect(await runner.ask()).toHaveLength(1);
    expect((await whyQueue(app.admin, queue)).sentence).toMatch(
      /The next item starts when this user is free\. Disabled: "second robot"\.$/,
    );
    await app.sql('update users set disabled = true where id = $1', [robot.id]);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['RUN_AS_USERS_DISABLED']);
    expect(explained.sentence).toContain('are disabled: "first robot", "second robot".');
    const item = await whyItem(app.admin, queue, third);
    expect(codesOf(item)).toEqual(['RUN_AS_USERS_DISABLED', 'BEHIND']);
    expect(item.expectedStartOn).toBeUndefined();
  });

  it('explainQueue says how many more items the threshold needs', async () => {
    const runner = await createDevice(agent, { slots: 5 });
    const { queue } = await createSingleLine(app, [runner]);
    await setThreshold(queue, 'COUNT', 5);
    await queue.add(1, 2);
    expect(await runner.ask()).toEqual([]);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['THRESHOLD']);
    expect(explained.reasons[0]?.facts).toMatchObject({ missing: 3, waiting: 2 });
    await queue.add(3, 4, 5);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['WORKING']);
    expect(await runner.ask()).toHaveLength(5);
  });

  it('explainWorkItem puts its place before a threshold in per cent, which the devices at work overcome', async () => {
    const runner = await createDevice(agent, { slots: 5 });
    const { queue } = await createSingleLine(app, [runner]);
    await setThreshold(queue, 'PERCENT', 20);
    const items = await queue.add(1, 2, 3, 4);
    expect(await runner.ask()).toHaveLength(1);
    await measureHandling(app, queue, 60);
    const explained = await whyItem(app.admin, queue, items[3]);
    expect(codesOf(explained)).toEqual(['BEHIND', 'THRESHOLD']);
    expect(explained.reasons[0]?.facts).toMatchObject({ ahead: 2, atOnce: 1 });
    expect(Math.round(secondsUntilStart(explained) / 60)).toBe(3);
  });

  async function setThreshold(
    { path }: { path: { id: number } },
    unit: 'PERCENT' | 'COUNT',
    threshold: number,
  ) {
    const { body } = await app.admin.getQueue({ path });
    const settings = {
      version: body.version as number,
      reactivationUnit: unit,
      reactivationThreshold: threshold,
    };
    expect((await app.admin.updateQueue({ path, body: settings })).status).toBe(200);
  }

  it('explainWorkItem counts on the share of the slots that other queues leave', async () => {
    const runner = await createDevice(agent, { slots: 8 });
    const pool = await createPool(app, [runner.device]);
    const [small, large, drained, elsewhere] = [
      await createQueue(app),
      await createQueue(app),
      await createQueue(app),
      await createQueue(app),
    ];
    await createAutomation(app, small, pool, { weight: 1 });
    await createAutomation(app, large, pool, { weight: 3 });
    await createAutomation(app, drained, pool, { weight: 10 });
    await createAutomation(app, elsewhere, await createPool(app, [runner.device]));
    const [, second] = await small.add(1, 2);
    const share = async () => (await whyItem(app.admin, small, second)).reasons[0]?.facts?.['atOnce'];
    expect(await share()).toBe(8);
    await large.add(1);
    expect(await share()).toBe(2);
    await elsewhere.add(1);
    expect(await share()).toBe(1);
  });
});
