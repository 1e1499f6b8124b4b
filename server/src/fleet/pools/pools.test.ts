import type { Schemas } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { startApp, type TestUser } from '../../testing/app.ts';
import { createAutomation, createDevicePeople, createPool, registerDevice } from '../../testing/devices.ts';
import { createQueue } from '../../testing/fixtures.ts';

const app = await startApp();
const { runner, owner, consumer, roleId, poolAdmin, stranger, foreigner } = await createDevicePeople(app);

/** The origin of the tests' calls. */
const origin = { address: '127.0.0.1', userAgent: 'node' };
const pathOf = ({ id }: Pick<Schemas['Pool'], 'id'>) => ({ id: Number(id) });

/** The events of a pool, oldest first. */
const recordOf = ({ id }: Schemas['Pool']) =>
  app.sql(
    `select operation, actor_id::int as actor, changes from events
     where queue_id = 0 and changes->>'poolId' = $1 order by id`,
    [String(id)],
  );

describe('createPool', () => {
  it('createPool answers every member of the pool as stored, and puts it on record', async () => {
    const devices = [await registerDevice(runner), await registerDevice(runner)];
    const settings = {
      name: 'Finance 金',
      description: 'Devices with SAP',
      scheme: 'ROUND_ROBIN' as const,
      timeSliceSeconds: 60,
      deviceIds: devices.map(({ id }) => id),
      ownerIds: [owner.id],
      consumerRoleIds: [roleId],
    };
    const { status, body } = await poolAdmin.call.createPool({ body: { ...settings, id: 4, version: 7 } });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...settings,
      id: expect.any(Number),
      deviceCount: 2,
      createdBy: poolAdmin.id,
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/),
      updatedBy: poolAdmin.id,
      updatedOn: body.createdOn,
      version: 0,
      capabilities: ['view', 'use', 'edit'],
    });
    expect((await app.admin.getPool({ path: pathOf(body) })).body).toEqual(body);
    expect(await recordOf(body)).toEqual([
      { operation: 'createPool', actor: poolAdmin.id, changes: { poolId: body.id, ...settings, ...origin } },
    ]);
  });

  it('createPool makes the creator owner, unless others are named', async () => {
    const { body } = await poolAdmin.call.createPool({ body: { name: 'Least' } });
    expect(body).toMatchObject({
      ownerIds: [poolAdmin.id],
      scheme: 'FAIR',
      timeSliceSeconds: 300,
      deviceCount: 0,
    });
  });

  it('createPool puts a device into several pools', async () => {
    const device = await registerDevice(runner);
    const [one, other] = [await createPool(app, [device]), await createPool(app, [device])];
    const { body } = await app.admin.getDevice({ path: { id: Number(device.id) } });
    expect(body.poolIds).toEqual([one.id, other.id]);
  });

  it('createPool knows no devices, users and roles of another tenant, and none that do not exist', async () => {
    const theirs = {
      deviceIds: Number((await registerDevice(foreigner)).id),
      ownerIds: foreigner.id,
      consumerRoleIds: Number((await foreigner.call.listRoles()).body.list[0]?.id),
    };
    for (const [list, id] of Object.entries(theirs)) {
      const body = { name: 'Theirs', [list]: [id, 987_654_321] };
      const { status, error } = await app.admin.createPool({ body });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(error.details?.map(({ field }) => field)).toEqual([list, list]);
      expect(error.message).toContain(`id ${id}`);
    }
  });

  it('createPool refuses a name that is taken in the tenant, and no other', async () => {
    await createPool(app, [], { name: 'Taken' });
    const { status, error } = await poolAdmin.call.createPool({ body: { name: 'Taken' } });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
    expect((await foreigner.call.createPool({ body: { name: 'Taken' } })).status).toBe(200);
  });

  it.each([
    [{}, 'name is required'],
    [{ name: ' x' }, 'name must not begin or end with white space'],
    [{ name: 'x', scheme: 'RANDOM' }, 'scheme must be one of ROUND_ROBIN, PRIORITY, FAIR'],
    [{ name: 'x', timeSliceSeconds: 0 }, 'timeSliceSeconds must be at least 1'],
    [{ name: 'x', deviceIds: ['1'] }, 'deviceIds.0 must be a whole number'],
    [{ name: 'x', consumerIds: [1] }, 'consumerIds is not a known member'],
  ])('createPool refuses %j', async (body, message) => {
    const { status, error } = await app.admin.createPool({ body: body as never });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });
});

describe('listPools', () => {
  it('listPools shows those that one owns or consumes, each once, and all to pool admins', async () => {
    const pool = await createPool(app, [], { ownerIds: [consumer.id, owner.id], consumerRoleIds: [roleId] });
    const seenBy = async ({ call }: TestUser) => (await call.listPools()).body.list.map(({ id }) => id);
    for (const user of [owner, consumer, poolAdmin]) {
      expect((await seenBy(user)).filter((id) => id === pool.id)).toHaveLength(1);
    }
    expect(await seenBy(stranger)).toEqual([]);
    expect(await seenBy(foreigner)).not.toContain(pool.id);
  });

  it.each([
    [{ operator: 'eq', field: 'name', value: 'Listed B' }, ['Listed B']],
    [{ operator: 'eq', field: 'scheme', value: 'priority' }, ['Listed A']],
    [{ operator: 'eq', field: 'deviceCount', value: 1 }, ['Listed B']],
  ])('listPools filters by %j', async (filter, expected) => {
    const lister = await app.user(`lister of ${expected.join()} by ${filter.field}`);
    const suffix = lister.id;
    await createPool(app, [], { name: `Listed A ${suffix}`, ownerIds: [lister.id], scheme: 'PRIORITY' });
    await createPool(app, [await registerDevice(runner)], {
      name: `Listed B ${suffix}`,
      ownerIds: [lister.id],
    });
    const value = filter.field === 'name' ? `${String(filter.value)} ${suffix}` : filter.value;
    const { body } = await lister.call.listPools({ body: { filter: { ...filter, value } } });
    expect(body.list.map(({ name }) => name)).toEqual(expected.map((name) => `${name} ${suffix}`));
    expect(body.page).toEqual({ offset: 0, total: 2, totalFilter: 1 });
  });
});

describe('updatePool', () => {
  it('updatePool by an owner changes what is said, one version up, and puts only that on record', async () => {
    const device = await registerDevice(runner);
    const pool = await createPool(app, [device], { ownerIds: [owner.id] });
    const { status, body } = await owner.call.updatePool({
      path: pathOf(pool),
      body: { version: 0, scheme: 'PRIORITY', consumerRoleIds: [roleId] },
    });
    expect(status).toBe(200);
    const changes = { scheme: 'PRIORITY', consumerRoleIds: [roleId] };
    expect(body).toEqual({
      ...pool,
      ...changes,
      version: 1,
      updatedBy: owner.id,
      updatedOn: expect.any(String),
    });
    expect((await recordOf(pool)).at(-1)).toEqual({
      operation: 'updatePool',
      actor: owner.id,
      changes: { poolId: pool.id, ...changes, ...origin },
    });
  });

  it('updatePool lets an owner put in devices of own pools only, and pool admins any', async () => {
    const [own, other] = [await registerDevice(runner), await registerDevice(runner)];
    await createPool(app, [own], { ownerIds: [owner.id] });
    await createPool(app, [other], { consumerRoleIds: [roleId] });
    const pool = await createPool(app, [], { ownerIds: [owner.id, consumer.id] });
    const put = ({ call }: TestUser, version: number, deviceIds: Schemas['Pool']['deviceIds']) =>
      call.updatePool({ path: pathOf(pool), body: { version, deviceIds } });
    expect((await put(owner, 0, [own.id])).status).toBe(200);
    for (const user of [owner, consumer]) {
      const { status, error } = await put(user, 1, [own.id, other.id]);
      expect([status, error.details?.[0]?.field]).toEqual([400, 'deviceIds']);
    }
    expect((await put(poolAdmin, 1, [other.id])).body.deviceIds).toEqual([other.id]);
  });

  it('updatePool lets an owner give the pool away', async () => {
    const pool = await createPool(app, [], { ownerIds: [owner.id] });
    const { body } = await owner.call.updatePool({
      path: pathOf(pool),
      body: { version: 0, ownerIds: [stranger.id] },
    });
    expect(body.ownerIds).toEqual([stranger.id]);
    expect((await owner.call.getPool({ path: pathOf(pool) })).status).toBe(404);
    await stranger.call.updatePool({ path: pathOf(pool), body: { version: 1, ownerIds: [] } });
  });

  it('updatePool takes one of two changes of the same version', async () => {
    const pool = await createPool(app, []);
    const calls = ['a', 'b'].map((description) =>
      app.admin.updatePool({ path: pathOf(pool), body: { version: 0, description } }),
    );
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

describe('deletePool', () => {
  it('deletePool leaves the devices, and puts the deletion on record', async () => {
    const device = await registerDevice(runner);
    const pool = await createPool(app, [device], { ownerIds: [owner.id] });
    expect((await owner.call.deletePool({ path: pathOf(pool) })).status).toBe(204);
    expect((await app.admin.getPool({ path: pathOf(pool) })).status).toBe(404);
    expect((await app.admin.getDevice({ path: pathOf(device) })).body.poolIds).toEqual([]);
    expect((await recordOf(pool)).at(-1)).toMatchObject({
      operation: 'deletePool',
      changes: { name: pool.name },
    });
  });

  it('deletePool and an automation that is bound to the pool at the same time: one of them is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [pool, queue] = [await createPool(app, []), await createQueue(app)];
      const body = { name: `Raced ${round}`, queueId: queue.id, poolId: pool.id, botName: 'bot' };
      const [created, deleted] = await Promise.all([
        app.admin.createAutomation({ body }),
        app.admin.deletePool({ path: pathOf(pool) }),
      ]);
      expect([
        [200, 409],
        [400, 204],
        [409, 204],
      ]).toContainEqual([created.status, deleted.status]);
    }
  });

  it('deletePool is refused while automations are bound to the pool, by naming them', async () => {
    const pool = await createPool(app, []);
    const { id, name } = await createAutomation(app, await createQueue(app), pool);
    const { status, error } = await app.admin.deletePool({ path: pathOf(pool) });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain(`Pool ${pool.id} has the automation ${id} "${name}". Delete it first.`);
    expect((await app.admin.deleteAutomation({ path: { id: Number(id) } })).status).toBe(204);
    expect((await app.admin.deletePool({ path: pathOf(pool) })).status).toBe(204);
  });
});
