import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createDatabase, password, startApp } from '../../testing/app.ts';
import { eventually } from '../../testing/fixtures.ts';
import { startLine } from '../../testing/line.ts';
import { startForLogIns } from '../../testing/log-ins.ts';
import { addTenant } from '../../testing/tenant.ts';
import { makeSigningKey } from './signing-keys.ts';
import { signToken, type SigningKey } from './tokens.ts';

const { app, anyone, logIn, isAccepted } = await startForLogIns();
const nobodys = await makeSigningKey();

describe('sessions', () => {
  /** A token that was exchanged this many times, from another one. */
  async function refreshed(token: string, times: number): Promise<string> {
    if (times === 0) return token;
    return refreshed((await app.as(token).refreshToken()).body.token, times - 1);
  }

  it('logOut ends the session: the token, those it was got for, and those that were got for it', async () => {
    const { token } = await app.user('one session');
    const tokens = [token, await refreshed(token, 1), await refreshed(token, 2)];
    const other = (await logIn('one session')).body.token;
    expect((await app.as(tokens[1]).logOut()).status).toBe(204);
    for (const ended of tokens) {
      expect(await isAccepted(ended)).toBe(false);
      expect((await app.as(ended).refreshToken()).status).toBe(401);
      expect((await anyone.validateToken({ query: { token: ended } })).body).toEqual({ valid: false });
      expect((await app.as(ended).logOut()).status).toBe(401);
    }
    expect(await isAccepted(other)).toBe(true);
  });

  it('refreshToken is refused a day after the log-in, or the hours that the server is set to, and says to log in again', async () => {
    const { id, token } = await app.user('long session');
    const [key] = await app.sql<SigningKey>(
      `select id, private_key as "privateKey" from signing_keys order by created_on desc limit 1`,
    );
    const now = new Date();
    const begun = (hours: number) =>
      signToken(
        key as SigningKey,
        {
          userId: id,
          tenantUuid: String(decodeJwt(token)['tenantUuid']),
          sessionId: randomUUID(),
          loggedInOn: new Date(now.getTime() - hours * 3_600_000),
        },
        now,
      );
    const [young, old] = [await begun(23), await begun(25)];
    const { body } = await app.as(young).refreshToken();
    expect(decodeJwt(body.token)['auth_time']).toBe(decodeJwt(young)['auth_time']);
    expect(await isAccepted(old)).toBe(true);
    const { status, error } = await app.as(old).refreshToken();
    expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(error.message).toBe('This session began more than 24 hours ago. Log in again.');
    const strict = await startApp({ sessionHours: 1 }, app.connection);
    const refused = await strict.as(await begun(2)).refreshToken();
    expect([refused.status, refused.error.message]).toEqual([
      401,
      'This session began more than an hour ago. Log in again.',
    ]);
    await strict.stop();
  });
});

/** A token of an unknown key. */
async function forgeUnknown(): Promise<string> {
  const claims = {
    userId: 1,
    tenantUuid: randomUUID(),
    sessionId: randomUUID(),
    loggedInOn: new Date(),
  };
  return signToken({ ...nobodys, id: randomUUID() }, claims, new Date());
}

describe('tokens of a signing key that is gone', () => {
  it('are refused at once on every server, also where the key and the token were known', async () => {
    const other = await startApp({}, app.connection);
    const { id, token } = await app.user('leaked');
    const leaked = await makeSigningKey();
    await app.sql(
      `insert into signing_keys (id, private_key, public_key, created_on) values ($1, '', $2, '2020-01-01')`,
      [leaked.id, leaked.publicKey],
    );
    const claims = {
      userId: id,
      tenantUuid: String(decodeJwt(token)['tenantUuid']),
      sessionId: randomUUID(),
    };
    const forge = () => signToken(leaked, { ...claims, loggedInOn: new Date() }, new Date());
    const known = await forge();
    const statuses = async (given: string) => [
      (await app.as(given).listQueues()).status,
      (await other.as(given).listQueues()).status,
      (await app.as(given).refreshToken()).status,
    ];
    expect(await statuses(known)).toEqual([200, 200, 200]);
    await app.sql('delete from signing_keys where id = $1', [leaked.id]);
    for (const given of [known, await forge()]) expect(await statuses(given)).toEqual([401, 401, 401]);
    expect((await app.as(token).listQueues()).status).toBe(200);
    await other.stop();
  });

  it('are refused by few questions to the database, however many they are', async () => {
    const line = await startLine(app.connection);
    const there = await startApp({}, line.connection);
    const questions = () => line.sent().split('as "publicKey" from signing_keys where').length - 1;
    const before = questions();
    const tokens = await Promise.all(Array.from({ length: 50 }, forgeUnknown));
    // Each question takes long enough that the other calls arrive before it is answered.
    line.spoil({ delayMs: 500 });
    const answers = await Promise.all(tokens.map((given) => there.as(given).listQueues()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(questions() - before).toBeGreaterThan(0);
    expect(questions() - before).toBeLessThan(25);
    await line.mend();
    await there.stop();
  });
});

describe('rotateSigningKey', () => {
  it('rotateSigningKey signs with a new key from then on, and tokens of the old one stay valid', async () => {
    const { token } = await app.user('rotated');
    const { status, body } = await app.admin.rotateSigningKey();
    expect([status, body.createdOn]).toEqual([200, expect.stringMatching(/Z$/)]);
    const { body: session } = await app.as(token).refreshToken();
    expect(decodeProtectedHeader(session.token).kid).toBe(body.id);
    expect(decodeProtectedHeader(token).kid).not.toBe(body.id);
    expect([await isAccepted(token), await isAccepted(session.token)]).toEqual([true, true]);
  });

  it('rotateSigningKey needs the permission manageInstallation, which no administrator of a tenant has', async () => {
    const { call } = await app.user('curious', ['AAE_Queue Admin', 'AAE_Basic']);
    const administrator = await app.user('second administrator', ['AAE_Admin']);
    const elsewhere = await addTenant(app, 'elsewhere');
    for (const caller of [call, administrator.call, elsewhere.call]) {
      const { status, error } = await caller.rotateSigningKey();
      expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    }
    expect((await anyone.rotateSigningKey()).status).toBe(401);
  });

  it('createRole, createUser and createApiKey give nobody the installation whose caller does not manage it', async () => {
    const administrator = await app.user('third administrator', ['AAE_Admin']);
    const { list } = (await administrator.call.listRoles()).body;
    const operator = list.find(({ name }) => name === 'AAE_Operator')?.id as number;
    const [admin] = await app.sql<{ id: string }>(`select id from users where username = 'admin'`);
    const refusals = [
      await administrator.call.createRole({ body: { name: 'Mine', permissions: ['manageInstallation'] } }),
      await administrator.call.createUser({
        body: { username: 'mine', password, roles: [{ id: operator }] },
      }),
      await administrator.call.createApiKey({ body: { userId: Number(admin?.id) } }),
    ];
    for (const { status, error } of refusals) {
      expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
      expect(error.message).toContain('manageInstallation');
    }
    const body = { username: 'second operator', password, roles: [{ id: operator }] };
    expect((await app.admin.createUser({ body })).status).toBe(200);
  });

  it('rotateSigningKey is on record for the tenant of the operator, with the key and whether sessions ended', async () => {
    const { body: key } = await app.admin.rotateSigningKey();
    const operation = 'rotateSigningKey';
    const { body: feed } = await app.admin.listEvents({ query: { operation, last: 1 } });
    expect(feed.list).toMatchObject([
      { operation, actorName: 'admin', changes: { keyId: key.id, endSessions: false } },
    ]);
    const { call } = await app.user('no administrator', ['AAE_Queue Admin', 'AAE_Pool Admin']);
    expect((await call.listEvents({ query: { operation, last: 1 } })).body.list).toEqual([]);
  });

  it('rotateSigningKey with endSessions ends all sessions at once on every server, that of the caller among them', async () => {
    const one = await startApp();
    const second = await startApp({}, one.connection);
    const { token } = await one.user('surprised');
    const statuses = async (given: string) => [
      (await one.as(given).listQueues()).status,
      (await second.as(given).listQueues()).status,
    ];
    expect(await statuses(token)).toEqual([200, 200]);
    const { status, body: key } = await one.admin.rotateSigningKey({ body: { endSessions: true } });
    expect(status).toBe(200);
    expect(await statuses(token)).toEqual([401, 401]);
    expect((await one.admin.rotateSigningKey()).status).toBe(401);
    const again = (await one.as(undefined).logIn({ body: { username: 'surprised', password } })).body.token;
    expect(decodeProtectedHeader(again).kid).toBe(key.id);
    expect(await statuses(again)).toEqual([200, 200]);
  });
});

it('logOut of many at once leaves connections for those who work', async () => {
  const database = await createDatabase();
  const small = await startApp({ databaseConnections: 4 }, database);
  const tokens = [];
  for (let count = 0; count < 12; count += 1)
    tokens.push((await small.as(undefined).logIn({ body: { username: 'admin', password } })).body.token);
  const other = new pg.Client(database);
  await other.connect();
  await other.query('begin; lock table revoked_sessions in share mode');
  const leaving = tokens.map((token) => small.as(token).logOut());
  await eventually(
    () => small.sql(`select from pg_locks where relation = 'revoked_sessions'::regclass and not granted`),
    ({ length }) => length > 0,
  );
  const model = { name: 'meanwhile', attributes: [{ name: 'a' }] };
  expect((await small.admin.createWorkItemModel({ body: model })).status).toBe(200);
  await other.query('rollback');
  await other.end();
  expect((await Promise.all(leaving)).map(({ status }) => status)).toEqual(tokens.map(() => 204));
});
