import { beforeAll, expect, test } from 'vitest';
import { startApp, type App, type Caller } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';
import { beat, finish, held, pathOf } from '../../testing/work.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

/** Leaves the outcome of a number of new items unresolved; returns their ids in order. */
async function leaveUnresolved(queue: QueueFixture, count: number) {
  await queue.add(...Array.from({ length: count }, (_, index) => index));
  const items = await queue.claim(count);
  for (const item of items) {
    await beat(queue, { ...held(item), pointOfNoReturn: true });
    await finish(queue, { ...held(item), status: 'FAILED', error: 'crashed' });
  }
  return items.map(({ id }) => id);
}

const idsSeenBy = async (call: Caller) => (await call.listDoubts()).body.list.map(({ id }) => id);

test('listDoubts shows the items of all queues that one may see, those first that have waited longest', async () => {
  const [one, other] = [await createQueue(app), await createQueue(app)];
  const ids = [...(await leaveUnresolved(one, 2)), ...(await leaveUnresolved(other, 1))];
  const { status, body } = await one.owner.call.listDoubts();
  expect([status, body.total]).toEqual([200, 3]);
  expect(body.list.map(({ id }) => id)).toEqual(ids);
  const { name } = (await other.owner.call.getQueue({ path: other.path })).body;
  expect(body.list[2]).toEqual({
    queueId: other.id,
    queueName: name,
    id: ids[2],
    version: 2,
    since: expect.any(String),
    pointOfNoReturnOn: expect.any(String),
    error: expect.stringContaining('whether it was done is not known. crashed'),
  });
  const first = await one.owner.call.listDoubts({ query: { limit: 1 } });
  expect([first.body.total, first.body.list.length]).toEqual([3, 1]);
  const ofOther = await app.admin.listDoubts({ query: { queueId: other.id } });
  expect([ofOther.body.total, ofOther.body.list.map(({ id }) => id)]).toEqual([1, [ids[2]]]);
  expect(await idsSeenBy(app.admin)).toEqual(ids);
  const stranger = await app.user('stranger');
  expect(await idsSeenBy(stranger.call)).toEqual([]);
  const unseen = await stranger.call.listDoubts({ query: { queueId: one.id } });
  expect(unseen.body).toEqual({ total: 0, list: [] });
  expect(await idsSeenBy((await addTenant(app, 'second')).call)).toEqual([]);
  const path = pathOf(one, { id: ids[0] as number });
  await one.owner.call.resolveWorkItem({ path, body: { version: 2, answer: 'DONE' } });
  expect(await idsSeenBy(one.owner.call)).toEqual(ids.slice(1));
});

test('listDoubts refuses a limit that it does not take', async () => {
  for (const limit of [0, 1001]) expect((await app.admin.listDoubts({ query: { limit } })).status).toBe(400);
});

test('getQueueStats counts what waits for a person and for a retry, and says when the next item is due', async () => {
  const backOff = { type: 'FIXED', seconds: 3600 };
  const queue = await createQueue(app, { autoRetryLimit: 1, retryBackOff: backOff });
  const stats = async () => (await queue.owner.call.getQueueStats({ path: queue.path })).body;
  expect(await stats()).toMatchObject({ inDoubt: 0, inBackOff: 0 });
  expect(await stats()).not.toHaveProperty('nextDueOn');
  await leaveUnresolved(queue, 2);
  const deferredUntil = '2099-01-01T00:00:00.000Z';
  const workItems = [{ json: { customer: 'later' }, deferredUntil }];
  await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
  expect(await stats()).toMatchObject({ inDoubt: 2, inBackOff: 0, nextDueOn: deferredUntil });
  await queue.add(1);
  const [item] = await queue.claim();
  await finish(queue, { ...held(item), status: 'FAILED' });
  const { notBefore } = (await queue.owner.call.getWorkItem({ path: pathOf(queue, item) })).body;
  expect(notBefore).toBeDefined();
  expect(await stats()).toMatchObject({ inDoubt: 2, inBackOff: 1, nextDueOn: notBefore, counts: { NEW: 1 } });
});
