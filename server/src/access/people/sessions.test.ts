import { describe, expect, it } from 'vitest';
import { password, startApp } from '../../testing/app.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { basic, manager, foreigner } = await createUserPeople(app);
const anyone = app.as(undefined);

const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const notFound = [404, 'NOT_FOUND'];
const tokenOf = async (username: string) => (await anyone.logIn({ body: { username, password } })).body.token;

/** The id of the only session of a user. */
async function sessionOf(userId: number): Promise<string> {
  const filter = { operator: 'eq', field: 'userId', value: String(userId) };
  return String((await app.admin.listSessions({ body: { filter } })).body.list[0]?.id);
}

describe('listSessions', () => {
  it('listSessions shows one’s own sessions, with the present one, from the log-in to the log-out', async () => {
    const user = await app.user('twice');
    const second = app.as(await tokenOf('twice'));
    const { status, body } = await second.listSessions();
    expect([status, body.page.total]).toEqual([200, 2]);
    expect(body.list.filter(({ current }) => current)).toHaveLength(1);
    expect(body.list[0]).toMatchObject({ userId: user.id, username: 'twice', address: '127.0.0.1' });
    await user.call.refreshToken();
    expect((await second.listSessions()).body.page.total).toBe(2);
    await user.call.logOut();
    expect((await second.listSessions()).body.list).toMatchObject([{ current: true }]);
  });

  it('listSessions shows managers of users those of all in their tenant, and nobody those of another', async () => {
    const names = async ({ call }: { call: typeof app.admin }) =>
      (await call.listSessions()).body.list.map(({ username }) => username);
    expect(await names(manager)).toEqual(expect.arrayContaining(['admin', 'basic', 'manager']));
    expect(await names(manager)).not.toContain('admin of second');
    expect(await names(basic)).toEqual(['basic']);
    expect(await names(foreigner)).toEqual(['admin of second']);
    expect(refusal(await anyone.listSessions())).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('listSessions filters and sorts on every member that it promises', async () => {
    const values = { userId: '1', username: 'a', apiKeyId: '1', address: 'a' };
    for (const [field, value] of Object.entries({
      ...values,
      begunOn: '2024-03-01',
      renewedOn: '2024-03-01',
    })) {
      const body = { filter: { operator: 'eq', field, value }, sort: [{ field, direction: 'desc' }] };
      expect((await app.admin.listSessions({ body })).status, field).toBe(200);
    }
  });
});

describe('endSession', () => {
  it('endSession ends one session with all its tokens, and is on record', async () => {
    const user = await app.user('stolen');
    const sessionId = await sessionOf(user.id);
    const renewed = app.as((await user.call.refreshToken()).body.token);
    const other = app.as(await tokenOf('stolen'));
    expect((await other.endSession({ path: { sessionId } })).status).toBe(204);
    expect([(await user.call.getMe()).status, (await renewed.getMe()).status]).toEqual([401, 401]);
    expect((await other.getMe()).status).toBe(200);
    expect(refusal(await other.endSession({ path: { sessionId } }))).toEqual(notFound);
    const { list } = (await app.admin.listEvents({ query: { operation: 'endSession', last: 1 } })).body;
    expect(list).toMatchObject([{ actorId: user.id, changes: { userId: user.id, sessionId } }]);
  });

  it('endSession ends those of others for managers of users only, and of nobody who may do more', async () => {
    const runner = await app.user('runner', ['AAE_Bot Runner']);
    const end = async (call: typeof app.admin, of: number) =>
      refusal(await call.endSession({ path: { sessionId: await sessionOf(of) } }));
    const own = Number((await app.admin.getMe()).body.id);
    expect(await end(basic.call, runner.id)).toEqual(notFound);
    expect(await end(foreigner.call, runner.id)).toEqual(notFound);
    expect(await end(anyone, runner.id)).toEqual([401, 'UNAUTHENTICATED']);
    expect(await end(manager.call, own)).toEqual([403, 'FORBIDDEN']);
    const sessionId = await sessionOf(runner.id);
    expect((await manager.call.endSession({ path: { sessionId } })).status).toBe(204);
    expect((await runner.call.getMe()).status).toBe(401);
  });

  it('endSession finds no session by an id that no session can have', async () => {
    const end = async (id: string) => {
      const address = `${app.url}/v2/usermanagement/sessions/${encodeURIComponent(id)}`;
      return (await fetch(address, { method: 'DELETE', headers: { 'x-authorization': basic.token } })).status;
    };
    expect(await Promise.all(['ünknown', 'a\0b', '\ufffd'].map(end))).toEqual([404, 400, 404]);
  });
});
