import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { password } from '../../testing/app.ts';
import { openPool, transaction } from '../../engine/db.ts';
import { eventually } from '../../testing/fixtures.ts';
import { startForLogIns } from '../../testing/log-ins.ts';
import { makeSigningKey } from './signing-keys.ts';
import { signToken } from './tokens.ts';
import { lockLoginFailures } from './failures.ts';

const { app, anyone, logIn, isAccepted } = await startForLogIns();

/** A user with an API key. */
async function keyHolder(username: string) {
  const user = await app.user(username, ['AAE_Bot Runner']);
  const { body } = await user.call.createApiKey({ body: { name: 'runner' } });
  return { ...user, keyId: Number(body.id), apiKey: body.apiKey as string };
}

describe('logIn', () => {
  it('logIn answers a token for 20 minutes and every member of the user that programs read', async () => {
    const { id } = await app.user('jdoe');
    const before = Date.now();
    const { status, body } = await anyone.logIn({
      body: { username: 'jdoe', password, multipleLogin: false },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      tokenExpiresIn: 1200,
      user: {
        id,
        email: '',
        username: 'jdoe',
        domain: null,
        firstName: '',
        lastName: '',
        version: 0,
        principalId: id,
        deleted: false,
        roles: [{ name: 'AAE_Basic', id: expect.any(Number), version: 0 }],
        sysAssignedRoles: [],
        groupNames: [],
        permissions: [{ name: 'createQueues' }, { name: 'runAutomations' }, { name: 'useQueues' }],
        licenseFeatures: ['RUNTIME'],
        emailVerified: true,
        passwordSet: true,
        questionsSet: true,
        enableAutoLogin: false,
        disabled: false,
        clientRegistered: false,
        description: '',
        lastSeenOn: expect.stringMatching(/Z$/),
        createdBy: expect.any(Number),
        createdOn: expect.stringMatching(/Z$/),
        updatedBy: expect.any(Number),
        updatedOn: expect.stringMatching(/Z$/),
        publicKey: null,
        appType: null,
        routingName: null,
        appUrl: null,
      },
    });
    const { sub, iat = 0, exp = 0, ...claims } = decodeJwt(body.token);
    expect(decodeProtectedHeader(body.token)).toEqual({ alg: 'RS512', kid: expect.any(String) });
    expect({ sub, life: exp - iat }).toEqual({ sub: String(id), life: 1200 });
    expect(iat * 1000).toBeGreaterThan(before - 60_000);
    expect(claims).toMatchObject({ clientType: 'WEB', iss: 'AutomationAnywhere', csrfToken: '0' });
    expect(claims).not.toHaveProperty('apiKeyId');
  });

  it('logIn is the same under /v1, and leaves earlier tokens alone', async () => {
    const { token } = await app.user('older');
    const response = await fetch(`${app.url}/v1/authentication`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'older', password }),
    });
    const session = (await response.json()) as { token: string };
    expect(response.status).toBe(200);
    expect(session.token).not.toBe(token);
    expect([await isAccepted(session.token), await isAccepted(token)]).toEqual([true, true]);
  });

  it('logIn finds the user name in any case, of any script, with a backslash in it', async () => {
    for (const [created, typed] of [
      ['Upper.Case', 'uPPER.cASE'],
      ['EMEA\\jdoe', 'emea\\JDOE'],
      ['Jürgen 金', 'jürgen 金'],
    ] as const) {
      await app.user(created);
      const { status, body } = await logIn(typed);
      expect([status, body.user?.username]).toEqual([200, created]);
    }
  });

  it('logIn answers alike for a wrong password, an unknown user, a disabled one and one without a password', async () => {
    await app.user('known');
    await app.user('disabled');
    await app.sql(`update users set disabled = true where username = 'disabled'`);
    await app.admin.createUser({ body: { username: 'without password' } });
    const answers = [
      await logIn('known', 'wrong horse battery'),
      await logIn('known', ''),
      await logIn('unknown'),
      await logIn("x' or true --"),
      await logIn('disabled'),
      await logIn('without password'),
      await anyone.logIn({ body: { username: 'known', apiKey: 'x'.repeat(40) } }),
      await anyone.logIn({ body: { username: 'unknown', apiKey: 'x'.repeat(40) } }),
    ];
    for (const { status, error, headers } of answers) {
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe('Bearer');
      expect(error).toEqual({ code: 'UNAUTHENTICATED', message: expect.stringContaining('is wrong') });
      expect(error).toEqual(answers[0]?.error);
    }
  });

  it('logIn refuses a body without a user name, or with neither password nor key', async () => {
    const bodies = [
      { password },
      { username: '', password },
      { username: 'admin' },
      { username: 'admin', apiKey: '  ' },
      { username: 'admin', apiKey: null, password: null },
      { username: 'admin', password: 5 },
      { username: 'ad\u0000min', password },
    ];
    for (const body of bodies) {
      const { status, error } = await anyone.logIn({ body: body as never });
      expect([status, error.code], JSON.stringify(body)).toEqual([400, 'INVALID_REQUEST']);
    }
  });

  it('logIn takes an API key, which wins over a password, and marks the token with it', async () => {
    const { id, apiKey, keyId } = await keyHolder('runner 1');
    const { status, body } = await anyone.logIn({
      body: { username: 'RUNNER 1', apiKey, password: 'wrong' },
    });
    expect([status, body.user.id]).toEqual([200, id]);
    expect(decodeJwt(body.token)['apiKeyId']).toBe(String(keyId));
    expect(await isAccepted(body.token)).toBe(true);
    const blank = await anyone.logIn({ body: { username: 'runner 1', apiKey: ' ', password } });
    expect(decodeJwt(blank.body.token)).not.toHaveProperty('apiKeyId');
  });

  it('logIn refuses an API key of somebody else, one that was revoked and one that expired', async () => {
    const { apiKey, keyId, call } = await keyHolder('runner 2');
    const byKey = (username = 'runner 2') => anyone.logIn({ body: { username, apiKey } });
    expect((await byKey('admin')).status).toBe(401);
    await app.sql(`update api_keys set expires_on = now() where id = $1`, [keyId]);
    expect((await byKey()).status).toBe(401);
    await app.sql(`update api_keys set expires_on = now() + interval '1 hour' where id = $1`, [keyId]);
    expect((await byKey()).status).toBe(200);
    await call.revokeApiKey({ path: { id: keyId } });
    expect((await byKey()).status).toBe(401);
  });

  it('logIn refuses an API key while its user lacks the permission generateApiKey, and says so', async () => {
    const { apiKey, id } = await keyHolder('runner 3');
    await app.sql('delete from user_roles where user_id = $1', [id]);
    const { status, error } = await anyone.logIn({ body: { username: 'runner 3', apiKey } });
    expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(error.message).toContain('generateApiKey');
  });
});

describe('logIn, slowed down', () => {
  /** Moves the last failure of all names this many seconds into the past. */
  const letTimePass = (seconds: number) =>
    app.sql(`update login_failures set last_on = last_on - $1 * interval '1 second'`, [seconds]);

  it.each(['guessed', 'unknown guessed'])(
    'logIn makes user name "%s" wait after five wrong passwords',
    async (username) => {
      if (username === 'guessed') await app.user(username);
      for (let attempt = 1; attempt <= 5; attempt += 1)
        expect((await logIn(username, 'wrong')).status).toBe(401);
      // The longest wait, so that the test does not depend on its own speed.
      await app.sql('update login_failures set failures = 11 where failures = 5');
      const refused = await logIn(username.toUpperCase());
      expect([refused.status, refused.error.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
      expect((await logIn('admin')).status).toBe(200);
      await letTimePass(60);
      expect((await logIn(username, 'wrong')).status).toBe(401);
      expect((await logIn(username, 'wrong')).status).toBe(429);
    },
  );

  it('logIn forgets the failures at the first success, and not when the attempt comes too early', async () => {
    await app.user('forgetful');
    for (let attempt = 1; attempt <= 5; attempt += 1) await logIn('forgetful', 'wrong');
    await app.sql('update login_failures set failures = 11 where failures = 5');
    expect((await logIn('forgetful')).status).toBe(429);
    await letTimePass(60);
    expect((await logIn('forgetful')).status).toBe(200);
    for (let attempt = 1; attempt <= 4; attempt += 1)
      expect((await logIn('forgetful', 'wrong')).status).toBe(401);
    expect((await logIn('forgetful')).status).toBe(200);
  });

  it('logIn lets no more guesses pass when they are sent at the same time', async () => {
    await app.user('stormed');
    for (let attempt = 1; attempt <= 5; attempt += 1) await logIn('stormed', 'wrong');
    await app.sql(`update login_failures set failures = 20 where failures = 5`);
    await letTimePass(60);
    const answers = await Promise.all(Array.from({ length: 12 }, () => logIn('stormed', 'wrong')));
    const numberOf = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect([numberOf(401), numberOf(429)]).toEqual([1, 11]);
  });

  it('logIn decides attempts for the same name one after the other', async () => {
    await app.user('queued');
    for (let attempt = 1; attempt <= 5; attempt += 1) await logIn('queued', 'wrong');
    await app.sql(`update login_failures set failures = 20 where failures = 5`);
    await letTimePass(60);
    const waiting = () => app.sql(`select from pg_locks where locktype = 'advisory' and not granted`);
    const pool = openPool(app.connection, 1);
    const attempts = await transaction(pool, async (db) => {
      await lockLoginFailures(db, 'Queued');
      const sent = Array.from({ length: 4 }, () => logIn('queued', 'wrong'));
      const allWait = eventually(waiting, (locks) => locks.length === 4).then(() => 'all wait');
      expect(await Promise.race([allWait, ...sent])).toBe('all wait');
      return sent;
    });
    await pool.end();
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(1);
  });

  it('logIn with an API key goes on while passwords of the user are guessed', async () => {
    const { apiKey } = await keyHolder('runner 4');
    for (let attempt = 1; attempt <= 5; attempt += 1) await logIn('runner 4', 'wrong');
    await app.sql('update login_failures set failures = 11 where failures = 5');
    expect((await logIn('runner 4')).status).toBe(429);
    expect((await anyone.logIn({ body: { username: 'runner 4', apiKey } })).status).toBe(200);
  });

  it('logIn lets many log in as the same user at the same time', async () => {
    await app.user('busy');
    const answers = await Promise.all(Array.from({ length: 20 }, () => logIn('busy')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('tokens over HTTP', () => {
  it('are taken from either header', async () => {
    const { token } = await app.user('headers');
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-authorization': token }]) {
      const response = await fetch(`${app.url}/v2/authentication/token`, { headers });
      expect(await response.json()).toEqual({ valid: true });
    }
  });

  it('are refused when this server did not sign them, and when their user is gone', async () => {
    const { id, token } = await app.user('forger');
    const { kid = '' } = decodeProtectedHeader(token);
    const foreign = await makeSigningKey();
    const uuid = '4b1c5d0e-0000-4000-8000-000000000001';
    const claims = { userId: id, tenantUuid: uuid, sessionId: uuid, loggedInOn: new Date(0) };
    for (const key of [foreign, { ...foreign, id: kid }]) {
      expect((await app.as(await signToken(key, claims, new Date())).listQueues()).status).toBe(401);
    }
    expect(await isAccepted(token)).toBe(true);
    await app.sql('update users set disabled = true where id = $1', [id]);
    const { status, error } = await app.as(token).listQueues();
    expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('validateToken', () => {
  it('validateToken answers for a token in the query to anybody', async () => {
    const { token } = await app.user('validated');
    const ask = async (given: string, caller = anyone) =>
      (await caller.validateToken({ query: { token: given } })).body;
    expect(await ask(token)).toEqual({ valid: true });
    expect(await ask('x.y.z', app.as(token))).toEqual({ valid: false });
    expect(await ask(`${token}x`)).toEqual({ valid: false });
    await app.as(token).logOut();
    expect(await ask(token)).toEqual({ valid: false });
  });

  it('validateToken answers for the token in the header, and refuses one that is not valid, or none', async () => {
    const { token } = await app.user('validated 2');
    expect((await app.as(token).validateToken()).body).toEqual({ valid: true });
    await app.as(token).logOut();
    for (const given of [token, 'x.y.z', undefined]) {
      const { status, error } = await app.as(given).validateToken();
      expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });
});

describe('refreshToken', () => {
  it('refreshToken answers a new token and the user; the old token lives on', async () => {
    const { id, token } = await app.user('refreshed');
    for (const answer of [
      await app.as(token).refreshToken(),
      await anyone.refreshToken({ body: { token } }),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.body.user).toMatchObject({ id, username: 'refreshed' });
      expect(answer.body.token).not.toBe(token);
      expect(await isAccepted(answer.body.token)).toBe(true);
    }
    expect(await isAccepted(token)).toBe(true);
  });

  it('refreshToken keeps the API key in the token, and the token ends with the key', async () => {
    const { call, apiKey, keyId } = await keyHolder('runner 5');
    const session = await anyone.logIn({ body: { username: 'runner 5', apiKey } });
    const { body } = await app.as(session.body.token).refreshToken();
    expect(decodeJwt(body.token)['apiKeyId']).toBe(String(keyId));
    await call.revokeApiKey({ path: { id: keyId } });
    expect(await isAccepted(body.token)).toBe(false);
    expect((await app.as(body.token).refreshToken()).status).toBe(401);
  });

  it('refreshToken refuses a token that was revoked, forged or none, and that of a disabled user', async () => {
    const revoked = await app.user('revoked');
    await revoked.call.logOut();
    const disabled = await app.user('disabled later');
    await app.sql('update users set disabled = true where id = $1', [disabled.id]);
    for (const token of [revoked.token, disabled.token, 'x.y.z', undefined]) {
      const { status, error } = await app.as(token).refreshToken();
      expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });
});

describe('logOut', () => {
  it('logOut revokes the token in the header, and no other of the user', async () => {
    const { token } = await app.user('leaving');
    const other = (await logIn('leaving')).body.token;
    expect((await app.as(token).logOut()).status).toBe(204);
    expect([await isAccepted(token), await isAccepted(other)]).toEqual([false, true]);
  });

  it('logOut revokes the token in the body rather than the one in the header', async () => {
    const { token, call } = await app.user('leaving 2');
    const other = (await logIn('leaving 2')).body.token;
    expect((await call.logOut({ body: { token: other } })).status).toBe(204);
    expect([await isAccepted(token), await isAccepted(other)]).toEqual([true, false]);
  });

  it('logOut refuses a token that was revoked already, is forged or missing', async () => {
    const { token } = await app.user('leaving 3');
    await app.as(token).logOut();
    for (const given of [token, 'x.y.z', undefined]) {
      const { status, error } = await app.as(given).logOut();
      expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });
});
