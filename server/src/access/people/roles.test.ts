import { describe, expect, it } from 'vitest';
import { startApp, type Caller } from '../../testing/app.ts';
import { createPool } from '../../testing/devices.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { basic, manager, foreigner } = await createUserPeople(app);
const anyone = app.as(undefined);

const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const forbidden = [403, 'FORBIDDEN'];
const notFound = [404, 'NOT_FOUND'];

async function createRole(name: string, permissions = ['useQueues', 'generateApiKey']): Promise<number> {
  return Number((await app.admin.createRole({ body: { name, permissions } })).body.id);
}

const calls = {
  updateRole: (caller: Caller, id: number) =>
    caller.updateRole({ path: { id }, body: { version: 0, description: 'x' } }),
  deleteRole: (caller: Caller, id: number) => caller.deleteRole({ path: { id } }),
};

describe.each(Object.entries(calls))('%s', (operationId, call) => {
  it(`${operationId} needs the permission manageUsers, a token, and a role of the tenant`, async () => {
    const id = await createRole(`role for ${operationId}`);
    expect(refusal(await call(basic.call, id))).toEqual(forbidden);
    expect(refusal(await call(anyone, id))).toEqual([401, 'UNAUTHENTICATED']);
    for (const other of [id, 987_654_321])
      expect(refusal(await call(foreigner.call, other))).toEqual(notFound);
    expect((await app.admin.getRole({ path: { id } })).body).toMatchObject({ version: 0, description: '' });
  });

  it(`${operationId} is refused for a role that grants more than the caller may do`, async () => {
    const id = await createRole(`high role for ${operationId}`, ['manageAllQueues']);
    expect(refusal(await call(manager.call, id))).toEqual(forbidden);
  });

  it(`${operationId} leaves the roles of the server as they are`, async () => {
    const { list } = (await app.admin.listRoles()).body;
    const id = list.find(({ name }) => name === 'AAE_Basic')?.id as number;
    const { status, error } = await call(app.admin, id);
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(error.message).toContain('AAE_Basic is one of the server');
  });
});

describe('getRole', () => {
  it('getRole answers a role to those who may view users, and none of another tenant', async () => {
    const id = await createRole('Seen');
    const { status, body } = await manager.call.getRole({ path: { id } });
    expect([status, body.name, body.permissions]).toEqual([200, 'Seen', ['useQueues', 'generateApiKey']]);
    expect(refusal(await basic.call.getRole({ path: { id } }))).toEqual(forbidden);
    expect(refusal(await foreigner.call.getRole({ path: { id } }))).toEqual(notFound);
    expect(refusal(await anyone.getRole({ path: { id } }))).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('updateRole', () => {
  it('updateRole says who loses what that no other role grants, with dryRun without changing anything', async () => {
    const id = await createRole('Shrinking');
    const only = await app.user('only shrinking', ['Shrinking']);
    await app.user('also a runner', ['Shrinking', 'AAE_Bot Runner']);
    const body = { version: 0, permissions: ['useQueues'], dryRun: true };
    const dry = await app.admin.updateRole({ path: { id }, body });
    const taken = [{ userId: only.id, username: 'only shrinking', permissions: ['generateApiKey'] }];
    expect(dry.body).toMatchObject({
      taken,
      takenCount: 1,
      queues: [],
      queueCount: 0,
      role: { permissions: ['useQueues'] },
    });
    expect((await app.admin.getRole({ path: { id } })).body.version).toBe(0);
    expect((await only.call.createApiKey()).status).toBe(200);
    const { body: effect } = await app.admin.updateRole({ path: { id }, body: { ...body, dryRun: false } });
    expect(effect).toMatchObject({ taken, role: { version: 1 } });
    expect(refusal(await only.call.createApiKey())).toEqual(forbidden);
    const { list } = (await app.admin.listEvents({ query: { operation: 'updateRole', last: 5 } })).body;
    expect(list).toMatchObject([{ changes: { roleId: id, permissions: ['useQueues'] } }]);
  });

  it('updateRole grants no more than the caller may do, and refuses an older version and a name that is taken', async () => {
    const id = await createRole('Bounded', ['useQueues']);
    const update = (caller: Caller, body: object) =>
      caller.updateRole({ path: { id }, body: { version: 0, ...body } });
    expect(refusal(await update(manager.call, { permissions: ['viewEvents'] }))).toEqual(forbidden);
    expect(refusal(await update(app.admin, { permissions: ['everything'] }))).toEqual([
      400,
      'INVALID_REQUEST',
    ]);
    expect(refusal(await update(app.admin, { name: 'AAE_Mine' }))).toEqual([400, 'INVALID_REQUEST']);
    expect(refusal(await update(app.admin, { name: 'User manager' }))).toEqual([409, 'NAME_TAKEN']);
    expect((await update(manager.call, { name: 'Renamed' })).body.role).toMatchObject({ name: 'Renamed' });
    expect(refusal(await update(app.admin, {}))).toEqual([409, 'VERSION_CONFLICT']);
  });

  it('updateRole leaves the last operator one', async () => {
    const one = await startApp();
    const role = { name: 'Installers', permissions: ['manageInstallation'] };
    const id = Number((await one.admin.createRole({ body: role })).body.id);
    const me = (await one.admin.getMe()).body;
    const roles = me.roles.filter(({ name }) => name === 'AAE_Admin').concat({ id });
    const path = { id: me.id };
    expect((await one.admin.updateUser({ path, body: { version: 0, roles } })).status).toBe(200);
    const body = { version: 0, permissions: [], dryRun: true };
    const { error } = await one.admin.updateRole({ path: { id }, body });
    expect([error.code, error.message]).toEqual([
      'STATUS_CONFLICT',
      expect.stringContaining('last operator'),
    ]);
    await one.stop();
  });
});

describe('deleteRole', () => {
  it('deleteRole takes it from users and queues, and says so beforehand with dryRun', async () => {
    const queue = await createQueue(app);
    const id = await createRole('Leaving');
    const user = await app.user('left', ['Leaving']);
    await queue.owner.call.addQueueConsumer({ path: queue.path, body: { roleId: id } });
    const expected = {
      taken: [{ userId: user.id, username: 'left', permissions: ['generateApiKey', 'useQueues'] }],
      takenCount: 1,
      queues: [{ queueId: queue.id, name: expect.any(String) }],
      queueCount: 1,
    };
    const dry = await app.admin.deleteRole({ path: { id }, query: { dryRun: true } });
    expect([dry.status, dry.body]).toEqual([200, expected]);
    expect((await user.call.claimWorkItems({ path: queue.path, body: {} })).status).toBe(200);
    const odd = await app.admin.deleteRole({ path: { id }, query: { dryRun: 'yes' as never } });
    expect(refusal(odd)).toEqual([400, 'INVALID_REQUEST']);
    expect((await app.admin.deleteRole({ path: { id }, query: { dryRun: false } })).body).toEqual(expected);
    expect(refusal(await user.call.listQueues())).toEqual(forbidden);
    expect(refusal(await app.admin.getRole({ path: { id } }))).toEqual(notFound);
    const { list } = (await app.admin.listEvents({ query: { operation: 'deleteRole', last: 5 } })).body;
    expect(list).toMatchObject([{ changes: { roleId: id, name: 'Leaving', queueIds: [queue.id] } }]);
  });

  it('deleteRole counts the queues that the caller does not see, and names none of them', async () => {
    const id = await createRole('Unseen', ['useQueues']);
    for (const queue of [await createQueue(app), await createQueue(app)])
      await queue.owner.call.addQueueConsumer({ path: queue.path, body: { roleId: id } });
    const seen = await createQueue(app);
    await seen.owner.call.addQueueConsumer({ path: seen.path, body: { roleId: id } });
    await seen.owner.call.addQueueParticipant({ path: seen.path, body: { userId: manager.id } });
    for (const dryRun of [true, false]) {
      const { status, body } = await manager.call.deleteRole({ path: { id }, query: { dryRun } });
      expect([status, body.queueCount, body.queues.map(({ queueId }) => queueId)]).toEqual([
        200,
        3,
        [seen.id],
      ]);
    }
  });

  it('deleteRole is refused while the role is a consumer of a pool, also with dryRun', async () => {
    const id = await createRole('In a pool');
    const pool = await createPool(app, []);
    const path = { id: Number(pool.id) };
    const body = { version: pool.version, consumerRoleIds: [id] };
    expect((await app.admin.updatePool({ path, body })).status).toBe(200);
    for (const query of [{ dryRun: true }, {}]) {
      const { status, error } = await app.admin.deleteRole({ path: { id }, query });
      expect([status, error.code]).toEqual([409, 'IN_USE']);
      expect(error.message).toContain('consumer of a pool');
    }
  });
});
