import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Connection } from './engine/connection.ts';
import { startApp, type App } from './testing/app.ts';
import { createDevice, createLine } from './testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from './testing/fixtures.ts';
import { broken, type Rule } from './testing/routing.ts';
import { beat, finish, held, letLeaseExpire, pathOf, read } from './testing/work.ts';

/** All statements sent by the server in the course of the items' lives, with their names where they have one. */
const sent = new Map<string, string>();

let app: App;

beforeAll(async () => {
  const query = vi.spyOn(Connection.prototype, 'query');
  app = await startApp();
  for (const live of [
    lifeByBots,
    lifeByPeople,
    lifeInBulk,
    lifeByTime,
    lifeWithKeys,
    lifeFromFiles,
    lifeInBatches,
    lifeOnDevices,
    reading,
  ])
    await live();
  for (const [statement] of query.mock.calls as unknown as [string | { text: string; name?: string }][]) {
    const { text, name } = typeof statement === 'string' ? { text: statement } : statement;
    sent.set(text.replaceAll(/\s+/g, ' ').trim(), name ?? '');
  }
  query.mockRestore();
});

/** Asserts success: a refused call sends other statements, and would prove nothing. */
async function ok(call: Promise<{ status: number; error: object }>): Promise<void> {
  const { status, error } = await call;
  expect(status, JSON.stringify(error)).toBeLessThan(300);
}

const everything = { operator: 'gt', field: 'id', value: 0 } as const;
const bulk = ({ owner, path }: QueueFixture, body: object) =>
  ok(
    owner.call.updateWorkItemStatus({
      path,
      body: { ...('ids' in body ? {} : { filter: everything }), ...body },
    }),
  );

async function lifeByBots(): Promise<void> {
  const queue = await createQueue(app, { autoRetryLimit: 1, retryBackOff: { type: 'FIXED', seconds: 600 } });
  await queue.add(1, 2, 3, 4, 5, 6);
  const [one, two, three, four, five] = await queue.claim(5, { deviceId: await queue.device() });
  await beat(queue, { ...held(one), pointOfNoReturn: true, progress: { percent: 1 }, logTail: 'begun' });
  await finish(queue, { ...held(one), status: 'COMPLETE', output: { paid: true } } as never);
  await finish(queue, { ...held(one), status: 'COMPLETE' }, { ...held(two), status: 'NEW' });
  await finish(queue, { ...held(two), status: 'COMPLETE' });
  const failed = { ...held(three), status: 'FAILED', failureKind: 'SYSTEM', error: 'down' } as const;
  await finish(queue, failed, { ...held(four), status: 'DEFERRED' });
  await ok(
    queue.consumer.call.updateWorkItem({
      path: pathOf(queue, five),
      body: { ...held(five), queueId: queue.id, status: 'COMPLETE' },
    }),
  );
}

/** The version of an item that a person has seen, for a change of it. */
const seen = async (queue: QueueFixture, item: Schemas['WorkItem'] | undefined) => ({
  version: Number((await read(queue, item)).version),
});

async function lifeByPeople(): Promise<void> {
  const queue = await createQueue(app, { indexedColumns: ['customer'], searchedAttributes: ['customer'] });
  const [one, two, three, four] = await queue.add(1, 2, 3, 4);
  const { call } = queue.owner;
  const put = (item: typeof one, members: object) =>
    ok(
      call.updateWorkItem({
        path: pathOf(queue, item),
        body: { ...held(item), queueId: queue.id, ...members },
      }),
    );
  await put(one, { json: { customer: 'corrected' }, comment: 'corrected', tags: ['seen'] });
  await put(two, { status: 'FAILED' });
  await ok(call.restartWorkItem({ path: pathOf(queue, two), body: await seen(queue, two) }));
  await put(three, { status: 'DEFERRED', deferredUntil: '2099-01-01T00:00:00Z' });
  await ok(call.releaseWorkItem({ path: pathOf(queue, three), body: await seen(queue, three) }));
  await ok(call.deleteWorkItem({ path: pathOf(queue, four) }));
  await ok(
    queue.consumer.call.updateWorkItem({
      path: pathOf(queue, one),
      body: { ...held(await read(queue, one)), queueId: queue.id, status: 'IN_PROGRESS' },
    }),
  );
  await ok(call.cancelWorkItem({ path: pathOf(queue, one) }));
  const [taken] = await queue.claim();
  await beat(queue, { ...held(taken), pointOfNoReturn: true });
  await finish(queue, { ...held(taken), status: 'FAILED', failureKind: 'SYSTEM', error: 'unknown' });
  await ok(
    call.resolveWorkItem({
      path: pathOf(queue, taken),
      body: { ...(await seen(queue, taken)), answer: 'DONE', note: 'paid' },
    }),
  );
}

async function lifeInBulk(): Promise<void> {
  const [queue, other] = [await createQueue(app), await createQueue(app)];
  const { body } = await queue.owner.call.getQueue({ path: queue.path });
  const sibling = await queue.owner.call.createQueue({
    body: { name: 'Sibling', workItemModelId: body.workItemModelId ?? 0 },
  });
  const added = await queue.add(1, 2, 3, 4);
  await bulk(queue, { action: 'DEFER', dryRun: true });
  await bulk(queue, { action: 'DEFER' });
  await bulk(queue, { action: 'DEFER', ids: added.map(({ id }) => id) });
  await bulk(queue, { action: 'RELEASE' });
  await bulk(queue, { action: 'MOVE', queueId: sibling.body.id });
  await other.add(1);
  await bulk(other, { action: 'DELETE' });
  await lifeOfFailures();
}

async function lifeOfFailures(): Promise<void> {
  const queue = await createQueue(app);
  const { call } = queue.owner;
  await queue.add(1, 2);
  const [one, two] = await queue.claim(2, { deviceId: await queue.device() });
  const failed = { status: 'FAILED', failureKind: 'SYSTEM', error: 'no row 7' } as const;
  await finish(queue, { ...held(one), ...failed }, { ...held(two), ...failed });
  const rows = [{ id: Number(one?.id), json: { amount: 3 }, ...(await seen(queue, one)) }];
  await ok(call.updateWorkItems({ path: queue.path, body: { rows, restart: true } }));
  await bulk(queue, { action: 'RESTART', ids: [two?.id] });
  const cause = { signature: 'no row <number>', failureKind: 'SYSTEM' } as const;
  await ok(call.noteFailureCluster({ path: queue.path, body: { ...cause, note: 'wait' } }));
  await ok(call.noteFailureCluster({ path: queue.path, body: { ...cause, note: '' } }));
  await ok(call.listFailureClusters({}));
}

async function lifeByTime(): Promise<void> {
  const expiry = { type: 'DURATION', duration: 1, durationUnit: 'HOURS' } as const;
  const queue = await createQueue(app, { expiry });
  const [expiring] = await queue.add(1);
  await app.sql(`update work_items set expires_on = now() where id = $1`, [expiring?.id]);
  await eventually(
    () => read(queue, expiring),
    ({ status }) => status === 'FAILED',
  );
  await queue.add(2);
  const [lapsing] = await queue.claim();
  await letLeaseExpire(app, lapsing);
  await eventually(
    () => read(queue, lapsing),
    ({ status }) => status === 'NEW',
  );
  await bulk(queue, { action: 'DEFER', deferredUntil: '2099-01-01T00:00:00Z' });
  await app.sql(`update work_items set not_before = now() where id = $1`, [lapsing?.id]);
  await eventually(
    () => read(queue, lapsing),
    ({ status }) => status === 'NEW',
  );
  await ok(
    queue.owner.call.updateQueue({
      path: queue.path,
      body: { version: 0, workItemProcessingOrders: ['amount'], indexedColumns: ['amount'] },
    }),
  );
  await eventually(
    async () => (await queue.owner.call.getQueue({ path: queue.path })).body,
    ({ rekeying }) => !rekeying,
  );
}

async function lifeWithKeys(): Promise<void> {
  const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['amount'] });
  await queue.add(1, 2, 2, 3);
  const [item] = await queue.claim();
  await finish(queue, { ...held(item), status: 'COMPLETE' });
  const body = { version: 0, duplicateScope: 'OPEN' } as const;
  await ok(queue.owner.call.updateQueue({ path: queue.path, body }));
  const file = new Blob(['customer,amount\nJane,7\nJoe,8\n']);
  await ok(queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } }));
}

async function lifeFromFiles(): Promise<void> {
  const queue = await createQueue(app, { indexedColumns: ['amount'], searchedAttributes: ['customer'] });
  const file = new Blob(['customer,amount\nJane,7\nJoe,much\n']);
  await ok(queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } }));
  await ok(queue.owner.call.listUploads({ path: queue.path }));
  await bulk(queue, { action: 'DELETE' });
  await ok(queue.owner.call.deleteQueue({ path: queue.path }));
}

async function lifeInBatches(): Promise<void> {
  const queue = await createQueue(app);
  const { call } = queue.owner;
  const batch = await call.createBatch({ path: queue.path, body: { name: 'Payments' } });
  const batchId = batch.body.id as number;
  const workItems = [1, 2].map((amount) => ({ json: { customer: 'x', amount } }));
  await ok(call.createWorkItems({ path: queue.path, body: { batchId, workItems } }));
  const [one, two] = await queue.claim(2);
  await finish(queue, { ...held(one), status: 'COMPLETE' }, { ...held(two), status: 'COMPLETE' });
  await ok(call.listBatches({ path: queue.path }));
  const filter = { operator: 'eq', field: 'batchId', value: batchId } as const;
  await ok(call.listWorkItems({ path: queue.path, body: { filter } }));
  await ok(call.closeBatch({ path: { ...queue.path, batchId } }));
  await eventually(
    async () => (await call.getBatch({ path: { ...queue.path, batchId } })).body,
    ({ completedOn }) => completedOn !== undefined,
  );
}

async function lifeOnDevices(): Promise<void> {
  const device = await createDevice(await app.user('agent', ['AAE_Bot Runner']), { slots: 2 });
  const { lines } = await createLine(app, [device]);
  await lines[0]?.queue.add(1, 2, 3);
  expect(await device.ask({ count: 2 })).toHaveLength(2);
  await ok(app.admin.quarantineDevice({ path: { id: Number(device.device.id) }, body: { reason: 'odd' } }));
}

async function reading(): Promise<void> {
  const queue = await createQueue(app);
  const [item] = await queue.add(1, 2);
  const { call } = queue.owner;
  const lists = [
    {},
    { filter: { operator: 'eq', field: 'status', value: 'NEW' } },
    { filter: { operator: 'eq', field: 'col1', value: 'customer 1' } },
    { filter: { operator: 'gt', field: 'createdOn', value: '2026-01-01T00:00:00Z' } },
    { sort: [{ field: 'priority', direction: 'desc' }] },
    { sort: [{ field: 'col2', direction: 'asc' }] },
    { filter: { operator: 'substring', field: 'any', value: 'customer' } },
  ];
  for (const body of lists) await ok(call.listWorkItems({ path: queue.path, body }));
  await ok(call.listWorkItemEvents({ path: pathOf(queue, item) }));
  await ok(call.getQueueStats({ path: queue.path }));
  await ok(call.explainQueue({ path: queue.path }));
  await ok(call.explainWorkItem({ path: pathOf(queue, item) }));
  await ok(call.listEvents({ query: { queueId: queue.id } }));
  await ok(call.countEvents({ query: { queueId: queue.id } }));
  await ok(call.listDoubts({}));
  for (const text of ['customer', String(item?.id)]) await ok(call.findWorkItems({ body: { text } }));
  await ok(call.listQueueStats({}));
  await ok(call.getQueueHistory({ path: queue.path }));
  await ok(call.getQueueForecast({ path: queue.path }));
  await ok(call.getQueueSavings({ path: queue.path }));
}

/** The title of a statement here: its name, without the part that distinguishes its texts, or its beginning. */
const titleOf = (text: string, name: string) => name.split(' ')[0] || text.slice(0, 75);

/** Statements that break rules, with the rules. This list only shrinks. */
const known: Readonly<Record<string, readonly Rule[]>> = {
  '(select e.id, e.operation, e.actor_id as "actorId", u.username as "actorNam': ['neighbour'],
  claimItem: ['lookup', 'neighbour', 'place', 'queue', 'subscript', 'top'],
  claimItems: ['lookup', 'neighbour', 'place', 'queue', 'subscript', 'top'],
  countClaimable: ['place'],
  endCycles: ['neighbour', 'queue'],
  insertEvents: ['lookup', 'neighbour', 'queue'],
  insertItems: ['lookup', 'neighbour', 'top'],
  lockItems: ['neighbour'],
  readItems: ['neighbour'],
  saveItems: ['place', 'queue'],
  saveLeases: ['place', 'queue'],
  'select count(*) from work_items i join queues q on q.id = i.queue_id where ': ['neighbour', 'queue'],
  'select d.id, d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slo': ['neighbour', 'queue'],
  'select distinct queue_id as id from work_items where expires_on <= $1 and s': ['queue'],
  'select distinct queue_id as id from queue_history where seconds = $1 and at': ['queue'],
  'select distinct queue_id as id from work_items where not_before <= $1': ['queue'],
  'select e.id, e.operation, e.actor_id as "actorId", u.username as "actorName': ['neighbour'],
  'select i.id, i.status, i.failure_kind as "failureKind", i.error, i.retry_co': ['neighbour'],
  'select i.queue_id as "queueId", q.name as "queueName", i.id, i.version, i.e': ['neighbour', 'queue'],
  'select id, status, version, coalesce(model_version, 0) as "modelVersion", p': ['neighbour'],
  'select k.row, k.id, nullif(h.item_id, k.id) as "holderId", h.item_id is nul': ['neighbour'],
  'select q.id as "queueId", q.status, q.archived_on as "archivedOn", q.paused': ['neighbour', 'queue'],
  'select queue_id as "queueId", array_agg(id order by id) as "itemIds" from w': ['queue'],
  'select queue_id as "queueId", id, lease_expires_on as on from work_items wh': ['queue'],
  'select queue_id as "queueId", id as "batchId", watched_from as "from" from ': ['queue'],
  'select queue_id as "queueId", id as "uploadId", file_name as "fileName" fro': ['queue'],
  completeItems: ['place', 'queue'],
  'select queue_id as id from queue_tallies group by queue_id having count(*) ': ['queue'],
  'select queue_id as id from queue_tallies where queue_id > $1 group by queue': ['queue'],
  'select (select created_on from work_items where queue_id = q.id and status ': ['queue'],
  'select least((select min(not_before) from work_items where queue_id = q.id ': ['queue'],
  'select t.* from unnest($1::bigint[]) with ordinality as q (id, place) cross': ['queue'],
  selectFeedAfter: ['neighbour', 'queue'],
  selectPlacesOfTimes: ['queue'],
  storeRows: ['lookup', 'neighbour', 'top'],
  'select from tenants t, lateral ( select from events e where e.tenant_id = t': ['neighbour', 'queue'],
  'select t.id as "tenantId", t.uuid as tenant, coalesce(c.number, 0) as numbe': ['neighbour', 'queue'],
  'with n as materialized ( select found.place, changed.json from json_to_reco': ['place', 'queue'],
  'with n as materialized ( select found.place, moved.* from json_to_recordset': ['place', 'queue'],
  'with next as materialized ( select distinct on (hash) hash, id from file_ke': ['neighbour', 'top'],
  'with s as materialized ( select * from events e where e.tenant_id = $1 and ': ['neighbour', 'queue'],
  'with t as (delete from queue_tallies where queue_id = $1), h as (delete fro': ['neighbour', 'top'],
  'select distinct queue_id as "queueId", batch_id as "batchId" from batch_tal': ['queue'],
  'with taken as materialized ( delete from batch_tallies where queue_id = $1 ': ['top'],
};

test('every statement on the tables of items goes to the machine of its queue, but for those that are known', async () => {
  const found: Record<string, Rule[]> = {};
  for (const [text, name] of sent) {
    const rulesBroken = await broken(text);
    if (rulesBroken.size === 0) continue;
    const title = titleOf(text, name);
    found[title] = [...new Set([...(found[title] ?? []), ...rulesBroken])].toSorted();
  }
  expect(found).toEqual(known);
});

test('every statement on items that has a name was sent', () => {
  const names = new Set([...sent.values()].map((name) => name.split(' ')[0]));
  expect(namesInSource().filter((name) => !names.has(name))).toEqual([]);
});

const rooms = ['work-items', 'journal', 'duplicates', 'records', 'intake'];

function namesInSource(): string[] {
  const files = rooms.flatMap((room) => {
    const folder = join(import.meta.dirname, room);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
  });
  const texts = files
    .filter((file) => /(?<!\.test)\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/named\(\s*['`](\w+)/g)].map(([, name]) => String(name)));
}

describe('broken', () => {
  test.for<[Rule, string]>([
    ['queue', 'select id from work_items where id = $1'],
    [
      'queue',
      'select d.json from work_items i join work_item_data d on d.item_id = i.id where i.queue_id = $1',
    ],
    ['queue', 'select id from work_items where queue_id = $1 union select id from work_items where id = $2'],
    ['queue', 'select id from work_items where queue_id = $1 or id = $2'],
    ['queue', 'select id from work_items where queue_id = any($1)'],
    ['queue', 'delete from events where id = $1'],
    ['top', 'with gone as (delete from work_items where queue_id = $1 returning id) select id from gone'],
    ['place', 'update work_items i set version = 1 from n where i.queue_id = $1 and i.ctid = n.place'],
    ['subscript', 'update work_items i set version = ($1::int[])[1] where i.queue_id = $2'],
    [
      'lookup',
      'insert into events (queue_id, tenant_id) select $1, (select tenant_id from queues where id = $1)',
    ],
    ['neighbour', 'select from work_items i join queues q on q.id = i.queue_id where i.queue_id = $1'],
    ['volatile', 'update work_items set updated_on = clock_timestamp() where queue_id = $1'],
  ])('%s is seen in: %s', async ([rule, text]) => {
    expect([...(await broken(text))]).toContain(rule);
  });

  test.for([
    'select d.json from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id where i.queue_id = $1',
    'select (select count(*) from events e where e.queue_id = i.queue_id) from work_items i where i.queue_id = $1',
    'with p as (select id from work_items where queue_id = $1) update work_items i set version = 1 from p where i.queue_id = $2 and i.id = p.id',
    'select (select count(*) from events e where e.queue_id = i.queue_id) from (select * from work_items where queue_id = $1) i',
    'insert into events (queue_id) values ($1)',
    'select name from queues',
  ])('nothing is said of: %s', async (text) => {
    expect([...(await broken(text))]).toEqual([]);
  });
});
