import { describe, expect, it } from 'vitest';
import { password, startApp, type Caller } from '../../testing/app.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { basic, manager, foreigner } = await createUserPeople(app);

async function roleId(name: string, caller: Caller = app.admin): Promise<number> {
  const { body } = await caller.listRoles({
    body: { filter: { operator: 'eq', field: 'name', value: name } },
  });
  return Number(body.list[0]?.id);
}

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];

describe('listUsers', () => {
  it('listUsers says when each user was last there, and never of whoever was not', async () => {
    const began = new Date().toISOString();
    const { id } = (await app.admin.createUser({ body: { username: 'seldom.here', password } })).body;
    const path = { id: Number(id) };
    expect((await app.admin.getUser({ path })).body).not.toHaveProperty('lastSeenOn');
    await app.as(undefined).logIn({ body: { username: 'seldom.here', password } });
    const body = {
      filter: { operator: 'ge', field: 'lastSeenOn', value: began } as const,
      sort: [{ field: 'lastSeenOn' as const, direction: 'desc' as const }],
    };
    const [found] = (await app.admin.listUsers({ body })).body.list;
    expect(found?.username).toBe('seldom.here');
    expect(Date.parse(found?.lastSeenOn ?? '')).toBeGreaterThanOrEqual(Date.parse(began));
  });
});

describe('createUser', () => {
  it('createUser answers the user, who can log in', async () => {
    const role = await roleId('User manager');
    const about = {
      username: 'Jane.Doe',
      email: 'jane@example.com',
      firstName: 'Jane',
      lastName: 'Doe',
      description: 'Häuptling 🧾',
      disabled: false,
    };
    const { status, body } = await app.admin.createUser({
      body: { ...about, password, roles: [{ id: role, name: 'ignored', version: 7 }, { id: role }] },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...about,
      id: expect.any(Number),
      principalId: body.id,
      domain: null,
      version: 0,
      emailVerified: true,
      passwordSet: true,
      questionsSet: true,
      enableAutoLogin: false,
      clientRegistered: false,
      createdBy: 1,
      createdOn: isoTime,
      updatedBy: 1,
      updatedOn: body.createdOn,
      licenseFeatures: ['RUNTIME'],
      roles: [{ id: role, name: 'User manager', version: 0 }],
      deleted: false,
    });
    const session = await app.as(undefined).logIn({ body: { username: 'jane.doe', password } });
    expect(session.body.user.id).toBe(body.id);
  });

  it('createUser gives the basic role where none is named, and none for an empty list', async () => {
    const { body: plain } = await app.admin.createUser({ body: { username: 'plain' } });
    expect(plain.roles).toEqual([{ id: await roleId('AAE_Basic'), name: 'AAE_Basic', version: 0 }]);
    expect(plain.passwordSet).toBe(false);
    const { body: bare } = await app.admin.createUser({ body: { username: 'bare', roles: [] } });
    expect(bare.roles).toEqual([]);
  });

  it('createUser refuses a weak password, and says what to do instead', async () => {
    for (const [username, weak, words] of [
      ['weak 1', 'password1', 'is one of the commonest'],
      ['weak name', 'the weak name of old', 'must not hold the user name'],
      ['weak 2', ' correct horse battery', 'must not begin or end with a blank'],
    ] as const) {
      const { status, error } = await app.admin.createUser({ body: { username, password: weak } });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(error.details).toEqual([{ field: 'password', message: expect.stringContaining(words) }]);
      expect(error.message).toMatch(/; (take|leave) /);
    }
    const { body } = await app.admin.listUsers({
      body: { filter: { operator: 'substring', field: 'username', value: 'weak' } },
    });
    expect(body.list).toEqual([]);
  });

  it('createUser keeps only a hash of the password', async () => {
    await app.admin.createUser({ body: { username: 'hashed', password } });
    const [row] = await app.sql<{ text: string; hash: string }>(
      `select u::text as text, password_hash as hash from users u where username = 'hashed'`,
    );
    expect(row?.hash).toMatch(/^\$argon2id\$/);
    expect(row?.text).not.toContain(password);
  });

  it('createUser refuses a name that is taken, in any case and by any tenant', async () => {
    for (const username of ['basic', 'BASIC', 'admin of second']) {
      expect(refusal(await app.admin.createUser({ body: { username } }))).toEqual([409, 'NAME_TAKEN']);
    }
  });

  it('createUser refuses what does not make a user', async () => {
    const bodies = [
      {},
      { username: '' },
      { username: ' padded' },
      { username: 'x'.repeat(256) },
      { username: 'short', password: '1234567' },
      { username: 'unknown role', roles: [{ id: 999_999 }] },
      { username: 'large role', roles: [{ id: 2n ** 62n }] },
      { username: 'no role', roles: [{ name: 'AAE_Basic' }] },
      { username: 'misspelt', pasword: password },
    ];
    for (const body of bodies) {
      const answer = await app.admin.createUser({ body: body as never });
      expect(refusal(answer), body.username).toEqual([400, 'INVALID_REQUEST']);
    }
    const { body } = await app.admin.listUsers({
      body: { filter: { operator: 'substring', field: 'username', value: ' role' } },
    });
    expect(body.list).toEqual([]);
  });

  it('createUser needs the permission manageUsers', async () => {
    expect(refusal(await basic.call.createUser({ body: { username: 'x' } }))).toEqual([403, 'FORBIDDEN']);
    expect(refusal(await app.as(undefined).createUser({ body: { username: 'x' } }))).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
  });

  it('createUser grants no role that permits more than the caller may do', async () => {
    for (const name of ['AAE_Admin', 'AAE_Queue Admin', 'AAE_Basic']) {
      const answer = await manager.call.createUser({
        body: { username: 'risen', roles: [{ id: await roleId(name) }] },
      });
      expect(refusal(answer), name).toEqual([403, 'FORBIDDEN']);
    }
    const own = [{ id: await roleId('User manager') }, { id: await roleId('AAE_Bot Runner') }];
    expect((await manager.call.createUser({ body: { username: 'risen', roles: own } })).status).toBe(200);
  });

  it('createUser knows no roles of another tenant, and takes its own for the basic one', async () => {
    const foreign = await roleId('AAE_Basic', foreigner.call);
    const answer = await app.admin.createUser({ body: { username: 'stray', roles: [{ id: foreign }] } });
    expect(refusal(answer)).toEqual([400, 'INVALID_REQUEST']);
    const { body } = await foreigner.call.createUser({ body: { username: 'second user' } });
    expect(body.roles.map(({ id }) => id)).toEqual([foreign]);
  });
});

describe('listUsers', () => {
  it('listUsers shows users with their roles, filtered, sorted and by the page', async () => {
    const { status, body } = await app.admin.listUsers({
      body: {
        filter: {
          operator: 'or',
          operands: ['basic', 'manager', 'admin'].map((value) => ({
            operator: 'eq',
            field: 'username',
            value,
          })),
        },
        sort: [{ field: 'username', direction: 'desc' }],
        page: { offset: 1, length: 1 },
      },
    });
    expect(status).toBe(200);
    expect(body.page).toMatchObject({ offset: 1, totalFilter: 3 });
    expect(body.page.total).toBeGreaterThan(3);
    expect(body.list).toEqual([
      expect.objectContaining({
        id: basic.id,
        username: 'basic',
        domain: null,
        roles: [{ id: await roleId('AAE_Basic'), name: 'AAE_Basic', version: 0 }],
      }),
    ]);
  });

  it('listUsers begins with the administrator, when nothing is asked', async () => {
    const { body } = await app.admin.listUsers();
    expect(body.list[0]).toMatchObject({ id: 1, username: 'admin', createdBy: 0, updatedBy: 0 });
    expect(body.page).toEqual({ offset: 0, total: body.list.length, totalFilter: body.list.length });
  });

  it('listUsers filters and sorts on every member that it promises', async () => {
    const values = { id: '1', username: 'a', email: 'a', firstName: 'a', lastName: 'a', disabled: 'true' };
    const times = { createdOn: '2024-03-01', updatedOn: '2024-03-01T09:30:00+09:00' };
    for (const [field, value] of Object.entries({ ...values, ...times })) {
      const request = { filter: { operator: 'eq', field, value }, sort: [{ field, direction: 'desc' }] };
      expect((await app.admin.listUsers({ body: request })).status, field).toBe(200);
    }
  });

  it('listUsers refuses an unknown field', async () => {
    for (const field of ['passwordHash', 'tenantId', 'constructor']) {
      const filter = { operator: 'eq', field, value: 'x' };
      expect(refusal(await app.admin.listUsers({ body: { filter } }))).toEqual([400, 'INVALID_REQUEST']);
    }
  });

  it('listUsers shows nobody of another tenant', async () => {
    const { body } = await foreigner.call.listUsers();
    expect(body.list.map(({ username }) => username)).toEqual(expect.arrayContaining(['admin of second']));
    expect(body.list.map(({ username }) => username)).not.toContain('admin');
    expect(body.page.total).toBe(body.list.length);
    const own = await app.admin.listUsers();
    expect(own.body.list.map(({ username }) => username)).not.toContain('admin of second');
  });

  it('listUsers needs the permission viewUsers', async () => {
    expect(refusal(await basic.call.listUsers())).toEqual([403, 'FORBIDDEN']);
    expect(refusal(await app.as(undefined).listUsers())).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('createRole', () => {
  it('createRole answers the role, which can be given to users', async () => {
    const { status, body } = await app.admin.createRole({
      body: {
        name: 'Finance',
        description: 'Posts invoices',
        permissions: ['viewUsers', 'useQueues', 'viewUsers'],
      },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.any(Number),
      name: 'Finance',
      description: 'Posts invoices',
      permissions: ['viewUsers', 'useQueues'],
      countPrincipals: 0,
      version: 0,
      createdBy: 1,
      createdOn: isoTime,
      updatedBy: 1,
      updatedOn: body.createdOn,
    });
    const { call } = await app.user('financier', ['Finance']);
    expect((await call.listUsers()).status).toBe(200);
  });

  it('createRole permits the use of queues where nothing is said', async () => {
    const { body } = await app.admin.createRole({ body: { name: 'Plain' } });
    expect([body.description, body.permissions]).toEqual(['', ['useQueues']]);
  });

  it('createRole refuses a name that is taken in the tenant, and no other', async () => {
    await app.admin.createRole({ body: { name: 'Twice' } });
    expect(refusal(await app.admin.createRole({ body: { name: 'Twice' } }))).toEqual([409, 'NAME_TAKEN']);
    expect((await foreigner.call.createRole({ body: { name: 'Twice' } })).status).toBe(200);
  });

  it('createRole refuses what does not make a role', async () => {
    const bodies = [
      {},
      { name: '' },
      { name: ' x' },
      { name: 'AAE_Other' },
      { name: 'x', permissions: ['all'] },
    ];
    for (const body of bodies) {
      expect(refusal(await app.admin.createRole({ body: body as never }))).toEqual([400, 'INVALID_REQUEST']);
    }
  });

  it('createRole needs the permission manageUsers, and grants only what the caller may do', async () => {
    expect(refusal(await basic.call.createRole({ body: { name: 'x' } }))).toEqual([403, 'FORBIDDEN']);
    const rise = (permissions: string[]) => manager.call.createRole({ body: { name: 'Risen', permissions } });
    expect(refusal(await rise(['viewEvents']))).toEqual([403, 'FORBIDDEN']);
    expect(refusal(await rise(['useQueues', 'manageAllQueues']))).toEqual([403, 'FORBIDDEN']);
    expect((await rise(['useQueues', 'manageUsers'])).status).toBe(200);
  });
});

describe('listRoles', () => {
  it('listRoles shows the roles of the tenant with how many users have them', async () => {
    const { body } = await foreigner.call.listRoles({
      body: { sort: [{ field: 'name' }], page: { length: 3 } },
    });
    expect(body.page).toMatchObject({ offset: 0, total: 8, totalFilter: 8 });
    expect(body.list.map(({ name, countPrincipals }) => [name, countPrincipals])).toEqual([
      ['AAE_Admin', 1],
      ['AAE_Auditor', 0],
      ['AAE_Basic', 1],
    ]);
  });

  it('listRoles filters and sorts on every member that it promises', async () => {
    const values = { id: '1', name: 'a', createdOn: '2024-03-01', updatedOn: '2024-03-01T09:30:00Z' };
    for (const [field, value] of Object.entries(values)) {
      const request = { filter: { operator: 'eq', field, value }, sort: [{ field, direction: 'desc' }] };
      expect((await app.admin.listRoles({ body: request })).status, field).toBe(200);
    }
    const filter = { operator: 'eq', field: 'permissions', value: 'x' };
    expect(refusal(await app.admin.listRoles({ body: { filter } }))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('listRoles needs the permission viewUsers', async () => {
    expect(refusal(await basic.call.listRoles())).toEqual([403, 'FORBIDDEN']);
  });
});
