import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { complete, createDevice } from '../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';
import {
  codesOf,
  createSingleLine,
  measureHandling,
  secondsUntilStart,
  whyItem,
  whyQueue,
} from '../testing/why.ts';
import { finish, held, pathOf } from '../testing/work.ts';

let app: App;
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
});

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

async function defer(queue: QueueFixture, items: readonly Schemas['WorkItem'][], until?: string) {
  for (const item of items) {
    const path = pathOf(queue, item);
    const change = { id: path.workItemId, queueId: queue.id, version: 0, status: 'DEFERRED' as const };
    const body = until === undefined ? change : { ...change, deferredUntil: until };
    expect((await queue.owner.call.updateWorkItem({ path, body })).status).toBe(200);
  }
}

async function forbidClaims({ id }: QueueFixture) {
  await app.sql('delete from queue_consumers where queue_id = $1', [id]);
}

describe('explainQueue', () => {
  it('explainQueue says that nobody takes the items, and what the caller lacks', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const explained = await whyQueue(queue.owner.call, queue);
    expect(codesOf(explained)).toEqual(['NO_AUTOMATION', 'MISSING_PERMISSION']);
    expect(explained.sentence).toContain('nobody has claimed from it in the last 15 minutes');
    expect(codesOf(await whyQueue(queue.consumer.call, queue))).toEqual(['NO_AUTOMATION']);
  });

  it('explainQueue takes what devices have done for no consumer, once their automation is gone', async () => {
    const runner = await createDevice(agent);
    const { queue, automation } = await createSingleLine(app, [runner]);
    const [, second] = await queue.add(1, 2);
    await complete(agent, await runner.ask());
    const path = { id: Number(automation.id) };
    expect((await app.admin.deleteAutomation({ path })).status).toBe(204);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['NO_AUTOMATION']);
    expect(codesOf(await whyItem(app.admin, queue, second))).toEqual(['NO_AUTOMATION', 'NEXT']);
    await forbidClaims(queue);
    expect((await whyQueue(app.admin, queue)).sentence).toContain('no role may claim from it');
  });

  it('explainQueue knows consumers by their claims, for a while and as long as their role may claim', async () => {
    const queue = await createQueue(app);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['EMPTY', 'NO_AUTOMATION']);
    await queue.add(1, 2);
    const [item] = await queue.claim();
    expect((await whyQueue(app.admin, queue)).sentence).toBe(
      'Nothing holds the queue up: 1 item waits, 1 item is being processed.',
    );
    await finish(queue, { ...held(item), status: 'COMPLETE' });
    const askedAgo = (time: string) =>
      app.sql('update queue_claims set asked_on = now() - $2::interval where queue_id = $1', [
        queue.id,
        time,
      ]);
    await askedAgo('14 minutes');
    expect((await whyQueue(app.admin, queue)).code).toBe('WORKING');
    await askedAgo('16 minutes');
    expect((await whyQueue(app.admin, queue)).code).toBe('NO_AUTOMATION');
    await queue.claim();
    await askedAgo('16 minutes');
    expect((await whyQueue(app.admin, queue)).code).toBe('EMPTY');
    await forbidClaims(queue);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['EMPTY']);
  });

  it('explainQueue knows a consumer that waits for items, though no role may claim', async () => {
    const queue = await createQueue(app);
    await forbidClaims(queue);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['EMPTY', 'NO_AUTOMATION']);
    const waiting = app.admin.claimWorkItems({ path: queue.path, body: { waitSeconds: 60 } });
    const explained = await eventually(
      () => whyQueue(app.admin, queue),
      ({ reasons }) => reasons.length === 1,
    );
    expect(codesOf(explained)).toEqual(['EMPTY']);
    const [item] = await queue.add(1);
    expect((await waiting).body.list).toMatchObject([{ id: item?.id }]);
  });

  it('explainQueue says by whom and why a queue is paused, and until when', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const until = inAnHour();
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'month-end closing', until } });
    const explained = await whyQueue(app.admin, queue);
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

  it('explainQueue says once that a queue is archived, before all else', async () => {
    const queue = await createQueue(app);
    const items = await queue.add(1);
    await defer(queue, items);
    await queue.owner.call.archiveQueue({ path: queue.path, body: { reason: 'the year is over' } });
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['QUEUE_ARCHIVED', 'DEFERRED', 'NO_AUTOMATION']);
    expect(explained.sentence).toMatch(/ by owner and grants nothing\. Restore it, and resume it then\.$/);
    expect(explained.reasons[0]?.facts).toMatchObject({ reason: 'the year is over' });
    expect(codesOf(await whyItem(app.admin, queue, items[0]))).toEqual([
      'QUEUE_ARCHIVED',
      'DEFERRED',
      'NO_AUTOMATION',
    ]);
  });

  it('explainQueue goes on as before when the model of the queue is archived', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    await queue.claim();
    const { body } = await queue.owner.call.getQueue({ path: queue.path });
    const path = { id: Number(body.workItemModelId) };
    expect((await queue.owner.call.archiveWorkItemModel({ path })).status).toBe(200);
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['WORKING']);
  });

  it('explainQueue says that items wait for their next try, and expects it at that time', async () => {
    const queue = await createQueue(app, {
      autoRetryLimit: 1,
      retryBackOff: { type: 'FIXED', seconds: 3600 },
    });
    await queue.add(1, 2);
    const failed = { status: 'FAILED', failureKind: 'SYSTEM', error: 'no answer' } as const;
    const [first, second] = await queue.claim(2);
    await finish(queue, { ...held(first), ...failed });
    expect(codesOf(await whyQueue(app.admin, queue))).toEqual(['BACK_OFF']);
    await finish(queue, { ...held(second), ...failed });
    await queue.add(3);
    const beside = await whyQueue(app.admin, queue);
    expect(codesOf(beside)).toEqual(['WORKING', 'BACK_OFF']);
    expect(beside.reasons[1]?.sentence).toMatch(/^2 more items wait for their next tries, the first until /);
    const [third] = await queue.claim();
    await finish(queue, { ...held(third), status: 'COMPLETE' });
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['BACK_OFF']);
    const { notBefore } = (await whyItem(app.admin, queue, first)).reasons[0]?.facts ?? {};
    expect(explained.reasons[0]?.facts).toEqual({ items: 2, nextOn: notBefore });
    expect(explained.expectedStartOn).toBe(notBefore);
  });

  it('explainQueue says how many items are put aside, until when or for ever', async () => {
    const queue = await createQueue(app);
    await queue.claim();
    const items = await queue.add(1, 2, 3, 4);
    await defer(queue, items.slice(0, 2));
    await defer(queue, items.slice(2, 3));
    await defer(queue, items.slice(3));
    const forEver = await whyQueue(app.admin, queue);
    expect(forEver.sentence).toBe('4 items are put aside without an end. Release them to go on.');
    expect(forEver.expectedStartOn).toBeUndefined();
    const until = inAnHour();
    const [item] = await queue.add(5);
    await defer(queue, [item as Schemas['WorkItem']], until);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['DEFERRED']);
    expect(explained.sentence).toMatch(/^5 items are put aside, the next until /);
    expect(explained).toMatchObject({
      expectedStartOn: until,
      reasons: [{ facts: { items: 5, nextOn: until } }],
    });
  });

  it('explainQueue tells of a pause after what is put aside, and before what waits for its next try', async () => {
    const queue = await createQueue(app, {
      autoRetryLimit: 1,
      retryBackOff: { type: 'FIXED', seconds: 3600 },
    });
    const [first, second] = (await queue.add(1, 2)) as [Schemas['WorkItem'], Schemas['WorkItem']];
    await defer(queue, [second]);
    await queue.claim();
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'audit' } });
    const whileRunning = await whyQueue(app.admin, queue);
    expect(codesOf(whileRunning)).toEqual(['EMPTY', 'DEFERRED', 'QUEUE_PAUSED']);
    await finish(queue, {
      ...held({ ...first, version: 1 }),
      status: 'FAILED',
      failureKind: 'SYSTEM',
      error: 'none',
    });
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['QUEUE_PAUSED', 'BACK_OFF', 'DEFERRED']);
    expect(explained.expectedStartOn).toBeUndefined();
  });

  it('explainQueue expects the last item at once while slots are free, though others run', async () => {
    const runner = await createDevice(agent, { slots: 2 });
    const { queue } = await createSingleLine(app, [runner]);
    await queue.add(1, 2);
    await runner.ask({ count: 1 });
    await measureHandling(app, queue, 600);
    const explained = await whyQueue(app.admin, queue);
    expect(codesOf(explained)).toEqual(['WORKING']);
    expect(secondsUntilStart(explained)).toBeLessThan(60);
  });

  it('explainQueue is hidden from those who do not belong to the queue, and from other tenants', async () => {
    const queue = await createQueue(app);
    const [stranger, foreigner] = [await app.user('stranger'), await addTenant(app, 'elsewhere')];
    for (const { call } of [stranger, foreigner]) {
      expect((await call.explainQueue({ path: queue.path })).status).toBe(404);
    }
  });
});
