import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller, type TestUser } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture, withoutNames } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';

let app: App;
let stranger: TestUser;
let foreigner: TestUser;

beforeAll(async () => {
  app = await startApp();
  stranger = await app.user('stranger');
  foreigner = await addTenant(app, 'second');
});

type Attributes = NonNullable<Schemas['WorkItemModelUpdate']['attributes']>;
type Update = Partial<Schemas['WorkItemModelUpdate']>;

async function modelOf({ owner, path }: QueueFixture) {
  const { workItemModelId = 0 } = (await owner.call.getQueue({ path })).body;
  // Only the answer of getWorkItemModel has the caller's capabilities.
  const { capabilities: _, ...model } = (await owner.call.getWorkItemModel({ path: { id: workItemModelId } }))
    .body;
  return model;
}

async function change(queue: QueueFixture, update: Update, { call } = queue.owner) {
  const { id = 0, version = 0 } = await modelOf(queue);
  return call.updateWorkItemModel({ path: { id }, body: { version, ...update } });
}

/** All attributes of the model, some of them changed by name. */
async function attributesWith(queue: QueueFixture, changes: Record<string, Attributes[number]>) {
  const { attributes = [] } = await modelOf(queue);
  return attributes.map(({ id, name = '' }) => ({ id: id as number, ...changes[name] }));
}

async function rename(queue: QueueFixture, names: Record<string, string>) {
  const changes = Object.entries(names).map(([from, name]) => [from, { name }]);
  const attributes = await attributesWith(queue, Object.fromEntries(changes));
  const answer = await change(queue, { attributes });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return answer.body;
}

const read = async ({ owner, path }: QueueFixture, id: unknown) =>
  (await owner.call.getWorkItem({ path: { ...path, workItemId: id as number } })).body;
const create = ({ owner, path }: QueueFixture, ...records: object[]) =>
  owner.call.createWorkItems({
    path,
    body: { workItems: records.map((json) => ({ json })) as never },
  });
const settled = ({ owner, path }: QueueFixture) =>
  eventually(
    async () => (await owner.call.getQueue({ path })).body,
    ({ rekeying }) => !rekeying,
  );
const list = async ({ owner, path }: QueueFixture, filter: object) =>
  (await owner.call.listWorkItems({ path, body: { filter } as never })).body.list.map(({ id }) => id);

async function put(queue: QueueFixture, item: Schemas['WorkItem'], members: object, { call } = queue.owner) {
  const body = { id: item.id, queueId: queue.id, version: item.version, ...members } as never;
  return call.updateWorkItem({ path: { ...queue.path, workItemId: item.id as number }, body });
}

const finish = (queue: QueueFixture, { id, version }: Schemas['WorkItem'], status = 'COMPLETE') =>
  queue.consumer.call.finishWorkItems({
    path: queue.path,
    body: { results: [{ id, version, status }] as never },
  });

describe('updateWorkItemModel', () => {
  it('updateWorkItemModel answers the next version, and the former one can still be read', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const before = await modelOf(queue);
    const [customer, ...others] = before.attributes ?? [];
    const body = await rename(queue, { customer: 'client' });
    const { name = '' } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    expect(body).toEqual({
      dryRun: false,
      workItemModel: {
        ...before,
        version: 1,
        updatedOn: expect.any(String),
        attributes: [
          { ...customer, name: 'client', formerNames: [{ until: 1, name: 'customer' }] },
          ...others,
        ],
      },
      queues: [{ id: queue.id, name, openItems: 1 }],
      invalidItems: 0,
      invalid: [],
    });
    expect(await modelOf(queue)).toEqual(body.workItemModel);
    const path = { id: before.id as number };
    const former = await queue.owner.call.getWorkItemModel({ path, query: { modelVersion: 0 } });
    expect(former.body).toEqual({ ...before, capabilities: ['view', 'edit'] });
    expect((await queue.owner.call.getWorkItemModel({ path, query: { modelVersion: 2 } })).status).toBe(404);
  });

  it('updateWorkItemModel shows and grants waiting items under the new names at once', async () => {
    const queue = await createQueue(app);
    const record = '{"customer":"Jane","amount":12345678901234567890.10}';
    await queue.owner.call.createWorkItemsFromFile({
      path: queue.path,
      body: { file: new Blob(['customer,amount\nJane,12345678901234567890.10\n']) },
    });
    const [item] = (await queue.owner.call.listWorkItems({ path: queue.path })).body.list;
    await rename(queue, { customer: 'client', amount: 'sum' });
    const shown = await read(queue, item?.id);
    expect(shown).toMatchObject({ json: { client: 'Jane' }, modelVersion: 1, col1: 'Jane', version: 0 });
    expect(Object.keys(shown.json ?? {})).toEqual(['client', 'sum']);
    expect((await create(queue, { client: 'Joe' })).status).toBe(200);
    expect((await create(queue, { customer: 'Joe' })).error.details?.map(({ field }) => field)).toEqual([
      'client',
      'customer',
    ]);
    await settled(queue);
    const [stored] = await app.sql('select json::text from work_item_data where item_id = $1', [item?.id]);
    expect(stored).toEqual({ json: record.replace('customer', 'client').replace('amount', 'sum') });
    const [claimed] = await queue.claim();
    expect(claimed).toMatchObject({ json: shown.json, modelVersion: 1, col1: 'Jane' });
  });

  it('updateWorkItemModel leaves items in progress the names they were claimed with, until they come back', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1, workItemProcessingOrders: ['-amount'] });
    await queue.add(1, 2);
    const [held] = (await queue.claim(1)) as [Schemas['WorkItem']];
    await rename(queue, { customer: 'client', amount: 'sum' });
    await settled(queue);
    expect(await read(queue, held.id)).toMatchObject({
      json: held.json,
      modelVersion: 0,
      col1: 'customer 2',
    });
    const refused = await put(queue, held, { json: { client: 'x' } }, queue.consumer);
    expect(refused.error.details?.map(({ field }) => field)).toEqual(['customer', 'client']);
    const progress = await put(queue, held, { json: { customer: 'changed', amount: 7 } }, queue.consumer);
    expect([progress.status, progress.body.modelVersion]).toEqual([200, 0]);
    await finish(queue, progress.body, 'FAILED');
    const back = { status: 'NEW', json: { client: 'changed', sum: 7 }, modelVersion: 1, col2: '7' };
    expect(await read(queue, held.id)).toMatchObject(back);
    const [again] = await queue.claim();
    expect(again).toMatchObject({ ...back, status: 'IN_PROGRESS', id: held.id });
    expect((await put(queue, again ?? {}, { json: { client: 'x' } }, queue.consumer)).status).toBe(200);
  });

  it('updateWorkItemModel keeps the record of what is done, and finds it under the new names', async () => {
    const queue = await createQueue(app);
    await create(queue, { customer: 'Jane', amount: 1 }, { customer: 'Joe', amount: 2 });
    for (const item of await queue.claim(2)) await finish(queue, item);
    // The names are exchanged, so that only the version of a record tells them apart.
    await change(queue, {
      attributes: await attributesWith(queue, { amount: { name: 'customer' }, customer: { name: 'amount' } }),
    });
    await settled(queue);
    const [jane] = await list(queue, { operator: 'eq', field: 'col1', value: 'Jane' });
    expect(await read(queue, jane)).toMatchObject({
      json: { customer: 'Jane', amount: 1 },
      modelVersion: 0,
      col1: 'Jane',
      col2: '1',
    });
    await create(queue, { amount: 'Jim', customer: 3 });
    expect(await list(queue, { operator: 'gt', field: 'col2', value: 1.5 })).toHaveLength(2);
  });

  it('updateWorkItemModel has the settings of queues follow', async () => {
    const queue = await createQueue(app, {
      workItemProcessingOrders: ['-amount', 'customer'],
      displayColumns: ['amount', 'customer'],
      disallowDuplicate: true,
      uniqueBy: ['customer'],
    });
    const [first] = await queue.add(1);
    await rename(queue, { customer: 'client', amount: 'sum' });
    expect(await settled(queue)).toMatchObject({
      workItemProcessingOrders: ['-sum', 'client'],
      displayColumns: ['sum', 'client'],
      uniqueBy: ['client'],
      version: 1,
    });
    const duplicate = await create(queue, { client: 'customer 1', sum: 9 });
    expect([duplicate.status, duplicate.error.details?.[0]?.itemId]).toEqual([409, first?.id]);
    await create(queue, { client: 'b', sum: 5 }, { client: 'a', sum: 5 });
    expect((await queue.claim(3)).map(({ json }) => json?.['client'])).toEqual(['a', 'b', 'customer 1']);
  });

  it('updateWorkItemModel lets updateWorkItemStatus find and edit under the new names what has former ones', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['customer'] });
    await create(queue, { customer: 'b', amount: 2 }, { customer: 'c', amount: 3 });
    await rename(queue, { customer: 'client', amount: 'sum' });
    const filter = { operator: 'eq', field: 'col1', value: 'c' };
    const body = { action: 'EDIT', filter, json: { client: 'a' } } as never;
    const edited = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body });
    expect(edited.body).toMatchObject({ selected: 1, changed: 1 });
    // A claim skips items that the job has locked at that moment.
    await settled(queue);
    expect((await queue.claim(2)).map(({ json, modelVersion }) => [json, modelVersion])).toEqual([
      [{ client: 'a', sum: 3 }, 1],
      [{ client: 'b', sum: 2 }, 1],
    ]);
  });

  it('updateWorkItemModel adds attributes and makes them optional while items wait, which need not change', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const attributes = [
      ...(await attributesWith(queue, { customer: { isRequired: false } })),
      { name: 'note', isRequired: false },
    ];
    const { body } = await change(queue, { attributes });
    expect(body.workItemModel.attributes?.at(-1)).toEqual({
      id: expect.any(Number),
      name: 'note',
      type: 'TEXT',
      isRequired: false,
      formerNames: [{ until: 1 }],
    });
    expect((await queue.owner.call.getQueue({ path: queue.path })).body).not.toHaveProperty('rekeying');
    expect((await create(queue, { note: 'new' }, {})).status).toBe(200);
    expect(withoutNames(await read(queue, item?.id))).toEqual(item);
  });

  it('updateWorkItemModel refuses what would make open items invalid, and says which and how many', async () => {
    const queue = await createQueue(app);
    await create(queue, { customer: 'a' }, { customer: 'b', amount: 2 });
    const [claimed] = (await queue.claim()) as [Schemas['WorkItem']];
    const attributes = await attributesWith(queue, { amount: { isRequired: true } });
    const dry = await change(queue, { attributes, dryRun: true });
    const invalid = [{ queueId: queue.id, itemId: claimed.id, field: 'amount', message: 'is required' }];
    expect(dry.body).toMatchObject({ dryRun: true, invalidItems: 1, invalid, workItemModel: { version: 1 } });
    const { status, error } = await change(queue, { attributes });
    expect([status, error.code, error.details]).toEqual([409, 'IN_USE', invalid]);
    expect(error.message).toContain(`Item ${claimed.id} of queue ${queue.id} would not fit`);
    expect((await modelOf(queue)).version).toBe(0);
    await finish(queue, claimed);
    expect((await change(queue, { attributes })).status).toBe(200);
    expect((await create(queue, { customer: 'c' })).error.message).toContain('amount is required');
  });

  it('updateWorkItemModel counts all invalid items and names the first hundred', async () => {
    const queue = await createQueue(app, { displayColumns: ['customer'] });
    await create(
      queue,
      ...Array.from({ length: 130 }, (_, index) => ({ customer: `c${index}`, urgent: true })),
    );
    const removed = (await attributesWith(queue, {})).slice(0, 3);
    const { error } = await change(queue, { attributes: removed });
    expect(error.message).toContain('130 open items in all');
    expect(error.details).toHaveLength(100);
    expect(error.details?.[0]).toMatchObject({
      field: 'urgent',
      message: expect.stringContaining('is not an'),
    });
  });

  it('updateWorkItemModel removes an attribute that no open item has, unless a setting names it', async () => {
    const queue = await createQueue(app, { displayColumns: ['customer', 'amount'] });
    await create(queue, { customer: 'a', amount: null, due: null });
    const [customer, amount, , urgent] = await attributesWith(queue, {});
    const { status, error } = await change(queue, { attributes: [customer, urgent] as Attributes });
    expect([status, error.message]).toEqual([409, expect.stringContaining('displayColumns of queue')]);
    expect((await change(queue, { attributes: [customer, amount, urgent] as Attributes })).status).toBe(200);
    await settled(queue);
    const [item] = await queue.claim();
    expect(item?.json).toEqual({ customer: 'a', amount: null });
  });

  it('updateWorkItemModel gives an attribute another type where open items fit, and reads none of the old', async () => {
    const queue = await createQueue(app);
    await create(queue, { customer: 'no date' });
    const [done] = (await queue.claim()) as [Schemas['WorkItem']];
    const attributes = await attributesWith(queue, { customer: { type: 'DATE' } });
    expect((await change(queue, { attributes })).error.details?.[0]?.message).toContain('ISO 8601');
    await finish(queue, done);
    await create(queue, { customer: '2026-01-01' });
    expect((await change(queue, { attributes })).status).toBe(200);
    await settled(queue);
    expect(await list(queue, { operator: 'gt', field: 'col1', value: '2025-01-01' })).toHaveLength(1);
    expect(await read(queue, done.id)).not.toHaveProperty('col1');
    expect((await read(queue, done.id)).json).toEqual({ customer: 'no date' });
  });

  it('updateWorkItemModel that says nothing new changes nothing', async () => {
    const queue = await createQueue(app);
    const before = await modelOf(queue);
    const { status, body } = await change(queue, { attributes: before.attributes as Attributes });
    expect([status, body.workItemModel]).toEqual([200, before]);
  });

  it('updateWorkItemModel refuses another version, and a name that is taken', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    expect((await change(queue, { version: 7 })).error.code).toBe('VERSION_CONFLICT');
    const { name = '' } = await modelOf(other);
    expect((await change(queue, { name })).error.code).toBe('NAME_TAKEN');
  });

  it('updateWorkItemModel is for owners of all queues of the model, queue admins and, without queues, its creator', async () => {
    const queue = await createQueue(app);
    const { id = 0 } = await modelOf(queue);
    const path = { id: id as number };
    const told = async (call: Caller) => (await call.getWorkItemModel({ path })).body.capabilities;
    expect((await change(queue, { name: 'Mine' }, stranger)).status).toBe(403);
    expect(await told(stranger.call)).toEqual(['view']);
    expect(await told(queue.owner.call)).toEqual(['view', 'edit']);
    const foreign = await foreigner.call.updateWorkItemModel({ path, body: { version: 0 } });
    expect(foreign.status).toBe(404);
    await stranger.call.createQueue({ body: { name: 'Second', workItemModelId: id } });
    expect((await change(queue, { name: 'Ours' })).error.message).toContain('queues that you do not own');
    expect(await told(queue.owner.call)).toEqual(['view']);
    expect(await told(app.admin)).toEqual(['view', 'edit']);
    expect((await change(queue, { name: 'Ours' }, { call: app.admin } as TestUser)).status).toBe(200);
    const unused = (
      await stranger.call.createWorkItemModel({ body: { name: 'U', attributes: [{ name: 'a' }] } })
    ).body;
    const update = { path: { id: unused.id as number }, body: { version: 0, name: 'V' } };
    expect((await queue.owner.call.updateWorkItemModel(update)).error.message).toContain(
      'created by somebody',
    );
    expect((await stranger.call.updateWorkItemModel(update)).status).toBe(200);
  });

  it('updateWorkItemModel is not for who only has a queue of somebody’s model; it is for who owns one together with its maker', async () => {
    const maker = await app.user('maker of a model');
    const made = await maker.call.createWorkItemModel({ body: { name: 'W', attributes: [{ name: 'a' }] } });
    const id = made.body.id as number;
    const update = (version: number) => ({ path: { id }, body: { version, name: `W${version}` } });
    const { body: queue } = await stranger.call.createQueue({ body: { name: 'On W', workItemModelId: id } });
    expect((await stranger.call.updateWorkItemModel(update(0))).error.message).toContain(
      'created by somebody',
    );
    expect((await maker.call.updateWorkItemModel(update(0))).error.message).toContain('do not own');
    const member = { path: { id: queue.id as number, userId: maker.id }, body: { role: 'OWNER' as const } };
    expect((await stranger.call.addOrUpdateQueueMember(member)).status).toBe(200);
    expect((await maker.call.updateWorkItemModel(update(0))).status).toBe(200);
    expect((await stranger.call.updateWorkItemModel(update(1))).status).toBe(200);
  });

  it('updateWorkItemModel is on record, for the tenant and for each queue', async () => {
    const queue = await createQueue(app);
    await rename(queue, { customer: 'client' });
    const rows = await app.sql(
      `select queue_id::int as queue, actor_id::int as actor, changes from events
       where operation = 'updateWorkItemModel' and (queue_id = $1 or (queue_id = 0 and changes->>'workItemModelId' = $2))
       order by id`,
      [queue.id, String((await modelOf(queue)).id)],
    );
    const displayColumns = ['client', 'amount', 'due', 'urgent'];
    expect(rows).toEqual([
      { queue: queue.id, actor: queue.owner.id, changes: { modelVersion: 1, displayColumns } },
      { queue: 0, actor: queue.owner.id, changes: expect.objectContaining({ version: 1 }) },
    ]);
  });
});
