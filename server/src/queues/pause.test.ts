import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

let app: App;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  app = await startApp();
  member = await app.user('member');
  stranger = await app.user('stranger');
});

const reason = 'The ERP is down';
const pause = ({ owner, path }: QueueFixture, until?: string) =>
  owner.call.pauseQueue({ path, body: { reason, ...(until && { until }) } });
const read = async ({ owner, path }: QueueFixture) => (await owner.call.getQueue({ path })).body;
const soon = () => new Date(Date.now() + 300).toISOString();

async function recorded({ id }: QueueFixture) {
  return app.sql(
    `select operation, actor_id::int as actor, reason, changes from events
     where queue_id = $1 and item_id = 0 and operation in ('pauseQueue', 'resumeQueue', 'resumeQueues') order by id`,
    [id],
  );
}

describe('pauseQueue', () => {
  it('pauseQueue makes the queue inactive and answers by whom, why and until when', async () => {
    const queue = await createQueue(app);
    const before = await read(queue);
    const until = '2099-01-01T06:00:00.000Z';
    const { status, body } = await pause(queue, '2099-01-01T07:00:00+01:00');
    expect(status).toBe(200);
    const by = { by: queue.owner.id, byName: 'owner' };
    expect(body).toEqual({
      ...before,
      status: 'INACTIVE',
      pause: { ...by, on: body.updatedOn, reason, until },
      version: 1,
      updatedOn: expect.any(String),
    });
    expect(await read(queue)).toEqual(body);
    expect(await recorded(queue)).toEqual([
      { operation: 'pauseQueue', actor: queue.owner.id, reason, changes: { until } },
    ]);
  });

  it('pauseQueue stops claims, while items come in and those in progress are finished', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [held] = await queue.claim();
    await pause(queue);
    await queue.add(2);
    expect(await queue.claim()).toEqual([]);
    const id = held?.id as number;
    const leases = [{ id, version: held?.version as number }];
    const beat = await queue.consumer.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    expect(beat.body.list[0]).toHaveProperty('leaseExpiresOn');
    const results = [{ id, version: held?.version as number, status: 'COMPLETE' as const }];
    const finished = await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
    expect(finished.body.list[0]).toMatchObject({ id, status: 'COMPLETE' });
  });

  it('pauseQueue of a paused queue replaces reason and time', async () => {
    const queue = await createQueue(app);
    await pause(queue, '2099-01-01T06:00:00Z');
    const { body } = await app.admin.pauseQueue({ path: queue.path, body: { reason: 'For good' } });
    expect(body.pause).toEqual({
      by: expect.any(Number),
      byName: 'admin',
      on: body.updatedOn,
      reason: 'For good',
    });
  });

  it.each([
    [{ reason: ' ' }, 'reason must not be blank'],
    [{ reason, until: '2020-01-01T00:00:00Z' }, 'until has passed'],
    [{}, 'reason is required'],
    [{ reason: 'x'.repeat(1001) }, 'reason must have at most 1000'],
    [{ reason, until: 'tomorrow' }, 'until must be a time such as'],
    [{ reason, by: 1 }, 'by is not a known member'],
  ])('pauseQueue refuses %o', async (body, message) => {
    const queue = await createQueue(app);
    const { status, error } = await queue.owner.call.pauseQueue({ path: queue.path, body: body as never });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
    expect(await read(queue)).toMatchObject({ status: 'ACTIVE', version: 0 });
  });

  it('pauseQueue and resumeQueue are for owners', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    for (const { call, status } of [
      { call: member.call, status: 403 },
      { call: stranger.call, status: 404 },
    ]) {
      expect((await call.pauseQueue({ path: queue.path, body: { reason } })).status).toBe(status);
      expect((await call.resumeQueue({ path: queue.path })).status).toBe(status);
    }
  });

  it('pauseQueue lets nothing be granted once it has answered, however many claim', async () => {
    const queue = await createQueue(app);
    await queue.add(...Array.from({ length: 300 }, (_, amount) => amount));
    let isPaused = false;
    const late: boolean[] = [];
    const claimers = Array.from({ length: 8 }, async () => {
      for (let granted = 1; granted > 0;) {
        const wasPaused = isPaused;
        granted = (await queue.claim()).length;
        late.push(wasPaused && granted > 0);
      }
    });
    await pause(queue);
    isPaused = true;
    await Promise.all(claimers);
    expect(late).not.toContain(true);
    const { counts } = (await queue.owner.call.getQueueStats({ path: queue.path })).body;
    expect(counts.NEW + counts.IN_PROGRESS).toBe(300);
    await queue.owner.call.resumeQueue({ path: queue.path });
    expect(await queue.claim(300)).toHaveLength(counts.NEW);
  });
});

describe('resumeQueue', () => {
  it('resumeQueue makes the queue active, and consumers that wait get its items', async () => {
    const queue = await createQueue(app);
    const active = await read(queue);
    await pause(queue);
    await queue.add(5);
    const claiming = queue.claim(1, { waitSeconds: 20 });
    const { status, body } = await queue.owner.call.resumeQueue({
      path: queue.path,
      body: { reason: 'Up again' },
    });
    expect([status, body]).toEqual([200, { ...active, version: 2, updatedOn: body.updatedOn }]);
    expect((await claiming).map(({ json }) => json?.['amount'])).toEqual([5]);
    expect((await recorded(queue))[1]).toMatchObject({ operation: 'resumeQueue', reason: 'Up again' });
  });

  it('resumeQueue leaves an active queue as it is', async () => {
    const queue = await createQueue(app);
    const before = await read(queue);
    expect((await queue.owner.call.resumeQueue({ path: queue.path })).body).toEqual(before);
    expect(await recorded(queue)).toEqual([]);
  });
});

describe('resumeQueues', () => {
  it('resumeQueues lets a queue go on at its time, and wakes consumers', async () => {
    const queue = await createQueue(app);
    await pause(queue, soon());
    await queue.add(5);
    expect(await queue.claim(1, { waitSeconds: 20 })).toHaveLength(1);
    const body = await read(queue);
    expect(body).toMatchObject({ status: 'ACTIVE', updatedBy: 0, version: 2 });
    expect(body).not.toHaveProperty('pause');
    expect((await recorded(queue))[1]).toMatchObject({ operation: 'resumeQueues', actor: 0 });
  });

  it('resumeQueues leaves alone what was paused anew, resumed, archived or has no time', async () => {
    const queues = await Promise.all(Array.from({ length: 4 }, () => createQueue(app)));
    const [anew, resumed, archived, open] = queues as [
      QueueFixture,
      QueueFixture,
      QueueFixture,
      QueueFixture,
    ];
    for (const queue of [anew, resumed, archived]) await pause(queue, soon());
    await pause(anew, '2099-01-01T00:00:00Z');
    await resumed.owner.call.resumeQueue({ path: resumed.path });
    await archived.owner.call.archiveQueue({ path: archived.path });
    await pause(open);
    // A queue whose time is later than that of the others shows that the job has run.
    const last = await createQueue(app);
    await pause(last, soon());
    await eventually(
      () => read(last),
      ({ status }) => status === 'ACTIVE',
    );
    expect(await Promise.all(queues.map(async (queue) => (await read(queue)).status))).toEqual([
      'INACTIVE',
      'ACTIVE',
      'INACTIVE',
      'INACTIVE',
    ]);
    expect(await recorded(resumed)).toHaveLength(2);
  });
});

describe('updateQueue', () => {
  const update = async (queue: QueueFixture, settings: object) => {
    const { version } = await read(queue);
    return (await queue.owner.call.updateQueue({ path: queue.path, body: { version, ...settings } as never }))
      .body;
  };

  it('updateQueue pauses and resumes by the status, without a reason', async () => {
    const queue = await createQueue(app);
    const paused = await update(queue, { status: 'INACTIVE' });
    expect(paused.pause).toEqual({ by: queue.owner.id, byName: 'owner', on: paused.updatedOn });
    expect(await update(queue, { status: 'ACTIVE' })).not.toHaveProperty('pause');
  });

  it('updateQueue leaves a pause as it is when it changes something else, or sends it back', async () => {
    const queue = await createQueue(app);
    const { body } = await pause(queue, '2099-01-01T06:00:00Z');
    expect((await update(queue, { description: 'x' })).pause).toEqual(body.pause);
    expect((await update(queue, { ...(await read(queue)) })).pause).toEqual(body.pause);
  });
});
