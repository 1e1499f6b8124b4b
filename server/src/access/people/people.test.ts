import { describe, expect, it } from 'vitest';
import { password, startApp, type App, type Caller, type TestUser } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { basic, manager, foreigner } = await createUserPeople(app);
const anyone = app.as(undefined);
const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const forbidden = [403, 'FORBIDDEN'];
const pathOf = ({ id }: { id: number }) => ({ path: { id } });
const logIn = (username: string, given = password) => anyone.logIn({ body: { username, password: given } });

async function roleId(name: string, of: App = app): Promise<number> {
  const { list } = (await of.admin.listRoles()).body;
  return Number(list.find((role) => role.name === name)?.id);
}

async function adminId(of: App = app): Promise<number> {
  return Number((await of.admin.getMe()).body.id);
}

/** The newest event of an operation. */
async function newest(operation: string) {
  return (await app.admin.listEvents({ query: { operation, last: 1 } })).body.list[0];
}

type Changes = Pick<Caller, 'updateUser' | 'deleteUser' | 'disableUser' | 'enableUser' | 'resetUserPassword'>;

/** A valid call of each operation that changes a user. */
const changes: { [O in keyof Changes]: (caller: Caller, id: number) => ReturnType<Caller[O]> } = {
  updateUser: (caller, id) => caller.updateUser({ path: { id }, body: { version: 0, firstName: 'X' } }),
  disableUser: (caller, id) => caller.disableUser({ path: { id } }),
  enableUser: (caller, id) => caller.enableUser({ path: { id } }),
  resetUserPassword: (caller, id) => caller.resetUserPassword({ path: { id } }),
  deleteUser: (caller, id) => caller.deleteUser({ path: { id } }),
};

describe.each(Object.entries(changes))('%s', (operationId, change) => {
  it(`${operationId} needs the permission manageUsers, and a token`, async () => {
    const victim = await app.user(`victim of ${operationId}`);
    const viewer = await app.user(`viewer for ${operationId}`, ['AAE_Queue Admin']);
    for (const caller of [basic.call, viewer.call, victim.call])
      expect(refusal(await change(caller, victim.id))).toEqual(forbidden);
    expect(refusal(await change(anyone, victim.id))).toEqual([401, 'UNAUTHENTICATED']);
    expect((await app.admin.getUser(pathOf(victim))).body.version).toBe(0);
  });

  it(`${operationId} finds no user of another tenant, and none that does not exist`, async () => {
    const victim = await app.user(`hidden from ${operationId}`);
    for (const id of [victim.id, 987_654_321])
      expect(refusal(await change(foreigner.call, id))).toEqual([404, 'NOT_FOUND']);
    expect((await app.admin.getUser(pathOf(victim))).body.version).toBe(0);
  });

  it(`${operationId} is refused to a manager of users for those who may do more`, async () => {
    const administrator = await app.user(`administrator and ${operationId}`, ['AAE_Admin']);
    const { status, error } = await change(manager.call, administrator.id);
    expect([status, error.code]).toEqual(forbidden);
    expect(error.message).toContain('may do more than you: ');
    expect(refusal(await change(administrator.call, await adminId()))).toEqual(forbidden);
  });

  it(`${operationId} knows no user who was deleted`, async () => {
    const victim = await app.user(`deleted before ${operationId}`);
    expect((await app.admin.deleteUser(pathOf(victim))).status).toBe(204);
    expect(refusal(await change(app.admin, victim.id))).toEqual([404, 'NOT_FOUND']);
  });
});

describe('getUser', () => {
  it('getUser answers a user as the list does', async () => {
    const { status, body } = await app.admin.getUser(pathOf(basic));
    const filter = { operator: 'eq', field: 'id', value: String(basic.id) };
    expect([status, [body]]).toEqual([200, (await app.admin.listUsers({ body: { filter } })).body.list]);
  });

  it('getUser needs the permission viewUsers, and finds nobody of another tenant', async () => {
    expect(refusal(await basic.call.getUser(pathOf(basic)))).toEqual(forbidden);
    expect(refusal(await anyone.getUser(pathOf(basic)))).toEqual([401, 'UNAUTHENTICATED']);
    expect(refusal(await foreigner.call.getUser(pathOf(basic)))).toEqual([404, 'NOT_FOUND']);
  });
});

describe('getMe', () => {
  it('getMe answers everybody who they are and what they may, and nobody without a token', async () => {
    const { status, body } = await basic.call.getMe();
    const names = ['createQueues', 'runAutomations', 'useQueues'];
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: basic.id, permissions: names.map((name) => ({ name })) });
    const bare = (await app.admin.createUser({ body: { username: 'bare', password, roles: [] } })).body;
    const { token } = (await logIn('bare')).body;
    expect((await app.as(token).getMe()).body).toMatchObject({ id: bare.id, permissions: [] });
    expect(refusal(await anyone.getMe())).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('updateUser', () => {
  it('updateUser changes what is sent and leaves the rest, and is on record without what is personal', async () => {
    const user = await app.user('changing');
    const roles = [{ id: await roleId('AAE_Bot Runner') }];
    const body = { version: 0, email: 'c@example.com', firstName: 'Chan', roles };
    const { status, body: changed } = await app.admin.updateUser({ ...pathOf(user), body });
    expect(status).toBe(200);
    expect(changed).toMatchObject({ email: 'c@example.com', firstName: 'Chan', lastName: '', version: 1 });
    expect(changed.roles.map(({ name }) => name)).toEqual(['AAE_Bot Runner']);
    const names = (await user.call.getMe()).body.permissions.map(({ name }) => name);
    expect(names).toEqual(['generateApiKey', 'runDevice', 'useQueues']);
    const event = await newest('updateUser');
    expect(event).toMatchObject({
      actorName: 'admin',
      changes: {
        userId: user.id,
        changed: ['email', 'firstName'],
        roleIds: [roles[0]?.id],
        address: '127.0.0.1',
      },
    });
    expect(JSON.stringify(event)).not.toContain('example.com');
  });

  it('updateUser refuses an older version and another user than the path names', async () => {
    const user = await app.user('versioned');
    const update = (body: { version: number; id?: number }) =>
      app.admin.updateUser({ ...pathOf(user), body });
    expect((await update({ version: 0 })).body.version).toBe(1);
    expect(refusal(await update({ version: 0 }))).toEqual([409, 'VERSION_CONFLICT']);
    expect(refusal(await update({ version: 1, id: basic.id }))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('updateUser gives nobody a role that permits more than the caller may do, and none of another tenant', async () => {
    const user = await app.user('rising', ['AAE_Bot Runner']);
    const give = async (caller: Caller, id: number) =>
      refusal(await caller.updateUser({ ...pathOf(user), body: { version: 0, roles: [{ id }] } }));
    for (const name of ['AAE_Admin', 'AAE_Basic', 'AAE_Operator'])
      expect(await give(manager.call, await roleId(name)), name).toEqual(forbidden);
    const foreign = (await foreigner.call.listRoles()).body.list[0]?.id as number;
    expect(await give(app.admin, foreign)).toEqual([400, 'INVALID_REQUEST']);
    const own = [{ id: await roleId('AAE_Admin') }];
    const rise = manager.call.updateUser({ ...pathOf(manager), body: { version: 0, roles: own } });
    expect(refusal(await rise)).toEqual(forbidden);
    expect((await app.admin.getUser(pathOf(user))).body.version).toBe(0);
  });
});

describe('disableUser and enableUser', () => {
  it('disableUser ends all sessions from the next call on, also for the time after enableUser', async () => {
    const user = await app.user('leaver');
    const renewed = (await user.call.refreshToken()).body.token;
    const second = (await logIn('leaver')).body.token;
    const { status, body } = await app.admin.disableUser(pathOf(user));
    expect([status, body.disabled]).toEqual([200, true]);
    const tokens = [user.token, renewed, second];
    const statuses = () =>
      Promise.all(tokens.map(async (token) => (await app.as(token).listQueues()).status));
    expect(await statuses()).toEqual([401, 401, 401]);
    expect((await logIn('leaver')).status).toBe(401);
    expect((await app.admin.enableUser(pathOf(user))).body.disabled).toBe(false);
    expect(await statuses()).toEqual([401, 401, 401]);
    expect((await logIn('leaver')).status).toBe(200);
    expect(await newest('disableUser')).toMatchObject({ changes: { userId: user.id, endedSessions: 2 } });
    expect(await newest('enableUser')).toMatchObject({ changes: { userId: user.id } });
  });

  it('disableUser leaves what the user did, and may be repeated', async () => {
    const user = await app.user('author');
    const model = { name: 'model of the author', attributes: [{ name: 'a' }] };
    const { id = 0 } = (await user.call.createWorkItemModel({ body: model })).body;
    await app.admin.disableUser(pathOf(user));
    const again = await app.admin.disableUser(pathOf(user));
    expect([again.status, again.body.version]).toEqual([200, 1]);
    expect((await app.admin.getWorkItemModel({ path: { id } })).body.createdBy).toBe(user.id);
  });
});

describe('deleteUser', () => {
  it('deleteUser leaves the name, under which all that the user did is read, and nothing that lets anybody in', async () => {
    const user = await app.user('gone', ['AAE_Basic', 'AAE_Bot Runner']);
    const { apiKey = '' } = (await user.call.createApiKey()).body;
    const body = { version: 0, email: 'gone@example.com', firstName: 'Gun', description: 'private' };
    await app.admin.updateUser({ ...pathOf(user), body });
    const model = { name: 'model of somebody gone', attributes: [{ name: 'a' }] };
    await user.call.createWorkItemModel({ body: model });
    expect((await app.admin.deleteUser(pathOf(user))).status).toBe(204);
    expect(await newest('createWorkItemModel')).toMatchObject({ actorId: user.id, actorName: 'gone' });
    const { body: left } = await app.admin.getUser(pathOf(user));
    expect(left).toMatchObject({ username: 'gone', firstName: 'Gun', deleted: true, disabled: true });
    expect(left).toMatchObject({ email: '', description: '', passwordSet: false, roles: [] });
    expect((await user.call.getMe()).status).toBe(401);
    expect((await logIn('gone')).status).toBe(401);
    expect((await anyone.logIn({ body: { username: 'gone', apiKey } })).status).toBe(401);
    const { list } = (await app.admin.listUsers()).body;
    expect(list.map(({ username }) => username)).not.toContain('gone');
    expect(await newest('deleteUser')).toMatchObject({ changes: { userId: user.id, username: 'gone' } });
  });

  it('deleteUser gives the name to nobody else', async () => {
    await app.admin.deleteUser(pathOf(await app.user('unique for ever')));
    const { status, error } = await app.admin.createUser({ body: { username: 'Unique for ever' } });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
  });

  it('deleteUser is refused for the last owner of a queue, and names the queues', async () => {
    const queue = await createQueue(app);
    const { name = '' } = (await app.admin.getQueue({ path: queue.path })).body;
    const { status, error } = await app.admin.deleteUser(pathOf(queue.owner));
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain(name);
    expect(error.details).toMatchObject([{ queueId: queue.id }]);
    const path = { ...queue.path, userId: basic.id };
    await app.admin.addOrUpdateQueueMember({ path, body: { role: 'OWNER' } });
    expect((await app.admin.deleteUser(pathOf(queue.owner))).status).toBe(204);
    const put = { path: { ...queue.path, userId: queue.owner.id }, body: {} };
    expect((await app.admin.addOrUpdateQueueMember(put)).status).toBe(404);
  });
});

describe('the last administrator and the last operator', () => {
  it('updateUser, disableUser and deleteUser leave them, and say what to do first', async () => {
    const one = await startApp();
    const path = { id: await adminId(one) };
    const roles = { admin: await roleId('AAE_Admin', one), operator: await roleId('AAE_Operator', one) };
    const update = (ids: number[]) =>
      one.admin.updateUser({ path, body: { version: 0, roles: ids.map((id) => ({ id })) } });
    for (const [answer, words] of [
      [await one.admin.disableUser({ path }), 'last administrator'],
      [await one.admin.deleteUser({ path }), 'last administrator'],
      [await update([roles.operator]), 'last administrator'],
      [await update([roles.admin]), 'last operator'],
    ] as const) {
      expect([answer.status, answer.error.code]).toEqual([409, 'STATUS_CONFLICT']);
      expect(answer.error.message).toContain(words);
    }
    await one.user('second', ['AAE_Admin', 'AAE_Operator']);
    expect((await update([roles.admin])).status).toBe(200);
    await one.stop();
  });

  it('disableUser counts no administrator who has neither password nor an API key that is good for everything', async () => {
    const one = await startApp();
    const path = { id: await adminId(one) };
    const ghost = await one.user('ghost', ['AAE_Admin', 'AAE_Operator']);
    await one.sql('update users set password_hash = null where id = $1', [ghost.id]);
    const left = async () => (await one.admin.disableUser({ path })).status;
    const { error } = await one.admin.disableUser({ path });
    expect(error.message).toContain('password or an API key of their own');
    await one.admin.createApiKey({ body: { userId: ghost.id, name: 'made by another' } });
    await ghost.call.createApiKey({ body: { name: 'for less', permissions: ['useQueues'] } });
    expect(await left()).toBe(409);
    await ghost.call.createApiKey({ body: { name: 'way in', expiresOn: '2099-01-01T00:00:00Z' } });
    await one.sql("update api_keys set expires_on = '2020-01-01'");
    expect(await left()).toBe(409);
    await one.sql('update api_keys set expires_on = null');
    await one.sql(`update api_keys set queue_ids = '{1}' where name = 'way in'`);
    expect(await left()).toBe(409);
    await one.sql('update api_keys set queue_ids = null');
    expect(await left()).toBe(200);
    await one.stop();
  });

  it('disableUser counts no operator whose key no role lets in, or whose tenant is disabled', async () => {
    const one = await startApp();
    const path = { id: await adminId(one) };
    await one.user('administrator', ['AAE_Admin']);
    const operator = await one.user('program', ['AAE_Operator', 'AAE_Bot Runner']);
    await operator.call.createApiKey({ body: { name: 'way in' } });
    await one.sql('update users set password_hash = null where id = $1', [operator.id]);
    const roles = [{ id: await roleId('AAE_Operator', one) }];
    await one.admin.updateUser({ path: { id: operator.id }, body: { version: 0, roles } });
    const { status, error } = await one.admin.disableUser({ path });
    expect([status, error.message]).toEqual([409, expect.stringContaining('last operator')]);
    const elsewhere = (await one.admin.createTenant({ body: { name: 'other', administrator: 'theirs' } }))
      .body;
    await one.sql(
      `insert into user_roles (user_id, role_id) select $1, id from roles
       where tenant_id = $2 and name = 'AAE_Operator'`,
      [elsewhere.administratorId, elsewhere.tenant.id],
    );
    await one.admin.disableTenant({ path: { id: Number(elsewhere.tenant.id) } });
    expect((await one.admin.disableUser({ path })).status).toBe(409);
    await one.admin.enableTenant({ path: { id: Number(elsewhere.tenant.id) } });
    expect((await one.admin.disableUser({ path })).status).toBe(200);
    await one.stop();
  });

  it('disableUser leaves one of two administrators who disable each other', async () => {
    const one = await startApp();
    const second = await one.user('second', ['AAE_Admin', 'AAE_Operator']);
    const answers = await Promise.all([
      one.admin.disableUser({ path: { id: second.id } }),
      second.call.disableUser({ path: { id: await adminId(one) } }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await one.sql('select from users where not disabled')).toHaveLength(1);
    await one.stop();
  });
});

describe('resetUserPassword', () => {
  const reset = async (user: TestUser) =>
    (await app.admin.resetUserPassword(pathOf(user))).body.temporaryPassword;

  it('resetUserPassword answers a password with which the user can only choose another and log out', async () => {
    const user = await app.user('forgetful');
    const temporary = await reset(user);
    expect((await user.call.getMe()).status).toBe(401);
    expect((await logIn('forgetful')).status).toBe(401);
    const { body: session } = await logIn('forgetful', temporary);
    expect(session.user.mustChangePassword).toBe(true);
    const { getMe, listQueues, refreshToken, streamEvents, changePassword } = app.as(session.token);
    for (const answer of [await getMe(), await listQueues(), await refreshToken(), await streamEvents()]) {
      expect(refusal(answer)).toEqual([403, 'PASSWORD_CHANGE_REQUIRED']);
      expect(answer.error.message).toContain('PUT /v2/usermanagement/me/password');
    }
    const body = { password: temporary, newPassword: 'another horse, another battery' };
    expect((await changePassword({ body })).status).toBe(204);
    expect((await getMe()).body).not.toHaveProperty('mustChangePassword');
    expect((await logIn('forgetful', temporary)).status).toBe(401);
  });

  it('resetUserPassword lets the user log out with it', async () => {
    const user = await app.user('tired');
    const { token } = (await logIn('tired', await reset(user))).body;
    expect((await app.as(token).logOut()).status).toBe(204);
  });

  it('resetUserPassword leaves API keys as they are, and is on record without the password', async () => {
    const user = await app.user('program', ['AAE_Bot Runner']);
    const { apiKey = '' } = (await user.call.createApiKey()).body;
    const temporary = await reset(user);
    const { token } = (await anyone.logIn({ body: { username: 'program', apiKey } })).body;
    expect((await app.as(token).listQueues()).status).toBe(200);
    const event = await newest('resetUserPassword');
    expect(event).toMatchObject({ actorName: 'admin', changes: { userId: user.id, endedSessions: 1 } });
    expect(JSON.stringify(event)).not.toContain(temporary);
  });

  it('resetUserPassword is not for oneself: it would not ask for the present password', async () => {
    expect(refusal(await app.admin.resetUserPassword({ path: { id: await adminId() } }))).toEqual(forbidden);
  });

  it('createUser can ask for another password at the first log-in', async () => {
    const body = { username: 'first day', password, mustChangePassword: true };
    expect((await app.admin.createUser({ body })).body.mustChangePassword).toBe(true);
    const { token } = (await logIn('first day')).body;
    expect(refusal(await app.as(token).listQueues())).toEqual([403, 'PASSWORD_CHANGE_REQUIRED']);
  });
});

describe('changePassword', () => {
  const newPassword = 'nobody would ever guess';

  it('changePassword ends all other sessions, and the old password is no good any more', async () => {
    const user = await app.user('careful');
    const other = (await logIn('careful')).body.token;
    expect((await user.call.changePassword({ body: { password, newPassword } })).status).toBe(204);
    expect((await user.call.getMe()).status).toBe(200);
    expect((await app.as(other).getMe()).status).toBe(401);
    expect((await logIn('careful')).status).toBe(401);
    expect((await logIn('careful', newPassword)).status).toBe(200);
    expect(await newest('changePassword')).toMatchObject({ actorId: user.id, changes: { endedSessions: 1 } });
  });

  it('changePassword refuses a weak password, and the present one, in sentences', async () => {
    const user = await app.user('weak-willed');
    for (const [given, words] of [
      ['password1', 'is one of the commonest'],
      ['the weak-willed user', 'must not hold the user name'],
      [password, 'must not be the present one'],
    ] as const) {
      const { status, error } = await user.call.changePassword({ body: { password, newPassword: given } });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(error.details).toEqual([{ field: 'newPassword', message: expect.stringContaining(words) }]);
    }
    expect((await logIn('weak-willed')).status).toBe(200);
  });

  it('changePassword refuses a wrong present password, slows guessing down, and keeps it on record', async () => {
    const user = await app.user('guessed');
    const guess = () => user.call.changePassword({ body: { password: 'a wrong guess', newPassword } });
    const { status, error } = await guess();
    expect([status, error.details?.[0]?.field]).toEqual([400, 'password']);
    expect(await newest('changePassword')).toMatchObject({
      actorId: user.id,
      reason: 'The present password was wrong.',
    });
    for (let time = 0; time < 4; time += 1) await guess();
    const late = await guess();
    expect([late.status, late.error.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect((await logIn('guessed')).status).toBe(429);
  });

  it('changePassword needs a token, and no permission', async () => {
    const body = { password, newPassword };
    expect(refusal(await anyone.changePassword({ body }))).toEqual([401, 'UNAUTHENTICATED']);
    await app.admin.createUser({ body: { username: 'without roles', password, roles: [] } });
    const { token } = (await logIn('without roles')).body;
    expect((await app.as(token).changePassword({ body })).status).toBe(204);
  });
});
