import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import type { TestUser } from '../../testing/app.ts';
import { startApp } from '../../testing/app.ts';
import { createDevice, createLine } from '../../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture, withoutNames } from '../../testing/fixtures.ts';
import { beat, finish, held, letLeaseExpire, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();
const far = '2099-01-01T00:00:00.000Z';

type Item = Schemas['WorkItem'] | undefined;

/** An update in the form of a program of version 4. */
function put(
  queue: QueueFixture,
  item: Item,
  more: Partial<Schemas['UpdateWorkItemRequest']>,
  by: Pick<TestUser, 'call'> = queue.consumer,
) {
  return by.call.updateWorkItem({
    path: pathOf(queue, item),
    body: { ...held(item), queueId: queue.id, ...more },
  });
}

const take = (queue: QueueFixture, item: Item, by?: TestUser) =>
  put(queue, item, { status: 'IN_PROGRESS' }, by);

/** A queue, and an item of it that its consumer took. */
async function taken(settings: Partial<Schemas['NewQueue']> = {}) {
  const queue = await createQueue(app, settings);
  const [waiting] = await queue.add(1);
  const { status, body: item, error } = await take(queue, waiting);
  expect(status, JSON.stringify(error)).toBe(200);
  return { queue, waiting, item };
}

const leaseOf = ({ leaseExpiresOn = '' }: Schemas['WorkItem']) => Date.parse(leaseExpiresOn);

async function shortenLease(item: Item): Promise<void> {
  await app.sql("update work_items set lease_expires_on = now() + interval '5 seconds' where id = $1", [
    item?.id,
  ]);
}

describe('updateWorkItem with IN_PROGRESS', () => {
  test('updateWorkItem leases a waiting item to its caller as a claim does', async () => {
    const { queue, waiting, item } = await taken();
    expect(item).toMatchObject({
      ...waiting,
      status: 'IN_PROGRESS',
      version: 1,
      updatedBy: queue.consumer.id,
      updatedOn: expect.any(String),
    });
    expect(leaseOf(item) - Date.parse(item.startTime ?? '')).toBe(60_000);
    expect(await queue.claim()).toEqual([]);
    expect((await timeline(queue, item)).at(-1)).toMatchObject({
      operation: 'updateWorkItem',
      actorId: queue.consumer.id,
      from: 'NEW',
      to: 'IN_PROGRESS',
    });
    expect((await read(queue, item)).attempts).toMatchObject([{ number: 1, actorId: queue.consumer.id }]);
    const { body } = await queue.owner.call.getQueueStats({ path: queue.path });
    expect(body.counts).toMatchObject({ NEW: 0, IN_PROGRESS: 1 });
  });

  test('updateWorkItem repeated by the holder extends the lease, as often as it is sent, and changes nothing else', async () => {
    const { queue, item } = await taken();
    for (const repeated of [{}, item, {}]) {
      await shortenLease(item);
      const { status, body } = await put(queue, item, { ...repeated, status: 'IN_PROGRESS' });
      expect([status, body]).toMatchObject([200, { ...item, leaseExpiresOn: expect.any(String) }]);
      expect(leaseOf(body)).toBeGreaterThanOrEqual(leaseOf(item));
    }
    expect(await timeline(queue, item)).toHaveLength(2);
  });

  test('updateWorkItem keeps the length that a heartbeat gave the lease', async () => {
    const { queue, item } = await taken();
    await beat(queue, { ...held(item), leaseSeconds: 3600 });
    expect(leaseOf((await take(queue, item)).body) - leaseOf(item)).toBeGreaterThan(3_000_000);
  });

  test('updateWorkItem by the holder that has something to note extends the lease and raises the version', async () => {
    const { queue, item } = await taken();
    await shortenLease(item);
    const { body } = await put(queue, item, { status: 'IN_PROGRESS', progress: { percent: 40 } });
    expect(body).toMatchObject({ version: 2, progress: { percent: 40 } });
    expect(leaseOf(body)).toBeGreaterThanOrEqual(leaseOf(item));
  });

  test.each([{ status: 'IN_PROGRESS' }, {}] as const)(
    'updateWorkItem by the holder refuses a result with %j: there is none while the work goes on',
    async (more) => {
      const { queue, item } = await taken();
      const sent = { ...more, result: 'SUCCESS', comment: 'done' } as const;
      const { status, error } = await put(queue, item, sent);
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(error.message).toContain('The result SUCCESS does not go with the status IN_PROGRESS');
      expect((await read(queue, item)).comment).toBeUndefined();
    },
  );

  test('updateWorkItem takes an item that is sent back as it was read, and notes what is new with it', async () => {
    const queue = await createQueue(app);
    const [first, second] = await queue.add(1, 2);
    expect((await put(queue, first, { ...first, status: 'IN_PROGRESS' })).body.version).toBe(1);
    const json = { customer: 'corrected', amount: 2 };
    const { body } = await put(queue, second, { ...second, json, comment: 'mine', status: 'IN_PROGRESS' });
    expect(body).toMatchObject({ status: 'IN_PROGRESS', version: 2, json, comment: 'mine' });
    expect((await put(queue, body, { status: 'COMPLETE' })).body.status).toBe('COMPLETE');
  });

  test('updateWorkItem takes nothing where what it notes does not fit the model', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    expect((await put(queue, item, { status: 'IN_PROGRESS', json: { amount: 'x' } })).status).toBe(400);
    expect(withoutNames(await read(queue, item))).toEqual(item);
  });

  test('updateWorkItem gives no item to a second program of the same user, and says what may have happened', async () => {
    const { queue, waiting, item } = await taken();
    const { status, error } = await take(queue, waiting);
    expect([status, error.code]).toEqual([409, 'VERSION_CONFLICT']);
    expect(error.message).toContain(`your user holds it until ${item.leaseExpiresOn}`);
    expect(await read(queue, item)).toMatchObject(item);
  });

  test('updateWorkItem tells another consumer who holds the item, and until when', async () => {
    const { queue, waiting, item } = await taken();
    for (const [known, code] of [
      [waiting, 'VERSION_CONFLICT'],
      [item, 'STATUS_CONFLICT'],
    ] as const) {
      const { status, error } = await put(queue, known, { status: 'IN_PROGRESS' }, { call: app.admin });
      expect([status, error.code]).toEqual([409, code]);
      expect(error.message).toContain(`at version 1: runner holds it until ${item.leaseExpiresOn}.`);
    }
    expect(await read(queue, item)).toMatchObject(item);
  });
});

describe('updateWorkItem takes what a claim would grant', () => {
  test('updateWorkItem lets consumers and queue admins take items, and nobody else', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const people = { participant: await app.user('participant'), stranger: await app.user('stranger') };
    await queue.owner.call.addQueueParticipant({ path: queue.path, body: { userId: people.participant.id } });
    const { status, error } = await take(queue, item, queue.owner);
    expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    expect(error.message).toContain('addQueueConsumer');
    expect((await take(queue, item, people.participant)).status).toBe(403);
    expect((await take(queue, item, people.stranger)).status).toBe(404);
    expect(withoutNames(await read(queue, item))).toEqual(item);
    expect((await put(queue, item, { status: 'IN_PROGRESS' }, { call: app.admin })).status).toBe(200);
  });

  test('updateWorkItem takes no item of a paused or archived queue', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'The ERP is down' } });
    const paused = await take(queue, item);
    expect([paused.status, paused.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(paused.error.message).toContain('is INACTIVE and gives no items out');
    await queue.owner.call.archiveQueue({ path: queue.path });
    expect((await take(queue, item)).error.message).toContain('is archived');
    expect(await read(queue, item)).toMatchObject({ status: 'NEW', version: 0 });
  });

  test('updateWorkItem takes no item that waits for its time, has expired or is done', async () => {
    const queue = await createQueue(app);
    const [deferred, expired, done] = await queue.add(1, 2, 3);
    await put(queue, deferred, { status: 'DEFERRED', deferredUntil: far }, queue.owner);
    await app.sql('update work_items set expires_on = now() where id = $1', [expired?.id]);
    await put(queue, done, { status: 'COMPLETE' }, queue.owner);
    for (const item of [deferred, expired, done]) {
      // The job may end the expired one between the two calls.
      const { status, error } = await eventually(
        async () => take(queue, await read(queue, item)),
        (answer) => answer.error.code !== 'VERSION_CONFLICT',
      );
      expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    }
  });

  test('updateWorkItem takes an item whose deferral is over as soon as it is NEW', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const deferredUntil = new Date(Date.now() + 300).toISOString();
    await put(queue, item, { status: 'DEFERRED', deferredUntil }, queue.owner);
    const due = await eventually(
      () => read(queue, item),
      ({ status }) => status === 'NEW',
    );
    expect((await take(queue, due)).body).toMatchObject({ status: 'IN_PROGRESS', version: 3 });
  });

  test('updateWorkItem takes an item for a device of the caller only, which is in use', async () => {
    const queue = await createQueue(app);
    const [item, other] = await queue.add(1, 2);
    const deviceId = await queue.device();
    const wish = { status: 'IN_PROGRESS', deviceId } as const;
    const foreign = await put(queue, item, wish, { call: app.admin });
    expect([foreign.status, foreign.error.details?.[0]?.field]).toEqual([400, 'deviceId']);
    expect((await put(queue, item, wish)).body).toMatchObject({ status: 'IN_PROGRESS', deviceId });
    await app.admin.drainDevice({ path: { id: deviceId }, body: { reason: 'Patches' } });
    const drained = await put(queue, other, wish);
    expect([drained.status, drained.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(await read(queue, other)).toMatchObject({ status: 'NEW', version: 0 });
    await app.admin.quarantineDevice({ path: { id: deviceId }, body: { reason: 'Virus' } });
    const back = await read(queue, item);
    expect(back).toMatchObject({ status: 'NEW', deviceId, attempts: [{ outcome: 'TAKEN_BACK' }] });
    const again = await put(queue, back, { ...back, status: 'IN_PROGRESS' });
    expect(again.body).toMatchObject({ status: 'IN_PROGRESS', version: 3 });
    expect(again.body).not.toHaveProperty('deviceId');
  });
});

describe('an item that updateWorkItem took', () => {
  test.each([
    [
      { status: 'COMPLETE', result: 'SUCCESS' },
      { status: 'COMPLETE', result: 'SUCCESS' },
    ],
    [
      { status: 'FAILED', error: 'timeout' },
      { status: 'NEW', retryCount: 1 },
    ],
    [
      { status: 'FAILED', failureKind: 'BUSINESS' },
      { status: 'FAILED', result: 'FAILURE' },
    ],
    [
      { status: 'DEFERRED', deferredUntil: far },
      { status: 'DEFERRED', deferredUntil: far },
    ],
  ] as const)('updateWorkItem by its holder ends it with %j', async (report, after) => {
    const { queue, item } = await taken({ autoRetryLimit: 1 });
    const { status, body } = await put(queue, item, report);
    expect([status, body]).toMatchObject([200, { ...after, version: 2 }]);
    const outcome = { COMPLETE: 'COMPLETE', NEW: 'RETRIED', FAILED: 'FAILED', DEFERRED: 'DEFERRED' }[
      after.status
    ];
    expect((await read(queue, item)).attempts).toMatchObject([{ outcome }]);
  });

  test('returnLapsedItems gives it to others when its holder is silent, and updateWorkItem keeps the late report', async () => {
    const { queue, item } = await taken();
    await letLeaseExpire(app, item);
    const [again] = await queue.claim(1, { waitSeconds: 20 });
    expect(again).toMatchObject({ id: item.id, version: 3, retryCount: 0 });
    const late = await put(queue, item, { status: 'COMPLETE' });
    expect([late.status, late.error.code]).toEqual([409, 'LATE_REPORT']);
    expect((await timeline(queue, item)).at(-1)?.operation).toBe('lateReport');
  });

  test('heartbeatWorkItems, cancelWorkItem, updateWorkItemStatus and finishWorkItems know it as any other', async () => {
    const { queue, item } = await taken();
    const [outcome] = await beat(queue, { ...held(item), pointOfNoReturn: true });
    expect(outcome).toHaveProperty('pointOfNoReturnOn');
    const bulk = { action: 'CANCEL' as const, ids: [item.id as number], reason: 'Sent twice' };
    const { body } = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: bulk });
    expect(body).toMatchObject({ changed: 1 });
    expect((await take(queue, item)).body).toMatchObject({ version: 1, cancelReason: 'Sent twice' });
    expect(await finish(queue, { ...held(item), status: 'NEW' })).toMatchObject([{ status: 'FAILED' }]);
    expect(await read(queue, item)).toMatchObject({ failureKind: 'IN_DOUBT' });
  });

  test('explainWorkItem tells who holds it, and explainQueue that a consumer asks', async () => {
    const { queue, item } = await taken();
    const { body } = await queue.owner.call.explainWorkItem({ path: pathOf(queue, item) });
    expect(body.sentence).toContain('runner');
    const claims = await app.sql('select asked_on from queue_claims where queue_id = $1', [queue.id]);
    expect(claims).toHaveLength(1);
  });

  test('createWorkItems finds its duplicate while it is in progress, and no more when it is done', async () => {
    const { queue, item } = await taken({ disallowDuplicate: true, duplicateScope: 'OPEN' });
    const again = () =>
      queue.owner.call.createWorkItems({
        path: queue.path,
        body: { workItems: [{ json: item.json ?? {} }] },
      });
    expect((await again()).error.code).toBe('DUPLICATE');
    await put(queue, item, { status: 'COMPLETE' });
    expect((await again()).status).toBe(200);
  });

  test('updateWorkItem ends the reactivation cycle of its queue with the last item that waits', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    await app.sql('insert into queue_passes (queue_id, started) values ($1, 3)', [queue.id]);
    await take(queue, item);
    const cycles = await app.sql('select started from queue_passes where queue_id = $1', [queue.id]);
    expect(cycles).toMatchObject([{ started: 0 }]);
  });
});

describe('updateWorkItem, claimWorkItems and requestWork at the same time', () => {
  test('updateWorkItem, claimWorkItems and requestWork give each item to one holder, whoever comes first', async () => {
    const agent = await app.user('agent', ['AAE_Bot Runner']);
    const devices = [await createDevice(agent, { slots: 20 })];
    const { lines } = await createLine(app, devices);
    const queue = lines[0]?.queue as QueueFixture;
    const items = await queue.add(...Array.from({ length: 30 }, (_, index) => index));
    const consumers = [queue.consumer, agent, { call: app.admin }];
    const puts = items.flatMap((item) =>
      consumers.map((by) => async () => {
        const { status, body, error } = await put(queue, item, { status: 'IN_PROGRESS' }, by);
        if (status !== 200) expect(error.code).toBe('VERSION_CONFLICT');
        return status === 200 ? [body.id] : [];
      }),
    );
    const claims = Array.from({ length: 10 }, () => async () => (await queue.claim(2)).map(({ id }) => id));
    const asks = Array.from({ length: 5 }, () => async () => {
      return (await devices[0]?.ask({ count: 2 }))?.map(({ id }) => id) ?? [];
    });
    const calls = [...puts, ...claims, ...asks].toSorted(() => Math.random() - 0.5);
    const granted = (await Promise.all(calls.map((call) => call()))).flat();
    expect(granted.toSorted((a, b) => Number(a) - Number(b))).toEqual(items.map(({ id }) => id));
    const grants = await app.sql(
      "select item_id from events where queue_id = $1 and from_status = 'NEW' and to_status = 'IN_PROGRESS'",
      [queue.id],
    );
    expect(grants).toHaveLength(items.length);
  });
});
