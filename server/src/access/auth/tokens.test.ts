import { createHmac } from 'node:crypto';
import { SignJWT, decodeJwt, decodeProtectedHeader, importPKCS8 } from 'jose';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VerifyToken } from '../../engine/operation.ts';
import { makeSigningKey } from './signing-keys.ts';
import { createVerifier, signToken, type SigningKey } from './tokens.ts';

let key: SigningKey;
let asked: string[];
let verify: VerifyToken;
const sessionId = '4b1c5d0e-0000-4000-8000-000000000002';
const tenantUuid = '4b1c5d0e-0000-4000-8000-000000000001';
const loggedInOn = new Date('2024-03-01T09:30:00Z');
const claims = { userId: 9, tenantUuid, sessionId, loggedInOn };

beforeAll(async () => {
  key = await makeSigningKey();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A verifier that knows the key. */
function knowing(known: SigningKey): VerifyToken {
  asked = [];
  return createVerifier(
    (keyId) => {
      asked.push(keyId);
      return Promise.resolve(keyId === known.id ? known.publicKey : undefined);
    },
    () => new Date(),
  );
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function expectRefused(token: string | undefined, message: string) {
  await expect(verify(token)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining(message),
  });
}

describe('tokens', () => {
  it('carry what existing programs read, for twenty minutes', async () => {
    const token = await signToken(key, { ...claims, apiKeyId: 2n ** 60n + 1n }, new Date(1_709_285_400_700));
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS512', kid: key.id });
    expect(decodeJwt(token)).toEqual({
      sub: '9',
      clientType: 'WEB',
      licenses: ['RUNTIME'],
      analyticsLicensesPurchased: { AnalyticsClient: false, AnalyticsAPI: false },
      tenantUuid: claims.tenantUuid,
      iat: 1_709_285_400,
      exp: 1_709_286_600,
      iss: 'AutomationAnywhere',
      nanoTime: expect.any(Number),
      csrfToken: '0',
      aud: 'millrace',
      sid: sessionId,
      auth_time: 1_709_285_400,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      apiKeyId: '1152921504606846977',
    });
  });

  it('prove whom they stand for, and the database is asked for each key once', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    verify = knowing(key);
    const token = await signToken(key, claims, new Date());
    const proved = await verify(token);
    expect(proved).toEqual({
      tokenId: decodeJwt(token).jti,
      keyId: key.id,
      sessionId,
      loggedInOn,
      userId: 9,
      tenantUuid,
      expiresOn: expect.any(Date),
    });
    expect(await verify(token)).toEqual(proved);
    const withKey = await verify(await signToken(key, { ...claims, apiKeyId: 5 }, new Date()));
    expect(withKey).toMatchObject({ userId: 9, apiKeyId: 5 });
    expect(asked).toEqual([key.id]);
  });

  it('are refused when they are missing or no tokens at all', async () => {
    verify = knowing(key);
    await expectRefused(undefined, 'expected in the');
    await expectRefused('', 'expected in the');
    for (const token of ['x', 'a.b.c', '..', `${part({ alg: 'RS512' })}.${part({})}.`, '\u0000']) {
      await expectRefused(token, 'not one of this server');
    }
    expect(asked).toEqual([]);
  });

  it('are refused with a signature of another key, and with any change', async () => {
    verify = knowing(key);
    const other = await makeSigningKey();
    await expectRefused(await signToken(other, claims, new Date()), 'not one of this server');
    await expectRefused(
      await signToken({ ...other, id: key.id }, claims, new Date()),
      'not one of this server',
    );
    const [header, payload, signature] = (await signToken(key, claims, new Date())).split('.');
    const changed = part({ ...decodeJwt(`${header}.${payload}.${signature}`), sub: '1' });
    await expectRefused(`${header}.${changed}.${signature}`, 'not one of this server');
  });

  it('are refused without a signature, and with one that takes the public key for a secret', async () => {
    verify = knowing(key);
    const payload = part(decodeJwt(await signToken(key, claims, new Date())));
    for (const alg of ['none', 'None', 'NONE']) {
      await expectRefused(`${part({ alg, kid: key.id })}.${payload}.`, 'not one of this server');
    }
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
    ] as const) {
      const head = `${part({ alg, kid: key.id })}.${payload}`;
      const signature = createHmac(hash, key.publicKey).update(head).digest('base64url');
      await expectRefused(`${head}.${signature}`, 'not one of this server');
    }
  });

  it('are refused with a key id that is none, without asking the database', async () => {
    verify = knowing(key);
    const [, payload, signature] = (await signToken(key, claims, new Date())).split('.');
    for (const kid of ['', '\u0000', "x' or true --", 'x'.repeat(65), 5, null, {}, ['a']]) {
      await expectRefused(`${part({ alg: 'RS512', kid })}.${payload}.${signature}`, 'not one of this server');
    }
    expect(asked).toEqual([]);
  });

  it('are refused when they have expired, also those that were proved before', async () => {
    verify = knowing(key);
    await expectRefused(await signToken(key, claims, new Date(Date.now() - 1_201_000)), 'has expired');
    const token = await signToken(key, claims, new Date());
    await verify(token);
    vi.useFakeTimers({ now: Date.now() + 1_201_000, toFake: ['Date'] });
    await expectRefused(token, 'has expired');
  });

  it('are refused soon after their key is gone, also those that were proved before', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let known: string | undefined = key.publicKey;
    verify = createVerifier(
      () => Promise.resolve(known),
      () => new Date(),
    );
    const token = await signToken(key, claims, new Date());
    await verify(token);
    known = undefined;
    vi.advanceTimersByTime(600);
    await verify(token);
    await expectRefused(token, 'not one of this server');
    await expectRefused(await signToken(key, claims, new Date()), 'not one of this server');
  });

  it('are taken while the database is away, in which nothing is done for them', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let find = () => Promise.resolve<string | undefined>(key.publicKey);
    verify = createVerifier(
      () => find(),
      () => new Date(),
    );
    const token = await signToken(key, claims, new Date());
    await verify(token);
    find = () => Promise.reject(new Error('connect ECONNREFUSED'));
    for (const ms of [600, 5000, 60_000]) {
      vi.advanceTimersByTime(ms);
      expect(await verify(token)).toMatchObject({ userId: 9 });
    }
  });
});

const seconds = () => Math.floor(Date.now() / 1000);

/** A token with a good signature and these claims and members of the header instead of the usual ones. */
async function signOdd(odd: object, header: object = {}) {
  const usual = decodeJwt(await signToken(key, claims, new Date()));
  const sign = new SignJWT({ ...usual, ...odd }).setProtectedHeader({ alg: 'RS512', kid: key.id, ...header });
  return sign.sign(await importPKCS8(key.privateKey, 'RS512'), { crit: { odd: true } });
}

describe('tokens with claims that this server does not give', () => {
  it.each([
    ['no end', { exp: undefined }],
    ['an end that is no number', { exp: 'tomorrow' }],
    ['an end farther away than tokens live', { exp: seconds() + 86_400 }],
    ['a beginning in the future', { iat: seconds() + 600, exp: seconds() + 900 }],
    ['no beginning', { iat: undefined }],
    ['a beginning before everything', { iat: -1, exp: 1 }],
    ['another issuer', { iss: 'somebody' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'control room' }],
    ['no audience', { aud: undefined }],
    ['no user', { sub: undefined }],
    ['a user that is a name', { sub: 'admin' }],
    ['a user that is a number', { sub: 9 }],
    ['a user beyond all numbers', { sub: '9'.repeat(30) }],
    ['a user just beyond ids', { sub: '9223372036854775808' }],
    ['a user in another spelling', { sub: '09' }],
    ['no id', { jti: undefined }],
    ['an id that is an object', { jti: { a: 1 } }],
    ['an id with a character that no database stores', { jti: '\u0000' }],
    ['no session', { sid: undefined }],
    ['an odd session', { sid: ['a'] }],
    ['no log-in', { auth_time: undefined }],
    ['a log-in after its beginning', { auth_time: seconds() + 3600 }],
    ['an odd tenant', { tenantUuid: 'x' }],
    ['an odd API key', { apiKeyId: 'x' }],
    ['an API key that is a number', { apiKeyId: 5 }],
    ['a time before which it is not valid', { nbf: seconds() + 600 }],
  ])('are refused with %s', async (_, odd) => {
    verify = knowing(key);
    const token = await signOdd(odd);
    await expect(verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([[['odd']], [[]], ['odd'], [['b64']]])('are refused with the critical header %j', async (crit) => {
    verify = knowing(key);
    const [, payload = '', signature = ''] = (await signOdd({})).split('.');
    const head = part({ alg: 'RS512', kid: key.id, odd: 1, crit });
    await expectRefused(`${head}.${payload}.${signature}`, 'not one of this server');
  });

  it('are refused with a critical header that is signed', async () => {
    verify = knowing(key);
    await expectRefused(await signOdd({}, { crit: ['odd'], odd: 1 }), 'not one of this server');
  });

  it('are each proved by themselves on a connection that carries several', async () => {
    verify = knowing(key);
    const connection = {};
    const token = await signToken(key, claims, new Date());
    const other = await signToken(key, { ...claims, userId: 10 }, new Date());
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    for (const [sent, userId] of [
      [token, 9],
      [token, 9],
      [other, 10],
      [token, 9],
    ] as const)
      expect(await verify(sent, connection)).toMatchObject({ userId });
    await expect(verify(forged, connection)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(verify(forged, connection)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are taken when the clock of the database is a little ahead', async () => {
    verify = knowing(key);
    expect(await verify(await signToken(key, claims, new Date(Date.now() + 5000)))).toMatchObject({
      userId: 9,
    });
  });
});
