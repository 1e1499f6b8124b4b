import type { Schemas } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { openPool, transaction } from '../../engine/db.ts';
import { startApp, type App, type Caller } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { createLargeQueue } from '../../testing/large-queue.ts';
import { addTenant } from '../../testing/tenant.ts';
import { beat, finish, held, read } from '../../testing/work.ts';
import { signFailures } from './sign.ts';
import { keyless } from '../../testing/keyless.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

type Report = Partial<Schemas['WorkItemReport']>;

/** Items that fail with these errors, one each; returns the claimed items. */
async function fail(queue: QueueFixture, errors: readonly string[], report: Report = {}, claim = {}) {
  await queue.add(...errors.keys());
  const items = await queue.claim(errors.length, claim);
  const failed = { status: 'FAILED', failureKind: 'SYSTEM', ...report } as const;
  await finish(
    queue,
    ...items.map((item, index) => ({ ...held(item), ...failed, error: String(errors[index]) })),
  );
  return items.map(({ id }) => Number(id));
}

const clustersOf = async (call: Caller, query = {}) => (await call.listFailureClusters({ query })).body;
const ofQueue = async ({ owner, id }: QueueFixture) => (await clustersOf(owner.call, { queueId: id })).list;
const timeout = { signature: 'no answer within <number> ms', failureKind: 'SYSTEM' } as const;
const restart = ({ owner, path }: QueueFixture, ids: number[]) =>
  owner.call.updateWorkItemStatus({ path, body: { action: 'RESTART', ids } });

test('listFailureClusters puts failures of one cause together, over all queues, with devices and samples', async () => {
  const [one, other] = [await createQueue(app), await createQueue(app)];
  const deviceId = await one.device();
  const ids = await fail(one, ['no answer within 10 ms', 'no answer within 20 ms'], {}, { deviceId });
  await fail(one, ['the vendor "x" is unknown'], { failureKind: 'BUSINESS' });
  const [last] = await fail(other, ['no answer within 30 ms']);
  const { total, list } = await clustersOf(one.owner.call);
  expect(total).toBe(2);
  const { name } = (await one.owner.call.getQueue({ path: one.path })).body;
  expect(list[0]).toMatchObject({
    ...timeout,
    count: 3,
    isMore: false,
    isNew: true,
    firstSeenOn: expect.any(String),
    lastSeenOn: expect.any(String),
    devices: [{ deviceId, hostName: expect.any(String), count: 2 }],
    notes: [],
    remedies: [],
  });
  expect(list[0]?.queues[0]).toEqual({ queueId: one.id, queueName: name, count: 2, isMore: false });
  expect(new Set(list[0]?.samples.map(({ id }) => id))).toEqual(new Set([...ids, last]));
  expect(list[1]).toMatchObject({
    signature: 'the vendor <text> is unknown',
    failureKind: 'BUSINESS',
    count: 1,
  });
  expect(await ofQueue(other)).toMatchObject([{ ...timeout, count: 1 }]);
});

test('listFailureClusters tells what has become of those that were restarted', async () => {
  const queue = await createQueue(app);
  const ids = await fail(queue, [
    'no answer within 1 ms',
    'no answer within 2 ms',
    'no answer within 3 ms',
    'odd',
  ]);
  const first = await restart(queue, ids);
  const remedy = { by: queue.owner.id, byName: 'owner', restarted: 3, batchId: first.body.batchId };
  const outcome = { done: 0, waiting: 3, failedAgain: 0, failedOtherwise: 0 };
  expect((await ofQueue(queue)).find(({ signature }) => signature === timeout.signature)).toMatchObject({
    count: 0,
    isNew: false,
    queues: [],
    remedies: [{ ...remedy, ...outcome }],
  });
  const [done, again, changed] = await queue.claim(3);
  const failed = { status: 'FAILED', failureKind: 'SYSTEM' } as const;
  await finish(
    queue,
    { ...held(done), status: 'COMPLETE' },
    { ...held(again), ...failed, error: 'no answer within 4 ms' },
    { ...held(changed), ...failed, error: 'something else' },
  );
  const cluster = async () => (await ofQueue(queue)).find(({ signature }) => signature === timeout.signature);
  expect((await cluster())?.remedies).toMatchObject([
    { ...remedy, done: 1, waiting: 0, failedAgain: 1, failedOtherwise: 1 },
  ]);
  await restart(queue, [Number(again?.id)]);
  expect((await cluster())?.remedies).toMatchObject([
    { restarted: 1, waiting: 1 },
    { restarted: 3, done: 1, failedAgain: 0, failedOtherwise: 1 },
  ]);
});

test('listFailureClusters puts first what is in doubt, then what is most', async () => {
  const queue = await createQueue(app);
  await fail(queue, ['one', 'one', 'two']);
  await queue.add(9);
  const [item] = await queue.claim();
  await beat(queue, { ...held(item), pointOfNoReturn: true });
  await finish(queue, { ...held(item), status: 'FAILED', failureKind: 'SYSTEM', error: 'crashed' });
  const list = await ofQueue(queue);
  expect(list.map(({ failureKind, count }) => [failureKind, count])).toEqual([
    ['IN_DOUBT', 1],
    ['SYSTEM', 2],
    ['SYSTEM', 1],
  ]);
  expect((await clustersOf(queue.owner.call, { queueId: queue.id, limit: 1 })).list).toHaveLength(1);
});

test('listFailureClusters shows nobody the failures of a queue that they may not see', async () => {
  const queue = await createQueue(app);
  await fail(queue, ['secret']);
  const query = { queueId: queue.id };
  const stranger = await app.user('stranger');
  const foreigner = await addTenant(app, 'other');
  for (const { call } of [stranger, foreigner]) expect((await clustersOf(call, query)).list).toEqual([]);
  expect((await clustersOf(app.admin, query)).list).toHaveLength(1);
});

test('listWorkItems finds the items of a cluster by errorSignature, also in a large queue', async () => {
  const queue = await createLargeQueue(app, 120_000);
  const ids = await fail(queue, ['no answer within 10 ms', 'no answer within 20 ms', 'other']);
  const filter = { operator: 'eq', field: 'errorSignature', value: timeout.signature };
  const { list, page } = (await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } })).body;
  expect(list.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(list[0]?.errorSignature).toBe(timeout.signature);
  expect(page).toMatchObject({ totalFilter: 2 });
  expect(page).not.toHaveProperty('isPartial');
});

test('listFailureClusters counts failures that came before signatures, as soon as a job has written those', async () => {
  const queue = await createQueue(app);
  const ids = await fail(queue, ['no answer within 10 ms']);
  await app.sql('update work_items set error_signature = null where queue_id = $1', [queue.id]);
  expect(await ofQueue(queue)).toEqual([]);
  const pool = openPool(app.connection, 1);
  const job = signFailures();
  const run = () =>
    transaction(pool, (db) =>
      job.run({ db, now: new Date(), log: console, wake: () => undefined, ...keyless }),
    );
  for (let pause = 0; pause === 0;) pause = await run();
  await pool.end();
  expect(await ofQueue(queue)).toMatchObject([{ ...timeout, count: 1 }]);
  expect((await read(queue, { id: Number(ids[0]) })).errorSignature).toBe(timeout.signature);
});

test('listFailureClusters knows rows of a file that do not fit by what is wrong with them', async () => {
  const queue = await createQueue(app);
  const file = new Blob(['customer,amount\nJane,much\nJoe,more\nJim,7\n']);
  await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } });
  expect(await ofQueue(queue)).toMatchObject([{ failureKind: 'DATA_ERROR', count: 2 }]);
});

test('noteFailureCluster refuses to overwrite a note that the caller has not seen', async () => {
  const queue = await createQueue(app);
  await fail(queue, ['no answer within 10 ms']);
  const note = (text: string, updatedOn?: string | null) =>
    queue.owner.call.noteFailureCluster({
      path: queue.path,
      body: { ...timeout, note: text, ...(updatedOn !== undefined && { updatedOn }) },
    });
  const first = await note('ask the ERP team', null);
  const [late, lateTake] = [await note('restart it at night', null), await note('', null)];
  for (const { status, error } of [late, lateTake])
    expect([status, error.code]).toEqual([409, 'VERSION_CONFLICT']);
  const second = await note('restart it at night', first.body.updatedOn);
  expect(await ofQueue(queue)).toMatchObject([{ notes: [{ note: 'restart it at night' }] }]);
  expect((await note('', first.body.updatedOn)).status).toBe(409);
  expect((await note('', second.body.updatedOn)).status).toBe(200);
  // A note that others have taken away was not seen to go.
  expect((await note('restart it at noon', second.body.updatedOn)).status).toBe(409);
  expect((await note('', null)).status).toBe(200);
  expect(await ofQueue(queue)).toMatchObject([{ notes: [] }]);
});

test('noteFailureCluster keeps one note a cluster and queue, which an empty one takes away', async () => {
  const queue = await createQueue(app);
  await fail(queue, ['no answer within 10 ms']);
  const { call } = queue.owner;
  const note = (text: string) =>
    call.noteFailureCluster({ path: queue.path, body: { ...timeout, note: text } });
  await note('ask the ERP team');
  const { body } = await note('restart it at night');
  expect(body).toMatchObject({ queueId: queue.id, note: 'restart it at night', updatedByName: 'owner' });
  expect(await ofQueue(queue)).toMatchObject([{ isNew: false, notes: [body] }]);
  await note(' ');
  expect(await ofQueue(queue)).toMatchObject([{ isNew: true, notes: [] }]);
  const { list } = (await call.listEvents({ query: { queueId: queue.id, operation: 'noteFailureCluster' } }))
    .body;
  expect(list.map(({ changes }) => changes?.['note'])).toEqual([
    'ask the ERP team',
    'restart it at night',
    '',
  ]);
});
