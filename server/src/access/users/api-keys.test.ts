import { describe, expect, it } from 'vitest';
import { startApp, type TestUser } from '../../testing/app.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const runner = await app.user('runner', ['AAE_Bot Runner']);
const other = await app.user('other runner', ['AAE_Bot Runner']);
const { basic, manager, foreigner } = await createUserPeople(app);

const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const keyOf = async (user: TestUser) => (await user.call.createApiKey()).body;
/** Makes a user an administrator. */
async function promote({ id }: TestUser) {
  const filter = { operator: 'eq', field: 'name', value: 'AAE_Admin' };
  const roles = (await app.admin.listRoles({ body: { filter } })).body.list.map((role) => ({ id: role.id }));
  expect((await app.admin.updateUser({ path: { id }, body: { version: 0, roles } })).status).toBe(200);
}
const namesOf = async (user: { call: TestUser['call'] }) =>
  (await user.call.listApiKeys()).body.list.map(({ name }) => name);

describe('createApiKey', () => {
  it('createApiKey answers a key of 40 characters, with which its user logs in', async () => {
    const { status, body } = await runner.call.createApiKey({
      body: { name: 'on device 7', expiresOn: '2999-03-01T09:30:00+09:00' },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.any(Number),
      name: 'on device 7',
      userId: runner.id,
      apiKey: expect.stringMatching(/^[0-9a-f]{40}$/),
      prefix: body.apiKey?.slice(0, 6),
      expiresOn: '2999-03-01T00:30:00.000Z',
      createdBy: runner.id,
      createdOn: expect.stringMatching(/\.\d{3}Z$/),
    });
    const session = await app
      .as(undefined)
      .logIn({ body: { username: 'runner', apiKey: body.apiKey ?? '' } });
    expect(session.body.user.id).toBe(runner.id);
  });

  it('createApiKey needs no body, and makes another key each time', async () => {
    const [first, second] = [await keyOf(runner), await keyOf(runner)];
    expect(first).toMatchObject({ name: '', userId: runner.id });
    expect(first).not.toHaveProperty('expiresOn');
    expect(second.apiKey).not.toBe(first.apiKey);
  });

  it('createApiKey keeps only a hash of the key', async () => {
    const { id, apiKey = '' } = await keyOf(runner);
    const [row] = await app.sql<{ text: string; size: number }>(
      'select k::text as text, length(hash) as size from api_keys k where id = $1',
      [id],
    );
    expect(row?.size).toBe(32);
    expect(row?.text).not.toContain(apiKey);
    expect(row?.text).not.toContain(Buffer.from(apiKey).toString('hex'));
  });

  it('createApiKey refuses an end that is not in the future, and a name that cannot be read', async () => {
    const bodies = [
      { expiresOn: '2024-03-01T09:30:00Z' },
      { expiresOn: '0000-01-01T00:00:00Z' },
      { expiresOn: 'tomorrow' },
      { name: '' },
      { name: 'a\tb' },
    ];
    for (const body of bodies) {
      expect(refusal(await runner.call.createApiKey({ body }))).toEqual([400, 'INVALID_REQUEST']);
    }
  });

  it('createApiKey needs the permission generateApiKey', async () => {
    expect(refusal(await basic.call.createApiKey())).toEqual([403, 'FORBIDDEN']);
    expect(refusal(await app.as(undefined).createApiKey())).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('createApiKey makes keys for others with manageUsers only, and for nobody who may do more', async () => {
    const forUser = (call: TestUser['call'], userId: number) => call.createApiKey({ body: { userId } });
    expect(refusal(await forUser(runner.call, other.id))).toEqual([403, 'FORBIDDEN']);
    const { status, body } = await forUser(app.admin, other.id);
    expect([status, body.userId]).toEqual([200, other.id]);
    expect(refusal(await forUser(manager.call, 1))).toEqual([403, 'FORBIDDEN']);
  });

  it('createApiKey for somebody else opens nothing that its user may do later, nor makes another key', async () => {
    const promoted = await app.user('promoted', ['AAE_Bot Runner']);
    const body = { userId: promoted.id };
    const made = (await app.admin.createApiKey({ body })).body;
    expect(made.permissions).toEqual(['useQueues', 'runDevice']);
    const wanted = ['useQueues', 'manageDevices'];
    const narrow = await app.admin.createApiKey({ body: { ...body, permissions: wanted } });
    expect(narrow.body.permissions).toEqual(['useQueues']);
    const nothing = await app.admin.createApiKey({ body: { ...body, permissions: ['viewUsers'] } });
    expect([nothing.status, nothing.error.details?.[0]?.field]).toEqual([400, 'permissions']);
    const own = (await promoted.call.createApiKey()).body;
    const rotated = (await app.admin.rotateApiKey({ path: { id: own.id } })).body;
    await promote(promoted);
    const mayDo = async (apiKey = '') => {
      const session = await app.as(undefined).logIn({ body: { username: 'promoted', apiKey } });
      const call = app.as(session.body.token);
      return [(await call.listUsers()).status, (await call.createApiKey()).status];
    };
    for (const { apiKey } of [made, rotated]) expect(await mayDo(apiKey)).toEqual([403, 403]);
    expect(await mayDo(own.apiKey)).toEqual([200, 200]);
  });

  it('createApiKey refuses a user that does not exist, is of another tenant or could not use the key', async () => {
    for (const userId of [999_999, foreigner.id, basic.id]) {
      const answer = await app.admin.createApiKey({ body: { userId } });
      expect(refusal(answer)).toEqual([400, 'INVALID_REQUEST']);
    }
  });
});

describe('listApiKeys', () => {
  it("listApiKeys shows one's own keys, never the keys themselves", async () => {
    const lister = await app.user('lister', ['AAE_Bot Runner']);
    await lister.call.createApiKey({ body: { name: 'first' } });
    await lister.call.createApiKey({
      body: { name: 'second' },
    });
    const { status, body } = await lister.call.listApiKeys({
      body: { filter: { operator: 'eq', field: 'name', value: 'second' } },
    });
    expect(status).toBe(200);
    expect(body.page).toEqual({ offset: 0, total: 2, totalFilter: 1 });
    expect(body.list).toEqual([
      {
        prefix: expect.stringMatching(/^[0-9a-f]{6}$/),
        id: expect.any(Number),
        name: 'second',
        userId: lister.id,
        createdBy: lister.id,
        createdOn: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await namesOf(lister)).toEqual(['first', 'second']);
  });

  it('listApiKeys shows everybody of the tenant with manageUsers, and nobody of another', async () => {
    await other.call.createApiKey({ body: { name: 'of the other' } });
    await foreigner.call.createApiKey({ body: { name: 'of the foreigner' } });
    expect(await namesOf({ call: app.admin })).toEqual(expect.arrayContaining(['of the other']));
    expect(await namesOf({ call: app.admin })).not.toContain('of the foreigner');
    expect(await namesOf(runner)).not.toContain('of the other');
    expect(await namesOf(foreigner)).toEqual(['of the foreigner']);
  });

  it('listApiKeys filters and sorts on every member that it promises', async () => {
    const values = { id: '1', name: 'a', userId: '1', createdBy: '1', createdOn: '2024-03-01' };
    for (const [field, value] of Object.entries(values)) {
      const request = { filter: { operator: 'ne', field, value }, sort: [{ field, direction: 'desc' }] };
      expect((await app.admin.listApiKeys({ body: request })).status, field).toBe(200);
    }
    const filter = { operator: 'eq', field: 'hash', value: 'x' };
    expect(refusal(await app.admin.listApiKeys({ body: { filter } }))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('listApiKeys needs the permission generateApiKey', async () => {
    expect(refusal(await basic.call.listApiKeys())).toEqual([403, 'FORBIDDEN']);
  });
});

describe('revokeApiKey', () => {
  it('revokeApiKey ends the key and every token that was had with it, and no other', async () => {
    const { id, apiKey = '' } = await keyOf(runner);
    const { body } = await app.as(undefined).logIn({ body: { username: 'runner', apiKey } });
    const revoked = await runner.call.revokeApiKey({ path: { id } });
    expect(revoked.status).toBe(204);
    expect((await app.as(body.token).listQueues()).status).toBe(401);
    expect((await runner.call.listQueues()).status).toBe(200);
    expect(refusal(await runner.call.revokeApiKey({ path: { id } }))).toEqual([404, 'NOT_FOUND']);
  });

  it('revokeApiKey knows no key of somebody else without manageUsers, and none of another tenant', async () => {
    const { id, apiKey = '' } = await keyOf(other);
    for (const user of [runner, foreigner]) {
      expect(refusal(await user.call.revokeApiKey({ path: { id } }))).toEqual([404, 'NOT_FOUND']);
    }
    expect((await app.as(undefined).logIn({ body: { username: 'other runner', apiKey } })).status).toBe(200);
    expect((await manager.call.revokeApiKey({ path: { id } })).status).toBe(204);
  });

  it('revokeApiKey needs the permission generateApiKey', async () => {
    const { id } = await keyOf(runner);
    expect(refusal(await basic.call.revokeApiKey({ path: { id } }))).toEqual([403, 'FORBIDDEN']);
  });
});
