import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Id } from '@millrace/api';
import { importPKCS8, SignJWT } from 'jose';
import { algorithm, issuer, tokenSeconds } from './tokens.ts';

/** A key pair that signs tokens, in PEM. */
export interface SigningKey {
  /** The kid of the tokens that it signs. */
  readonly id: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What a token says of its bearer. */
export interface Claims {
  readonly userId: Id;
  readonly tenantUuid: string;
  /** The API key that the token is had with, if it is one. */
  readonly apiKeyId: Id | undefined;
}

export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { id: randomUUID(), ...pair };
}

/** A new token. Besides what this server reads it has the members that existing programs read. */
export async function signToken(key: SigningKey, claims: Claims, now: Date): Promise<string> {
  const { userId, tenantUuid, apiKeyId } = claims;
  const issuedAt = Math.floor(now.getTime() / 1000);
  const payload = {
    clientType: 'WEB',
    licenses: ['RUNTIME'],
    analyticsLicensesPurchased: { AnalyticsClient: false, AnalyticsAPI: false },
    tenantUuid,
    nanoTime: Math.round(performance.now() * 1e6),
    csrfToken: '0',
    ...(apiKeyId !== undefined && { apiKeyId: String(apiKeyId) }),
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: algorithm, kid: key.id })
    .setSubject(String(userId))
    .setJti(randomUUID())
    .setIssuer(issuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + tokenSeconds)
    .sign(await importPKCS8(key.privateKey, algorithm));
}
