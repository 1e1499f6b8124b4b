import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller, type TestUser } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';
import { complete, createDevice, createLine } from '../testing/dispatch.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

type Item = Schemas['WorkItem'];

async function whyQueue({ path }: Pick<QueueFixture, 'path'>, call: Caller = app.admin) {
  const { status, body, error } = await call.explainQueue({ path });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

async function whyItem({ path }: Pick<QueueFixture, 'path'>, { id }: Item, call: Caller = app.admin) {
  const { status, body, error } = await call.explainWorkItem({ path: { ...path, workItemId: id as number } });
  expect(status, JSON.stringify(error)).toBe(200);
  expect(body.reasons[0]).toMatchObject({ code: body.code, sentence: body.sentence });
  return body;
}

const codes = ({ reasons }: Schemas['Explanation']) => reasons.map(({ code }) => code);

/** One queue whose items go to these devices by one automation. */
async function line(...parameters: Parameters<typeof createLine>) {
  const { pool, lines } = await createLine(...parameters);
  const [{ queue, automation }] = lines as [(typeof lines)[0]];
  return { pool, queue, automation };
}

describe('explainQueue', () => {
  it('explainQueue says that nobody takes the items, and what the caller lacks', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const explained = await whyQueue(queue, queue.owner.call);
    expect(codes(explained)).toEqual(['NO_AUTOMATION', 'MISSING_PERMISSION']);
    expect(explained.sentence).toContain('nobody has claimed from it in the last 15 minutes');
    expect(codes(await whyQueue(queue, queue.consumer.call))).toEqual(['NO_AUTOMATION']);
  });

  it('explainQueue says by whom and why a queue is paused, and until when', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'month-end closing', until } });
    const explained = await whyQueue(queue);
    expect(explained.code).toBe('QUEUE_PAUSED');
    expect(explained.sentence).toMatch(
      /^The queue is paused since .* by owner: month-end closing\. It goes on by itself at /,
    );
    expect(explained.reasons[0]?.facts).toMatchObject({
      byName: 'owner',
      reason: 'month-end closing',
      until,
    });
  });

  it('explainQueue says that a queue is archived', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const { status } = await queue.owner.call.archiveQueue({ path: queue.path });
    expect(status).toBe(200);
    expect(codes(await whyQueue(queue))[0]).toBe('QUEUE_ARCHIVED');
  });

  it('explainQueue says that consumers are at work, and that nothing waits', async () => {
    const queue = await createQueue(app);
    expect(codes(await whyQueue(queue, queue.consumer.call))).toEqual(['EMPTY', 'NO_AUTOMATION']);
    await queue.add(1, 2);
    await queue.claim();
    const explained = await whyQueue(queue, queue.consumer.call);
    expect(codes(explained)).toEqual(['WORKING']);
    expect(explained.sentence).toBe('Nothing holds the queue up: 1 item waits, 1 item is being processed.');
  });

  it('explainQueue says who stopped or paused its automation', async () => {
    const { queue, automation } = await line(app, [await createDevice(agent)]);
    await queue.add(1);
    for (const [status, version] of [
      ['STOPPED', 0],
      ['PAUSED', 1],
    ] as const) {
      const path = { id: Number(automation.id) };
      const changed = await app.admin.updateAutomation({
        path,
        body: { version, status, statusReason: 'bot is broken' },
      });
      expect(changed.status, JSON.stringify(changed.error)).toBe(200);
      const explained = await whyQueue(queue);
      expect(explained.code).toBe(`AUTOMATION_${status}`);
      expect(explained.sentence).toMatch(/ by admin: bot is broken\. Activate it to go on\.$/);
    }
  });

  it('explainQueue says that the pool has no device', async () => {
    const { queue, pool } = await line(app, []);
    await queue.add(1);
    expect(codes(await whyQueue(queue))).toEqual(['NO_DEVICE']);
    expect((await whyQueue(queue)).sentence).toContain(`The pool "${pool.name}"`);
  });

  it('explainQueue says that no device is connected, and names them to those who may see them', async () => {
    const { device } = await createDevice(agent);
    const { queue } = await line(app, [{ device } as never]);
    await queue.add(1);
    await app.sql('update devices set is_connected = false where id = $1', [device.id]);
    const explained = await whyQueue(queue);
    expect(explained.code).toBe('NO_DEVICE_CONNECTED');
    expect(explained.sentence).toContain(`Start the agent on "${device.hostName}".`);
    const owner = await whyQueue(queue, queue.owner.call);
    expect(owner.sentence).toContain(`Start the agent on "device ${device.id}".`);
    expect(JSON.stringify(owner)).not.toContain(device.hostName);
  });

  it('explainQueue says that devices drain or are in quarantine, and why', async () => {
    const { device, path } = await createDevice(agent);
    const { queue } = await line(app, [{ device } as never]);
    await queue.add(1);
    await app.admin.quarantineDevice({ path, body: { reason: 'wrong version' } });
    const explained = await whyQueue(queue);
    expect(explained.code).toBe('DEVICES_HELD');
    expect(explained.sentence).toContain(`${device.hostName} is QUARANTINED (wrong version)`);
  });

  it('explainQueue says which label no connected device has', async () => {
    const { queue } = await line(app, [await createDevice(agent, { labels: ['sap'] })], {}, () => ({
      labels: ['sap', 'germany'],
    }));
    await queue.add(1);
    const explained = await whyQueue(queue);
    expect(explained.code).toBe('NO_DEVICE_WITH_LABELS');
    expect(explained.reasons[0]?.facts).toMatchObject({ labels: ['germany'] });
  });

  it('explainQueue says which bot no device knows', async () => {
    const { queue } = await line(app, [await createDevice(agent, { bots: ['other'] })]);
    await queue.add(1);
    const explained = await whyQueue(queue);
    expect(explained.code).toBe('NO_DEVICE_WITH_BOT');
    expect(explained.sentence).toContain('knows the bot "bot"');
  });

  it('explainQueue says that all slots are busy', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { queue } = await line(app, [runner]);
    await queue.add(1, 2, 3);
    expect(await runner.ask()).toHaveLength(2);
    const explained = await whyQueue(queue);
    expect(codes(explained)).toEqual(['SLOTS_BUSY']);
    expect(explained.reasons[0]?.facts).toMatchObject({ slots: 2, deviceIds: [runner.device.id] });
  });

  it('explainQueue says that all run-as users are at work', async () => {
    const robot = await app.user('a robot');
    const runner = await createDevice(agent, { slots: 5 });
    const { queue } = await line(app, [runner], {}, () => ({ runAsUserIds: [robot.id] }));
    await queue.add(1, 2);
    expect(await runner.ask()).toHaveLength(1);
    expect(codes(await whyQueue(queue))).toEqual(['RUN_AS_USERS_TAKEN']);
  });

  it('explainQueue says how many more items the threshold needs', async () => {
    const runner = await createDevice(agent, { slots: 5 });
    const { queue } = await line(app, [runner]);
    const { body: current } = await app.admin.getQueue({ path: queue.path });
    const settings = {
      version: current.version as number,
      reactivationUnit: 'COUNT' as const,
      reactivationThreshold: 5,
    };
    expect((await app.admin.updateQueue({ path: queue.path, body: settings })).status).toBe(200);
    await queue.add(1, 2);
    expect(await runner.ask()).toEqual([]);
    const explained = await whyQueue(queue);
    expect(codes(explained)).toEqual(['THRESHOLD']);
    expect(explained.reasons[0]?.facts).toMatchObject({ missing: 3, waiting: 2 });
    await queue.add(3, 4, 5);
    expect(codes(await whyQueue(queue))).toEqual(['WORKING']);
    expect(await runner.ask()).toHaveLength(5);
  });

  it('explainQueue is hidden from those who do not belong to the queue, and from other tenants', async () => {
    const queue = await createQueue(app);
    const [stranger, foreigner] = [await app.user('stranger'), await addTenant(app, 'elsewhere')];
    for (const { call } of [stranger, foreigner]) {
      expect((await call.explainQueue({ path: queue.path })).status).toBe(404);
    }
  });
});

describe('explainWorkItem', () => {
  it('explainWorkItem expects the start from measured handling times and what can run at once', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { queue } = await line(app, [runner]);
    const items = await queue.add(1, 2, 3, 4, 5, 6);
    await app.sql(
      `insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete,
        finished_failed, handling_ms) values ($1, date_trunc('minute', now()), 0, 0, 0, 0, 0, 10, 0, 600000)`,
      [queue.id],
    );
    const askedOn = Date.now();
    const explained = await whyItem(queue, items[4] as Item);
    expect(codes(explained)).toEqual(['BEHIND']);
    expect(explained.sentence).toBe(
      '4 items are to start before this one. At the pace of the last 15 minutes it starts in about 2 minutes.',
    );
    expect(explained.reasons[0]?.facts).toMatchObject({ ahead: 4, atOnce: 2, averageHandlingSeconds: 60 });
    const seconds = (Date.parse(explained.expectedStartOn ?? '') - askedOn) / 1000;
    expect(Math.round(seconds / 10)).toBe(12);
    expect((await whyItem(queue, items[0] as Item)).code).toBe('NEXT');
  });

  it('explainWorkItem tells the reason of the queue first, and the place behind it', async () => {
    const queue = await createQueue(app);
    const [, second] = await queue.add(1, 2);
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'audit' } });
    const explained = await whyItem(queue, second as Item, queue.owner.call);
    expect(codes(explained)).toEqual(['QUEUE_PAUSED', 'NO_AUTOMATION', 'BEHIND', 'MISSING_PERMISSION']);
    expect(explained.expectedStartOn).toBeUndefined();
  });

  it('explainWorkItem says on which device an item runs, and what became of it', async () => {
    const runner = await createDevice(agent);
    const { queue } = await line(app, [runner]);
    const [item] = (await queue.add(1)) as [Item];
    const granted = await runner.ask();
    expect((await whyItem(queue, item)).sentence).toContain(
      `It is being processed on ${runner.device.hostName} since`,
    );
    expect((await whyItem(queue, item, queue.owner.call)).sentence).toContain(
      `on device ${runner.device.id} since`,
    );
    await complete(agent, granted);
    const done = await whyItem(queue, item);
    expect(done.code).toBe('DONE');
    expect(done.sentence).toMatch(/ by agent\.$/);
  });

  it('explainWorkItem calls a device by its nickname where it has one, explainQueue likewise', async () => {
    const runner = await createDevice(agent, { nickname: 'Runner in the cellar' });
    const { queue } = await line(app, [runner]);
    const [item] = (await queue.add(1, 2)) as [Item];
    await runner.ask({ count: 1 });
    const { sentence } = await whyItem(queue, item);
    expect(sentence).toContain('It is being processed on Runner in the cellar since');
    await app.admin.drainDevice({ path: runner.path, body: { reason: 'patched' } });
    expect((await whyQueue(queue)).sentence).toContain('Runner in the cellar is DRAINING (patched)');
  });

  it('explainWorkItem says who put an item aside and until when', async () => {
    const queue = await createQueue(app);
    const [item] = (await queue.add(1)) as [Item];
    const deferredUntil = new Date(Date.now() + 3_600_000).toISOString();
    const body = {
      id: item.id as number,
      queueId: queue.id,
      version: 0,
      status: 'DEFERRED' as const,
      deferredUntil,
      comment: 'vendor is asked',
    };
    await queue.owner.call.updateWorkItem({ path: { ...queue.path, workItemId: item.id as number }, body });
    const explained = await whyItem(queue, item, queue.consumer.call);
    expect(explained.code).toBe('DEFERRED');
    expect(explained.sentence).toMatch(/^It was put aside until .* by owner: vendor is asked\./);
  });

  it('explainWorkItem says how it failed, and when the next try is due', async () => {
    const retryBackOff = { type: 'FIXED' as const, seconds: 3600 };
    const queue = await createQueue(app, { autoRetryLimit: 1, retryBackOff });
    await queue.add(1, 2);
    const [technical, business] = (await queue.claim(2)) as [Item, Item];
    const results = [
      { id: technical.id as number, version: 1, status: 'FAILED' as const, error: 'no answer' },
      {
        id: business.id as number,
        version: 1,
        status: 'FAILED' as const,
        failureKind: 'BUSINESS' as const,
        error: 'vendor is blocked',
      },
    ];
    await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
    const waiting = await whyItem(queue, technical, queue.consumer.call);
    expect(waiting.code).toBe('BACK_OFF');
    expect(waiting.sentence).toMatch(/ before try 2 of at most 2\. It failed: no answer\.$/);
    const failed = await whyItem(queue, business);
    expect(failed.code).toBe('FAILED');
    expect(failed.sentence).toContain('on business grounds: vendor is blocked.');
  });

  it('explainWorkItem says that an item in doubt waits for an answer', async () => {
    const runner = await createDevice(agent);
    const { queue } = await line(app, [runner]);
    const [item] = (await queue.add(1)) as [Item];
    await runner.ask({ leaseSeconds: 5 });
    const leases = [{ id: item.id as number, version: 1, leaseSeconds: 1, pointOfNoReturn: true as const }];
    await agent.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    const explained = await eventually(
      () => whyItem(queue, item),
      ({ code }) => code !== 'RUNNING',
    );
    expect(explained.code).toBe('IN_DOUBT');
    expect(explained.sentence).toContain(
      `The device ${runner.device.hostName} passed the point of no return`,
    );
  });

  it('explainWorkItem says that nobody took an item in time', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'MINUTES' },
    });
    const [item] = (await queue.add(1)) as [Item];
    await app.sql(`update work_items set expires_on = now() - interval '1 second' where queue_id = $1`, [
      queue.id,
    ]);
    const explained = await eventually(
      () => whyItem(queue, item),
      ({ code }) => code === 'EXPIRED',
    );
    expect(explained.sentence).toContain('Nobody took it in time');
  });

  it('explainWorkItem knows no item of another queue, and nothing for strangers', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const [item] = (await other.add(1)) as [Item];
    const path = { ...queue.path, workItemId: item.id as number };
    expect((await app.admin.explainWorkItem({ path })).error.code).toBe('NOT_FOUND');
    const foreigner = await addTenant(app, 'third');
    expect(
      (await foreigner.call.explainWorkItem({ path: { ...other.path, workItemId: item.id as number } }))
        .status,
    ).toBe(404);
  });
});
