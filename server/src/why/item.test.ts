import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { complete, createDevice } from '../testing/dispatch.ts';
import { createQueue, eventually } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';
import {
  codesOf,
  createSingleLine,
  measureHandling,
  secondsUntilStart,
  whyItem,
  whyQueue,
} from '../testing/why.ts';
import { beat, finish, held, letLeaseExpire, pathOf } from '../testing/work.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

describe('explainWorkItem', () => {
  it('explainWorkItem expects the start from measured handling times and what can run at once', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { queue } = await createSingleLine(app, [runner]);
    const items = await queue.add(1, 2, 3, 4, 5, 6);
    await measureHandling(app, queue, 60);
    const explained = await whyItem(app.admin, queue, items[4]);
    expect(codesOf(explained)).toEqual(['BEHIND']);
    expect(explained.sentence).toBe(
      '4 items are to start before this one. At the pace of the last 15 minutes it starts in about 2 minutes.',
    );
    expect(explained.reasons[0]?.facts).toMatchObject({ ahead: 4, atOnce: 2, averageHandlingSeconds: 60 });
    expect(Math.round(secondsUntilStart(explained) / 60)).toBe(2);
    expect((await whyItem(app.admin, queue, items[0])).code).toBe('NEXT');
  });

  it('explainWorkItem says when more items are ahead than it counts', async () => {
    const queue = await createQueue(app);
    const [first] = await queue.add(1);
    await app.sql(
      `insert into work_items (queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on)
       select queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on
       from work_items, generate_series(1, 10000) where id = $1`,
      [first?.id],
    );
    const [last] = await queue.add(2);
    const explained = await whyItem(app.admin, queue, last);
    expect(explained.reasons[1]?.sentence).toBe('More than 10,000 items are to start before this one.');
    expect(explained.reasons[1]?.facts).toMatchObject({ aheadMoreThan: 10_000 });
  });

  it('explainWorkItem tells the reason of the queue first, and the place behind it', async () => {
    const queue = await createQueue(app);
    const [, second] = await queue.add(1, 2);
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'audit' } });
    const explained = await whyItem(queue.owner.call, queue, second);
    expect(codesOf(explained)).toEqual(['QUEUE_PAUSED', 'NO_AUTOMATION', 'BEHIND', 'MISSING_PERMISSION']);
    expect(explained.expectedStartOn).toBeUndefined();
  });

  it('explainWorkItem says on which device an item runs, and what became of it', async () => {
    const runner = await createDevice(agent);
    const { queue, pool } = await createSingleLine(app, [runner]);
    const [item] = await queue.add(1);
    const granted = await runner.ask();
    expect((await whyItem(app.admin, queue, item)).sentence).toContain(
      `It is being processed on ${runner.device.hostName} since`,
    );
    expect((await whyItem(queue.owner.call, queue, item)).sentence).toContain(
      `on device ${runner.device.id} since`,
    );
    const body = { version: 0, ownerIds: [queue.owner.id] };
    expect((await app.admin.updatePool({ path: { id: Number(pool.id) }, body })).status).toBe(200);
    expect((await whyItem(queue.owner.call, queue, item)).sentence).toContain(
      `on ${runner.device.hostName} since`,
    );
    await complete(agent, granted);
    const done = await whyItem(app.admin, queue, item);
    expect(done.code).toBe('DONE');
    expect(done.sentence).toMatch(/ by agent\.$/);
  });

  it('explainWorkItem calls a device by its nickname where it has one, explainQueue likewise', async () => {
    const runner = await createDevice(agent, { nickname: 'Runner in the cellar' });
    const { queue } = await createSingleLine(app, [runner]);
    const [item] = await queue.add(1, 2);
    await runner.ask({ count: 1 });
    const { sentence } = await whyItem(app.admin, queue, item);
    expect(sentence).toContain('It is being processed on Runner in the cellar since');
    await app.admin.drainDevice({ path: runner.path, body: { reason: 'patched' } });
    expect((await whyQueue(app.admin, queue)).sentence).toContain(
      'Runner in the cellar is draining (patched)',
    );
  });

  it('explainWorkItem says what becomes of a running item whose holder falls silent', async () => {
    const queue = await createQueue(app, { lapseLimit: 2 });
    await queue.add(1, 2, 3);
    const [plain, cancelled, passed] = await queue.claim(3);
    await queue.owner.call.cancelWorkItem({ path: pathOf(queue, cancelled), body: {} });
    await beat(queue, { ...held(passed), pointOfNoReturn: true });
    const end = async (item: Schemas['WorkItem'] | undefined) =>
      (await whyItem(app.admin, queue, item)).sentence.split(', ').slice(1).join(', ');
    expect(await end(plain)).toBe('it is taken back.');
    expect(await end(cancelled)).toBe('it becomes FAILED.');
    expect(await end(passed)).toBe('it is in doubt (FAILED, IN_DOUBT).');
    for (const item of [plain, cancelled, passed]) await letLeaseExpire(app, item);
    const after = (item: Schemas['WorkItem'] | undefined, code: string) =>
      eventually(
        () => whyItem(app.admin, queue, item),
        (explained) => codesOf(explained).includes(code as 'LAPSED'),
      );
    expect(codesOf(await after(plain, 'LAPSED'))).toEqual(['NEXT', 'LAPSED']);
    expect((await after(cancelled, 'FAILED')).code).toBe('FAILED');
    expect((await after(passed, 'IN_DOUBT')).sentence).toContain('no sign of life until');
    const [again] = await queue.claim();
    expect(await end(again)).toBe('it becomes FAILED: too many holders in a row fell silent.');
  });

  it('explainWorkItem says who put an item aside and until when, whoever edited it since', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const deferredUntil = new Date(Date.now() + 3_600_000).toISOString();
    const path = pathOf(queue, item);
    const change = { id: path.workItemId, queueId: queue.id };
    const deferral = { status: 'DEFERRED' as const, deferredUntil, comment: 'vendor is asked' };
    await queue.owner.call.updateWorkItem({ path, body: { ...change, version: 0, ...deferral } });
    await app.admin.updateWorkItem({ path, body: { ...change, version: 1, priority: 9 } });
    const explained = await whyItem(queue.consumer.call, queue, item);
    expect(explained.code).toBe('DEFERRED');
    expect(explained.sentence).toMatch(/^It was put aside until .* by owner: vendor is asked\./);
  });

  it('explainWorkItem says how it failed, and when the next try is due', async () => {
    const retryBackOff = { type: 'FIXED' as const, seconds: 3600 };
    const queue = await createQueue(app, { autoRetryLimit: 1, retryBackOff });
    await queue.add(1, 2);
    const [technical, business] = await queue.claim(2);
    await finish(
      queue,
      { ...held(technical), status: 'FAILED', error: 'no answer' },
      { ...held(business), status: 'FAILED', failureKind: 'BUSINESS', error: 'vendor is blocked' },
    );
    const waiting = await whyItem(queue.consumer.call, queue, technical);
    expect(waiting.code).toBe('BACK_OFF');
    expect(waiting.sentence).toMatch(/ before try 2 of at most 2\. It failed: no answer\.$/);
    const failed = await whyItem(app.admin, queue, business);
    expect(failed.code).toBe('FAILED');
    expect(failed.sentence).toContain('on business grounds: vendor is blocked.');
  });

  it('explainWorkItem says why an item is in doubt: a silent holder, a report, or a quarantine', async () => {
    const runner = await createDevice(agent, { slots: 3 });
    const { queue } = await createSingleLine(app, [runner]);
    const [silent, reported, taken] = await queue.add(1, 2, 3);
    const granted = await runner.ask();
    const leases = granted.map((item) => ({ ...held(item), pointOfNoReturn: true as const }));
    await agent.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    await letLeaseExpire(app, silent);
    const report = { ...held(granted[1]), status: 'FAILED' as const, error: 'the form has changed' };
    await agent.call.finishWorkItems({ path: queue.path, body: { results: [report] } });
    const after = (item: Schemas['WorkItem'] | undefined) =>
      eventually(
        () => whyItem(app.admin, queue, item),
        ({ code }) => code === 'IN_DOUBT',
      );
    expect((await after(silent)).sentence).toMatch(
      new RegExp(
        `^The device ${runner.device.hostName} passed the point of no return at .*: no sign of life until `,
      ),
    );
    const { sentence } = await after(reported);
    expect(sentence).toContain(
      ' and did not report success: the form has changed. The work may have been done: ',
    );
    await app.admin.quarantineDevice({ path: runner.path, body: { reason: 'wrong version' } });
    expect((await after(taken)).sentence).toContain(': quarantined: wrong version. ');
  });

  it('explainWorkItem says that nobody took an item in time', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'MINUTES' },
    });
    const [item] = await queue.add(1);
    await app.sql(`update work_items set expires_on = now() - interval '1 second' where queue_id = $1`, [
      queue.id,
    ]);
    const explained = await eventually(
      () => whyItem(app.admin, queue, item),
      ({ code }) => code === 'EXPIRED',
    );
    expect(explained.sentence).toContain('Nobody took it in time');
  });

  it('explainWorkItem knows no item of another queue, and nothing for strangers', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const [item] = await other.add(1);
    const path = { ...queue.path, workItemId: item?.id as number };
    expect((await app.admin.explainWorkItem({ path })).error.code).toBe('NOT_FOUND');
    const foreigner = await addTenant(app, 'third');
    expect((await foreigner.call.explainWorkItem({ path: pathOf(other, item) })).status).toBe(404);
  });
});
