import { createHmac } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeSigningKey, signToken, type SigningKey } from './signing.ts';
import { createVerifier, type VerifyToken } from './tokens.ts';

let key: SigningKey;
let asked: string[];
let verify: VerifyToken;
const claims = { userId: 9, tenantUuid: '4b1c5d0e-0000-4000-8000-000000000001', apiKeyId: undefined };

beforeAll(async () => {
  key = await makeSigningKey();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A verifier that knows the key. */
function knowing(known: SigningKey): VerifyToken {
  asked = [];
  return createVerifier((keyId) => {
    asked.push(keyId);
    return Promise.resolve(keyId === known.id ? known.publicKey : undefined);
  });
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
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      apiKeyId: '1152921504606846977',
    });
  });

  it('prove whom they stand for, and the database is asked for each key once', async () => {
    verify = knowing(key);
    const token = await signToken(key, claims, new Date());
    const proved = await verify(token);
    expect(proved).toEqual({
      tokenId: decodeJwt(token).jti,
      userId: 9,
      tenantUuid: claims.tenantUuid,
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
});
