import { beforeAll, describe, expect, it } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';

let app: App;
let maker: TestUser;
let stranger: TestUser;
let queueAdmin: TestUser;
let powerless: TestUser;
let foreigner: TestUser;
let modelTieBreak: number;

beforeAll(async () => {
  app = await startApp();
  maker = await app.user('maker');
  stranger = await app.user('stranger');
  queueAdmin = await app.user('queue admin', ['AAE_Queue Admin']);
  powerless = await app.user('powerless', []);
  foreigner = await addTenant(app, 'second');
  modelTieBreak = await createModel(maker, 'Orders');
});

async function createModel({ call }: TestUser, name: string): Promise<number> {
  const names = ['customer', 'amount', '-amount', '__proto__', 'constructor', '6', '7', '8', '9', 'A', 'B'];
  const { body } = await call.createWorkItemModel({
    body: { name, attributes: names.map((one) => ({ name: one })) },
  });
  return Number(body.id);
}

async function create(name: string, settings: Partial<Schemas['NewQueue']> = {}, { call } = maker) {
  return call.createQueue({ body: { name, workItemModelId: modelTieBreak, ...settings } });
}

describe('createQueue', () => {
  it('createQueue answers every member of the queue as stored', async () => {
    const settings = {
      description: 'Größe 金額 🧾',
      status: 'INACTIVE' as const,
      reactivationThreshold: 40,
      reactivationUnit: 'COUNT' as const,
      manualProcessingTime: 5,
      manualProcessingTimeUnit: 'minutes',
      disallowDuplicate: true,
      uniqueBy: ['customer'],
      duplicateScope: 'OPEN' as const,
      autoRetryLimit: 3,
      lapseLimit: 2,
      workItemProcessingOrders: ['--amount', '-__proto__', 'customer'],
      indexedColumns: ['constructor'],
      searchedAttributes: ['customer', '__proto__'],
      displayColumns: ['constructor', '-amount'],
      expiry: { type: 'duration', duration: 36, durationUnit: 'hours' },
    };
    const { status, body } = await create('Orders 模型', { ...settings, id: 4, version: 7, createdBy: 1 });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...settings,
      id: expect.any(Number),
      name: 'Orders 模型',
      workItemModelId: modelTieBreak,
      pause: { by: maker.id, byName: 'maker', on: body.createdOn },
      archived: false,
      manualProcessingTimeUnit: 'MINUTES',
      expiry: { type: 'DURATION', duration: 36, durationUnit: 'HOURS' },
      createdBy: maker.id,
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/),
      updatedBy: maker.id,
      updatedOn: body.createdOn,
      version: 0,
      ownerNames: ['maker'],
      memberships: ['OWNER'],
      capabilities: ['view', 'add', 'repair', 'edit'],
    });
  });

  it('createQueue fills in what is left out', async () => {
    const { body } = await create('Plain');
    expect(body).toMatchObject({
      description: '',
      status: 'ACTIVE',
      reactivationThreshold: 100,
      reactivationUnit: 'PERCENT',
      disallowDuplicate: false,
      uniqueBy: [],
      duplicateScope: 'ALL',
      autoRetryLimit: 0,
      lapseLimit: 5,
      workItemProcessingOrders: [],
      displayColumns: ['customer', 'amount', '-amount', '__proto__', 'constructor', '6', '7', '8', '9', 'A'],
    });
    for (const unset of ['expiry', 'manualProcessingTime', 'manualProcessingTimeUnit'])
      expect(body).not.toHaveProperty([unset]);
  });

  it('createQueue makes the creator owner, and nobody else', async () => {
    const { body } = await create('Owned');
    const rows = await app.sql('select user_id::int, role from queue_members where queue_id = $1', [body.id]);
    expect(rows).toEqual([{ user_id: maker.id, role: 'OWNER' }]);
  });

  it('createQueue refuses a model that the tenant does not have', async () => {
    for (const id of [await createModel(foreigner, 'Theirs'), 987_654_321]) {
      const { status, error } = await create('Modelless', { workItemModelId: id });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(error.message).toContain('workItemModelId names no work item model');
      expect(error.details?.[0]?.field).toBe('workItemModelId');
    }
  });

  it('createQueue refuses settings that make no sense, each by name', async () => {
    const { status, error } = await create('Wrong', { displayColumns: ['colour'], expiry: { type: 'SOON' } });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.details?.map(({ field }) => field)).toEqual(['displayColumns', 'expiry.type']);
  });

  it.each([
    [{ colour: 'red' }, 'colour is not a known member'],
    [{ expiry: { type: 'DATE', until: 'x' } }, 'expiry.until is not a known member'],
    [{ expiry: { type: 'DATE', date: 'tomorrow' } }, 'expiry.date must be a time such as'],
    [{ autoRetryLimit: 11 }, 'autoRetryLimit must be at most 10'],
    [{ autoRetryLimit: '1' }, 'autoRetryLimit must be a whole number'],
    [{ lapseLimit: 101 }, 'lapseLimit must be at most 100'],
    [{ status: 'IN_USE' }, 'status must be one of ACTIVE, INACTIVE'],
    [{ displayColumns: Array.from('abcdefghijk') }, 'displayColumns must have at most 10'],
    [{ workItemProcessingOrders: Array.from('abcd') }, 'workItemProcessingOrders must have at most 3'],
    [{ workItemModelId: 2n ** 63n }, 'workItemModelId must be a whole number of at most 64 bits'],
    [{ workItemModelId: -(2n ** 62n) }, 'workItemModelId must be a whole number of at most 64 bits'],
    [{ workItemModelId: '1' }, 'workItemModelId must be a whole number of at most 64 bits'],
    [{ name: undefined }, 'name is required'],
  ])('createQueue refuses %o, which the contract does not know', async (members, message) => {
    const { status, error } = await create('Strict', members as never);
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });

  it('createQueue refuses a name that is taken in the tenant, and no other', async () => {
    await create('Taken');
    const { status, error } = await create('Taken', {}, stranger);
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
    expect((await create('TAKEN')).status).toBe(200);
    const theirs = await createModel(foreigner, 'Theirs too');
    expect((await create('Taken', { workItemModelId: theirs }, foreigner)).status).toBe(200);
  });

  it('createQueue needs the permission createQueues', async () => {
    const runner = await app.user('bot', ['AAE_Bot Runner']);
    const { status, error } = await create('Forbidden', {}, runner);
    expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    const body = { name: 'Forbidden', workItemModelId: modelTieBreak };
    expect((await app.as(undefined).createQueue({ body })).status).toBe(401);
  });
});

describe('getQueue', () => {
  it('getQueue answers the queue as it was created, to whoever may see it', async () => {
    const created = (await create('Seen', { expiry: { type: 'DATE', date: '2099-01-01T00:00:00+01:00' } }))
      .body;
    const path = { id: created.id as number };
    for (const { call } of [maker, queueAdmin]) {
      const { status, body } = await call.getQueue({ path });
      expect(status).toBe(200);
      const { memberships, capabilities } = body;
      expect(body).toEqual({ ...created, memberships, capabilities });
    }
    expect(created.expiry).toEqual({ type: 'DATE', date: '2098-12-31T23:00:00.000Z' });
  });

  it('getQueue knows no queue that the caller does not belong to', async () => {
    const path = { id: (await create('Unseen')).body.id as number };
    const missing = await stranger.call.getQueue({ path: { id: 987_654_321 } });
    for (const { call } of [stranger, foreigner]) {
      const { status, error } = await call.getQueue({ path });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
      // The answer is the same as for a queue that does not exist.
      expect(error.message.replace(String(path.id), '987654321')).toBe(missing.error.message);
    }
    expect((await powerless.call.getQueue({ path })).status).toBe(403);
  });
});

describe('the owners of a queue', () => {
  it('getQueue and listQueues name them to all who see the queue, and name nobody else', async () => {
    const id = Number((await create('Of two')).body.id);
    const add = (user: TestUser, role: 'OWNER' | 'MEMBER') =>
      maker.call.addOrUpdateQueueMember({ path: { id, userId: user.id }, body: { role } });
    const second = await app.user('a second owner');
    const member = await app.user('a member');
    expect((await add(second, 'OWNER')).status).toBeLessThan(300);
    expect((await add(member, 'MEMBER')).status).toBeLessThan(300);
    const ownerNames = ['a second owner', 'maker'];
    for (const { call } of [maker, member, queueAdmin]) {
      expect((await call.getQueue({ path: { id } })).body.ownerNames).toEqual(ownerNames);
      const { list } = (await call.listQueues()).body;
      expect(list.find((one) => one.id === id)?.ownerNames).toEqual(ownerNames);
    }
  });
});

describe('listQueues', () => {
  const ids = (body: Schemas['QueuePage']) => body.list.map(({ id }) => id);
  let mine: Schemas['Queue'][];

  beforeAll(async () => {
    const settings = [{ description: 'x' }, { status: 'INACTIVE' as const }, {}];
    mine = [];
    for (const [index, one] of settings.entries())
      mine.push((await create(`Listed ${index}`, one, stranger)).body);
  });

  it('listQueues shows an owner the own queues only, and counts only those', async () => {
    const { status, body } = await stranger.call.listQueues();
    expect(status).toBe(200);
    expect(body).toEqual({ page: { offset: 0, total: 3, totalFilter: 3 }, list: mine });
  });

  it('listQueues shows members and consumers the queues they belong to, each once', async () => {
    const queue = await createQueue(app);
    const both = await app.user('both', ['AAE_Basic', 'AAE_Bot Runner']);
    await queue.owner.call.addOrUpdateQueueMember({
      path: { ...queue.path, userId: both.id },
      body: { role: 'MEMBER' },
    });
    const { body } = await both.call.listQueues();
    expect(body.page.total).toBe(1);
    expect(ids(body)).toEqual([queue.id]);
    expect(ids((await queue.consumer.call.listQueues()).body)).toContain(queue.id);
  });

  it('listQueues shows queue admins all queues of their tenant', async () => {
    const { body } = await queueAdmin.call.listQueues();
    const [count] = await app.sql<{ count: string }>(
      'select count(*) from queues where tenant_id = (select tenant_id from users where id = $1)',
      [maker.id],
    );
    expect(body.page.total).toBe(Number(count?.count));
    expect(body.list).toHaveLength(body.page.total);
    expect(ids(body)).toEqual(expect.arrayContaining(mine.map(({ id }) => id)));
    expect(ids((await foreigner.call.listQueues()).body)).not.toEqual(expect.arrayContaining([mine[0]?.id]));
  });

  it.each([
    [{ operator: 'eq', field: 'status', value: 'INACTIVE' }, [1]],
    [{ operator: 'ne', field: 'status', value: 'INACTIVE' }, [0, 2]],
    [{ operator: 'substring', field: 'name', value: 'STED 2' }, [2]],
    [{ operator: 'eq', field: 'name', value: 'listed 2' }, []],
    [{ operator: 'not', operands: [{ operator: 'eq', field: 'name', value: 'Listed 2' }] }, [0, 1]],
    [{ operator: 'gt', field: 'createdOn', value: '2020-01-01T00:00:00+09:00' }, [0, 1, 2]],
    [{ operator: 'lt', field: 'updatedOn', value: '2020-01-01' }, []],
    [{ operator: 'eq', field: 'workItemModelId', value: null }, []],
  ])('listQueues filters by %j', async (filter, expected) => {
    const { body } = await stranger.call.listQueues({ body: { filter } });
    expect(ids(body)).toEqual(expected.map((index) => mine[index]?.id));
    expect(body.page).toEqual({ offset: 0, total: 3, totalFilter: expected.length });
  });

  it('listQueues filters by id and by model as number or text', async () => {
    const id = mine[1]?.id;
    for (const value of [id, String(id)]) {
      const filter = {
        operator: 'and',
        operands: [
          { operator: 'eq', field: 'id', value },
          { operator: 'eq', field: 'workItemModelId', value: String(modelTieBreak) },
        ],
      };
      expect(ids((await stranger.call.listQueues({ body: { filter } })).body)).toEqual([id]);
    }
  });

  it('listQueues sorts and pages', async () => {
    const sort = [
      { field: 'status', direction: 'desc' },
      { field: 'name', direction: 'DESC' },
    ];
    const { body } = await stranger.call.listQueues({ body: { sort, page: { offset: '1', length: 1 } } });
    expect(body.page).toEqual({ offset: 1, total: 3, totalFilter: 3 });
    expect(ids(body)).toEqual([mine[2]?.id]);
  });

  it('listQueues refuses what it does not understand', async () => {
    const { status, error } = await stranger.call.listQueues({
      body: { filter: { operator: 'eq', field: 'autoRetryLimit', value: 1 } },
    });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(
      'Known fields are id, name, status, archived, workItemModelId, createdOn, updatedOn.',
    );
  });

  it('listQueues needs the permission useQueues', async () => {
    expect((await powerless.call.listQueues()).status).toBe(403);
  });
});

describe('what the caller may do', () => {
  it('getQueue and listQueues say why the caller belongs to a queue, and what follows from that', async () => {
    const queue = await createQueue(app);
    const participant = await app.user('joined');
    const path = { ...queue.path, userId: participant.id };
    await queue.owner.call.addOrUpdateQueueMember({ path, body: { role: 'PARTICIPANT' } });
    const admin = await app.user('sees all', ['AAE_Queue Admin']);
    const of = async ({ call }: Pick<typeof admin, 'call'>) => {
      const { memberships, capabilities } = (await call.getQueue({ path: queue.path })).body;
      const filter = { operator: 'eq', field: 'id', value: queue.id } as const;
      const [listed] = (await call.listQueues({ body: { filter } })).body.list;
      expect(listed).toMatchObject({ memberships, capabilities });
      return [memberships, capabilities];
    };
    expect(await of(queue.owner)).toEqual([['OWNER'], ['view', 'add', 'repair', 'edit']]);
    expect(await of(participant)).toEqual([['PARTICIPANT'], ['view', 'add']]);
    expect(await of(queue.consumer)).toEqual([['CONSUMER'], ['view', 'process', 'report']]);
    expect(await of(admin)).toEqual([
      ['QUEUE_ADMIN'],
      ['view', 'add', 'repair', 'edit', 'process', 'report'],
    ]);
  });
});
