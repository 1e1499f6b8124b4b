import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../../testing/app.ts';
import { createAutomation, createPool } from '../../testing/devices.ts';
import { complete, createDevice, createLine } from '../../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

let app: App;
let stranger: TestUser;
let foreigner: TestUser;

beforeAll(async () => {
  app = await startApp();
  stranger = await app.user('stranger');
  foreigner = await addTenant(app, 'second');
});

const pathOf = ({ id }: Pick<Schemas['Automation'], 'id'>) => ({ id: Number(id) });
const update = ({ id, version }: Schemas['Automation'], body: object, call = app.admin) =>
  call.updateAutomation({ path: { id: Number(id) }, body: { version, ...body } });

/** The events of a queue and its automations, oldest first. */
const recordOf = (queue: QueueFixture) =>
  app.sql(
    `select operation, actor_id::int as actor, reason, changes from events
     where queue_id = $1 and item_id = 0 and operation like '%Automation' order by id`,
    [queue.id],
  );

describe('createAutomation', () => {
  it('createAutomation answers every member as stored, and puts it on the record of the queue', async () => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    const admin = Number(pool.createdBy);
    const settings = {
      name: 'Post invoices 金',
      description: 'By SAP',
      queueId: queue.id,
      poolId: pool.id,
      botName: 'Post invoice',
      labels: ['germany', 'sap'],
      priority: 7,
      weight: 3,
      status: 'PAUSED' as const,
      statusReason: 'Not before Monday',
      runAsUserIds: [stranger.id],
    };
    const { status, body } = await app.admin.createAutomation({ body: { ...settings, id: 1, version: 3 } });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...settings,
      id: expect.any(Number),
      runAsUsersDisabled: false,
      statusBy: admin,
      statusOn: body.createdOn,
      createdBy: admin,
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/),
      updatedBy: admin,
      updatedOn: body.createdOn,
      version: 0,
    });
    const got = await app.admin.getAutomation({ path: pathOf(body) });
    expect(got.body).toEqual({ ...body, capabilities: ['view', 'edit'] });
    const changes = { automationId: body.id, ...settings };
    expect(await recordOf(queue)).toEqual([
      { operation: 'createAutomation', actor: admin, reason: null, changes },
    ]);
  });

  it('createAutomation fills in what is left out', async () => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    const automation = await createAutomation(app, queue, pool);
    expect(automation).toMatchObject({
      priority: 4,
      weight: 1,
      status: 'ACTIVE',
      labels: [],
      runAsUserIds: [],
    });
    for (const unset of ['statusReason', 'statusBy', 'statusOn'])
      expect(automation).not.toHaveProperty([unset]);
  });

  it('createAutomation knows no queue, pool and user of another tenant, and none that does not exist', async () => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    const theirPool = await createPool({ admin: foreigner.call }, []);
    const sound = { name: 'Theirs', queueId: queue.id, poolId: pool.id, botName: 'bot' };
    for (const [wrong, field] of [
      [{ queueId: 987_654_321 }, 'queueId'],
      [{ poolId: 987_654_321 }, 'poolId'],
      [{ poolId: theirPool.id }, 'poolId'],
      [{ runAsUserIds: [foreigner.id] }, 'runAsUserIds'],
      [{ runAsUserIds: [987_654_321] }, 'runAsUserIds'],
    ] as const) {
      const { status, error } = await app.admin.createAutomation({ body: { ...sound, ...wrong } as never });
      expect([status, error.details?.[0]?.field]).toEqual([400, field]);
    }
    const body = { ...sound, poolId: theirPool.id };
    expect((await foreigner.call.createAutomation({ body })).error.details?.[0]?.field).toBe('queueId');
  });

  it('createAutomation and updateAutomation let a bot work as oneself and whom it names already, and as others if one manages devices', async () => {
    const queue = await createQueue(app);
    const { call, id: self } = queue.owner;
    const pool = await createPool(app, [], { ownerIds: [self] });
    const sound = { name: `As ${self}`, queueId: queue.id, poolId: pool.id, botName: 'bot' };
    const others = [Number(pool.createdBy), 987_654_321];
    const refused = await call.createAutomation({ body: { ...sound, runAsUserIds: [self, ...others] } });
    expect([refused.status, refused.error.code]).toEqual([403, 'FORBIDDEN']);
    expect(refused.error.message).toContain(`as users ${others.join(', ')}`);
    expect(refused.error.message).toContain('manageDevices');
    expect(refused.error.details?.map(({ field }) => field)).toEqual(['runAsUserIds', 'runAsUserIds']);
    const { body: own } = await call.createAutomation({ body: { ...sound, runAsUserIds: [self] } });
    expect(own.runAsUserIds).toEqual([self]);
    expect((await update(own, { runAsUserIds: [stranger.id] }, call)).status).toBe(403);
    const { body: named } = await update(own, { runAsUserIds: [stranger.id] });
    const kept = await update(named, { runAsUserIds: [stranger.id, self], weight: 2 }, call);
    expect(kept.body).toMatchObject({
      weight: 2,
      runAsUserIds: [self, stranger.id].toSorted((a, b) => a - b),
    });
    expect((await update(kept.body, { runAsUserIds: others }, call)).error.message).toContain('user');
  });

  it('createAutomation refuses a second ACTIVE automation of a queue by naming the first, and takes a paused one', async () => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    const first = await createAutomation(app, queue, pool);
    const body = { name: 'Second', queueId: queue.id, poolId: pool.id, botName: 'bot' };
    const { status, error } = await app.admin.createAutomation({ body });
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(error.message).toContain(`${first.id}, "${first.name}"`);
    const second = await createAutomation(app, queue, pool, { status: 'STOPPED', statusReason: 'spare' });
    const activated = await update(second, { status: 'ACTIVE' });
    expect([activated.status, activated.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect((await update(first, { status: 'STOPPED', statusReason: 'replaced' })).status).toBe(200);
    expect((await update(second, { status: 'ACTIVE' })).body.status).toBe('ACTIVE');
  });

  it('createAutomation and updateAutomation make one of many that are activated at once ACTIVE', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [queue, pool] = [await createQueue(app), await createPool(app, [])];
      const held = { status: 'PAUSED', statusReason: 'race' } as const;
      const paused = [
        await createAutomation(app, queue, pool, held),
        await createAutomation(app, queue, pool, held),
      ];
      const body = { name: `Race ${round}`, queueId: queue.id, poolId: pool.id, botName: 'bot' };
      const answers = await Promise.all([
        app.admin.createAutomation({ body }),
        ...paused.map((one) => update(one, { status: 'ACTIVE' })),
      ]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    }
  });

  it('createAutomation refuses a name that is taken in the tenant', async () => {
    const pool = await createPool(app, []);
    const { name } = await createAutomation(app, await createQueue(app), pool);
    const body = { name, queueId: (await createQueue(app)).id, poolId: pool.id, botName: 'bot' };
    const { status, error } = await app.admin.createAutomation({ body });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
  });

  it.each([
    [{ botName: undefined }, 'botName is required'],
    [{ botName: ' ' }, 'botName must not begin or end with white space'],
    [{ priority: 10 }, 'priority must be at most 9'],
    [{ weight: 0 }, 'weight must be at least 1'],
    [{ status: 'ON' }, 'status must be one of ACTIVE, PAUSED, STOPPED'],
    [{ status: 'PAUSED' }, 'statusReason is missing'],
    [{ status: 'PAUSED', statusReason: ' ' }, 'statusReason must not be blank'],
    [{ fileId: 4 }, 'fileId is not a known member'],
  ])('createAutomation refuses %j', async (members, message) => {
    const sound = { name: 'Strict', queueId: 1, poolId: 1, botName: 'bot' };
    const { status, error } = await app.admin.createAutomation({ body: { ...sound, ...members } as never });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });
});

describe('updateAutomation', () => {
  it('updateAutomation keeps who paused it, why and when, until that changes', async () => {
    const queue = await createQueue(app);
    const automation = await createAutomation(
      app,
      queue,
      await createPool(app, [], { ownerIds: [stranger.id] }),
    );
    const reason = 'The ERP is down';
    const paused = (await update(automation, { status: 'PAUSED', statusReason: reason }, stranger.call)).body;
    expect(paused).toMatchObject({
      status: 'PAUSED',
      statusReason: reason,
      statusBy: stranger.id,
      version: 1,
    });
    const heavier = (await update(paused, { weight: 2 })).body;
    expect(heavier).toMatchObject({ weight: 2, statusBy: stranger.id, statusOn: paused.statusOn });
    const active = (await update(heavier, { ...heavier, status: 'ACTIVE' })).body;
    expect(active).toEqual({ ...automation, weight: 2, version: 3, updatedOn: active.updatedOn });
    expect((await recordOf(queue)).slice(1)).toMatchObject([
      { operation: 'updateAutomation', reason, changes: { status: 'PAUSED', automationId: automation.id } },
      { changes: { weight: 2 } },
      { changes: { status: 'ACTIVE' } },
    ]);
  });

  it('updateAutomation moves it to another pool only where one could create it', async () => {
    const queue = await createQueue(app);
    const pool = await createPool(app, [], { ownerIds: [stranger.id] });
    const automation = await createAutomation(app, queue, pool);
    const other = await createPool(app, [], { ownerIds: [stranger.id] });
    // An owner of both pools who does not belong to the queue.
    const { status, error } = await update(automation, { poolId: other.id }, stranger.call);
    expect([status, error.details?.[0]?.field]).toEqual([400, 'queueId']);
    expect((await update(automation, { poolId: other.id })).body.poolId).toBe(other.id);
  });

  it('updateAutomation refuses another queue, a version that has passed, and users that there are not', async () => {
    const automation = await createAutomation(app, await createQueue(app), await createPool(app, []));
    const other = await createQueue(app);
    expect((await update(automation, { queueId: other.id })).status).toBe(400);
    expect((await update(automation, { version: 5 })).error.code).toBe('VERSION_CONFLICT');
    expect((await update(automation, { runAsUserIds: [foreigner.id] })).status).toBe(400);
  });
});

describe('deleteAutomation', () => {
  it('deleteAutomation waits for a grant that is under way, and is refused when an item begins by it', async () => {
    const device = await createDevice({ call: app.admin });
    const { lines } = await createLine(app, [device]);
    const [{ queue, automation }] = lines as [(typeof lines)[0]];
    const grant = new pg.Client(app.connection);
    await grant.connect();
    await grant.query('begin');
    await grant.query('select from automations where id = $1 for no key update', [automation.id]);
    await grant.query(
      `insert into runs (queue_id, item_id, device_id, automation_id, started_on) values ($1, 1, $2, $3, now())`,
      [queue.id, device.device.id, automation.id],
    );
    const deleting = app.admin.deleteAutomation({ path: pathOf(automation) });
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(
      () => app.sql(waiting),
      ({ length }) => length > 0,
    );
    await grant.query('commit');
    await grant.end();
    const { status, error } = await deleting;
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect((await app.admin.getAutomation({ path: pathOf(automation) })).status).toBe(200);
  });

  it('deleteAutomation is refused while items run by it, and is on the record of the queue', async () => {
    const device = await createDevice({ call: app.admin });
    const { lines } = await createLine(app, [device]);
    const [{ queue, automation }] = lines as [(typeof lines)[0]];
    await queue.add(1);
    const items = await device.ask();
    const { status, error } = await app.admin.deleteAutomation({ path: pathOf(automation) });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain('1 item runs by automation');
    await complete({ call: app.admin }, items);
    expect((await app.admin.deleteAutomation({ path: pathOf(automation) })).status).toBe(204);
    expect((await app.admin.getAutomation({ path: pathOf(automation) })).status).toBe(404);
    expect((await recordOf(queue)).at(-1)).toMatchObject({
      operation: 'deleteAutomation',
      changes: { automationId: automation.id, name: automation.name },
    });
  });

  it('deleteQueue is refused with all that holds the queue, its automations among it, and archiving is offered', async () => {
    const queue = await createQueue(app);
    const automation = await createAutomation(app, queue, await createPool(app, []));
    const { status, error } = await queue.owner.call.deleteQueue({ path: queue.path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    const named = `has the automation ${automation.id} "${automation.name}"`;
    expect(error.message).toContain(`${named}. Delete it first, or archive the queue`);
    await queue.add(1, 2);
    const both = await queue.owner.call.deleteQueue({ path: queue.path });
    expect(both.error.message).toContain(
      `holds 2 items (2 NEW), and ${named}. Delete them first, or archive`,
    );
    expect(both.error.details).toEqual([
      { field: 'NEW', message: '2 items' },
      { field: 'automation', message: `${automation.id} "${automation.name}"` },
    ]);
    const body = { action: 'DELETE', filter: { operator: 'gt', field: 'id', value: 0 } } as never;
    await queue.owner.call.updateWorkItemStatus({ path: queue.path, body });
    await app.admin.deleteAutomation({ path: pathOf(automation) });
    expect((await queue.owner.call.deleteQueue({ path: queue.path })).status).toBe(204);
  });
});

describe('listAutomations', () => {
  it('listAutomations shows those of the queues and of the pools that one may see', async () => {
    const poolOwner = await app.user('pool owner');
    const [queue, pool] = [await createQueue(app), await createPool(app, [], { ownerIds: [poolOwner.id] })];
    const automation = await createAutomation(app, queue, pool);
    const seenBy = async ({ call }: Pick<TestUser, 'call'>) =>
      (await call.listAutomations()).body.list.map(({ id }) => id);
    const queueAdmin = await app.user('queue admin', ['AAE_Queue Admin']);
    const poolAdmin = await app.user('pool admin', ['AAE_Pool Admin']);
    for (const user of [queue.owner, queue.consumer, poolOwner, queueAdmin, poolAdmin]) {
      expect(await seenBy(user)).toContain(automation.id);
    }
    expect(await seenBy(await app.user('nobody'))).toEqual([]);
    expect(await seenBy(foreigner)).not.toContain(automation.id);
  });

  it.each([
    [{ operator: 'eq', field: 'botName', value: 'post' }, 1],
    [{ operator: 'eq', field: 'status', value: 'stopped' }, 1],
    [{ operator: 'gt', field: 'priority', value: 4 }, 1],
    [{ operator: 'substring', field: 'name', value: 'AUTOMATION' }, 2],
  ])('listAutomations filters by queue and by %j', async (filter, count) => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    await createAutomation(app, queue, pool, { botName: 'post', priority: 5 });
    await createAutomation(app, queue, pool, { status: 'STOPPED', statusReason: 'old' });
    const ofQueue = { operator: 'eq', field: 'queueId', value: String(queue.id) };
    const { body } = await queue.owner.call.listAutomations({
      body: { filter: { operator: 'and', operands: [ofQueue, filter] } },
    });
    expect(body.list).toHaveLength(count);
  });
});

describe('run-as users that are disabled', () => {
  it('listAutomations finds those whose run-as users are all disabled', async () => {
    const [one, other] = [await app.user('robot-1'), await app.user('robot-2')];
    const pool = await createPool(app, []);
    const create = async (...runAsUserIds: number[]) => {
      const queue = await createQueue(app);
      return createAutomation(app, queue, pool, { runAsUserIds });
    };
    const [first, both, none] = [await create(one.id), await create(one.id, other.id), await create()];
    const found = async () => {
      const filter = { operator: 'eq', field: 'runAsUsersDisabled', value: true };
      return (await app.admin.listAutomations({ body: { filter } })).body.list.map(({ id }) => id);
    };
    expect(await found()).toEqual([]);
    await app.admin.disableUser({ path: { id: one.id } });
    expect(await found()).toEqual([first.id]);
    await app.admin.disableUser({ path: { id: other.id } });
    expect(await found()).toEqual([first.id, both.id]);
    const of = async (automation: typeof none) =>
      (await app.admin.getAutomation({ path: pathOf(automation) })).body.runAsUsersDisabled;
    expect([await of(both), await of(none)]).toEqual([true, false]);
  });
});
