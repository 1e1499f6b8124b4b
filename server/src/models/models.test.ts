import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { addTenant } from '../testing/tenant.ts';

let app: App;
let producer: TestUser;
let outsider: TestUser;
let foreigner: TestUser;

beforeAll(async () => {
  app = await startApp();
  producer = await app.user('producer');
  outsider = await app.user('outsider', []);
  foreigner = await addTenant(app, 'second');
});

const attributes = [
  { name: 'customer' },
  { name: 'amount', type: 'NUMBER' as const },
  { name: 'due', type: 'DATE' as const, isRequired: false },
];

async function create(name: string) {
  return (await producer.call.createWorkItemModel({ body: { name, attributes } })).body;
}

describe('createWorkItemModel', () => {
  it('createWorkItemModel answers every member of the model as stored', async () => {
    const { status, body } = await producer.call.createWorkItemModel({
      body: { id: 77, version: 9, createdBy: 5, tenantId: 8, name: 'Invoices', attributes },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.any(Number),
      name: 'Invoices',
      version: 0,
      archived: false,
      attributes: [
        { id: expect.any(Number), name: 'customer', type: 'TEXT', isRequired: true },
        { id: expect.any(Number), name: 'amount', type: 'NUMBER', isRequired: true },
        { id: expect.any(Number), name: 'due', type: 'DATE', isRequired: false },
      ],
      createdBy: producer.id,
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/),
      updatedBy: producer.id,
      updatedOn: body.createdOn,
      tenantId: expect.any(Number),
      tenantUuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(body.id).not.toBe(77);
  });

  it('createWorkItemModel keeps names that mean something to JavaScript, and those of any script', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'Größe "groß"', '金額', '🧾', "o'clock; --"];
    const created = await producer.call.createWorkItemModel({
      body: { name: '模型 🧾', attributes: names.map((name) => ({ name })) },
    });
    const { body } = await producer.call.getWorkItemModel({ path: { id: created.body.id as number } });
    expect(body.name).toBe('模型 🧾');
    expect(body.attributes?.map(({ name }) => name)).toEqual(names);
  });

  it('createWorkItemModel takes 200 attributes and no more', async () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `attribute ${index}` }));
    const { status, body } = await producer.call.createWorkItemModel({
      body: { name: 'Wide', attributes: many(200) },
    });
    expect([status, body.attributes?.length, body.attributes?.[199]?.name]).toEqual([
      200,
      200,
      'attribute 199',
    ]);
    const refused = await producer.call.createWorkItemModel({
      body: { name: 'Wider', attributes: many(201) },
    });
    expect([refused.status, refused.error.details?.[0]?.field]).toEqual([400, 'attributes']);
  });

  it('createWorkItemModel refuses what is wrong by name and index', async () => {
    const { status, error } = await producer.call.createWorkItemModel({
      body: { name: 'Twice', attributes: [{ name: 'a' }, { name: 'a' }] },
    });
    expect(status).toBe(400);
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.details).toEqual([
      { index: 1, field: 'name', message: '"a" is that of attribute 0 already' },
    ]);
  });

  it.each([
    [{ name: 'Strict', attributes: [{ name: 'a', type: 'MONEY' }] }, 'attributes.0.type must be one of TEXT'],
    [
      { name: 'Strict', attributes: [{ name: 'a', isrequired: true }] },
      'attributes.0.isrequired is not a known member',
    ],
    [{ name: 7, attributes: [{ name: 'a' }] }, 'name must be a text'],
    [{ name: 'n'.repeat(256), attributes: [{ name: 'a' }] }, 'name must have at most 255'],
    [[], 'must be an object'],
  ])('createWorkItemModel refuses %j, which the contract does not know', async (body, message) => {
    const { status, error } = await producer.call.createWorkItemModel({ body: body as never });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });

  it('createWorkItemModel ignores members that version 4 does not know, and stores none of them', async () => {
    const attribute = { name: 'a', size: 3 };
    const sent = { name: 'Open', attributes: [attribute], colour: 'red' };
    const { status, body } = await producer.call.createWorkItemModel({ body: sent });
    expect(status).toBe(200);
    const read = await producer.call.getWorkItemModel({ path: { id: body.id as number } });
    for (const answer of [body, read.body]) {
      expect(answer).not.toHaveProperty('colour');
      expect(answer.attributes?.[0]).not.toHaveProperty('size');
    }
  });

  it('createWorkItemModel refuses a name that is taken in the tenant, and no other', async () => {
    await create('Taken');
    const { status, error } = await producer.call.createWorkItemModel({
      body: { name: 'Taken', attributes },
    });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
    expect((await producer.call.createWorkItemModel({ body: { name: 'taken', attributes } })).status).toBe(
      200,
    );
    expect((await foreigner.call.createWorkItemModel({ body: { name: 'Taken', attributes } })).status).toBe(
      200,
    );
  });

  it('createWorkItemModel needs the permission createQueues', async () => {
    const runner = await app.user('runner', ['AAE_Bot Runner']);
    const { status, error } = await runner.call.createWorkItemModel({ body: { name: 'Mine', attributes } });
    expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    expect(error.message).toContain('createQueues');
    expect((await app.as(undefined).createWorkItemModel({ body: { name: 'Mine', attributes } })).status).toBe(
      401,
    );
  });
});

describe('getWorkItemModel', () => {
  it('getWorkItemModel answers the model as it was created, to anybody who may create queues', async () => {
    const created = await create('Readable');
    const { status, body } = await app.admin.getWorkItemModel({ path: { id: created.id as number } });
    expect(status).toBe(200);
    expect(body).toEqual({ ...created, capabilities: ['view', 'edit'] });
  });

  it('getWorkItemModel shows a model to who belongs to a queue of it, and to others as one that is missing', async () => {
    const created = await create('Of one queue');
    const path = { id: Number(created.id) };
    const reader = await app.user('reader of one model', ['AAE_Bot Runner']);
    const missing = await reader.call.getWorkItemModel({ path: { id: 987_654 } });
    const unseen = await reader.call.getWorkItemModel({ path });
    expect([unseen.status, unseen.error.message]).toEqual([
      404,
      missing.error.message.replace('987654', String(path.id)),
    ]);
    expect((await reader.call.getWorkItemModel({ path, query: { modelVersion: 0 } })).status).toBe(404);
    expect((await reader.call.listWorkItemModels()).body).toMatchObject({ page: { total: 0 }, list: [] });
    const queue = await producer.call.createQueue({ body: { name: 'Its queue', workItemModelId: path.id } });
    const ofQueue = { id: Number(queue.body.id) };
    await producer.call.addOrUpdateQueueMember({
      path: { ...ofQueue, userId: reader.id },
      body: { role: 'PARTICIPANT' },
    });
    expect((await reader.call.getWorkItemModel({ path })).body).toEqual({
      ...created,
      capabilities: ['view'],
    });
    expect((await reader.call.listWorkItemModels()).body).toMatchObject({
      page: { total: 1 },
      list: [created],
    });
  });

  it('getWorkItemModel knows no model of another tenant', async () => {
    const { id } = await create('Walled');
    const { status, error } = await foreigner.call.getWorkItemModel({ path: { id: id as number } });
    expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  });

  it('getWorkItemModel refuses ids that are none', async () => {
    expect((await producer.call.getWorkItemModel({ path: { id: 2n ** 63n - 1n } })).status).toBe(404);
    expect((await producer.call.getWorkItemModel({ path: { id: 2n ** 63n } })).status).toBe(400);
    expect((await producer.call.getWorkItemModel({ path: { id: 'first' as never } })).status).toBe(400);
  });

  it('getWorkItemModel needs the permission useQueues', async () => {
    const { id } = await create('Hidden');
    expect((await outsider.call.getWorkItemModel({ path: { id: id as number } })).status).toBe(403);
  });
});

describe('listWorkItemModels', () => {
  beforeAll(async () => {
    for (const name of ['Liste Ä', 'Liste C', 'Liste B']) await create(name);
  });

  const listed = { operator: 'substring', field: 'name', value: 'liste' };

  it('listWorkItemModels answers a page of whole models, and how many there are', async () => {
    const { status, body } = await producer.call.listWorkItemModels({
      body: {
        filter: listed,
        sort: [{ field: 'name', direction: 'desc' }],
        page: { offset: 1, length: '1' },
      },
    });
    expect(status).toBe(200);
    const { id } = body.list[0] ?? {};
    const whole = await producer.call.getWorkItemModel({ path: { id: id as number } });
    // The capabilities for each are only in its own answer.
    expect([{ ...body.list[0], capabilities: whole.body.capabilities }]).toEqual([whole.body]);
    expect(body.list).toHaveLength(1);
    expect(body.list[0]?.name).toBe('Liste C');
    const all = await producer.call.listWorkItemModels({ body: {} });
    expect(body.page).toEqual({ offset: 1, total: all.body.page.total, totalFilter: 3 });
    expect(all.body.list).toHaveLength(all.body.page.total);
  });

  it('listWorkItemModels answers the rows by id when no order is asked for', async () => {
    const { body } = await producer.call.listWorkItemModels();
    const ids = body.list.map(({ id }) => id as number);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids.length).toBeGreaterThan(3);
  });

  it('listWorkItemModels answers an empty list past the end', async () => {
    const { status, body } = await producer.call.listWorkItemModels({ body: { page: { offset: 10_000 } } });
    expect([status, body.list]).toEqual([200, []]);
    expect(body.page.totalFilter).toBe(body.page.total);
  });

  it('listWorkItemModels shows nothing of another tenant', async () => {
    const { body } = await foreigner.call.listWorkItemModels({ body: { filter: listed } });
    expect(body).toEqual({ page: { offset: 0, total: 1, totalFilter: 0 }, list: [] });
  });

  it('listWorkItemModels refuses fields and members that it does not know', async () => {
    const { status, error } = await producer.call.listWorkItemModels({
      body: { filter: { operator: 'eq', field: 'colour', value: 1 } },
    });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain('Known fields are id, name, archived, createdOn, updatedOn.');
    expect((await producer.call.listWorkItemModels({ body: { colour: 1 } as never })).status).toBe(400);
  });

  it('listWorkItemModels needs the permission useQueues', async () => {
    expect((await outsider.call.listWorkItemModels()).status).toBe(403);
  });
});
