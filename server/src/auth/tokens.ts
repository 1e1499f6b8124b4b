import { createHash } from 'node:crypto';
import { toId, type Id } from '@millrace/api';
import { decodeProtectedHeader, importSPKI, jwtVerify, type CryptoKey } from 'jose';
import { Refusal } from '../errors.ts';
import { tokenExpired } from './rules.ts';

/** Facts of the wire: algorithm and issuer are those that existing programs expect. */
export const algorithm = 'RS512';
export const issuer = 'AutomationAnywhere';
export const tokenSeconds = 1200;

/** Whom a token stands for, as far as its signature proves. Whether it was revoked, the database knows. */
export interface Identity {
  readonly tokenId: string;
  readonly userId: Id;
  readonly tenantUuid: string;
  /** The API key that the token was had with, if it was one. */
  readonly apiKeyId?: Id;
  readonly expiresOn: Date;
}

/** Finds the public key (PEM) of a signing key by its id. */
export type FindKey = (keyId: string) => Promise<string | undefined>;

/** Proves a token. @throws Refusal UNAUTHENTICATED when it is missing, malformed, forged or expired. */
export type VerifyToken = (token: string | undefined) => Promise<Identity>;

const keptTokens = 10_000;

/** A verifier that remembers keys, and tokens it has proved, because proving one costs more than a request. */
export function createVerifier(findKey: FindKey): VerifyToken {
  const keys = new Map<string, CryptoKey>();
  const proved = new Map<string, Identity>();
  const keyOf = async (keyId: string) => {
    const known = keys.get(keyId);
    const pem = known ? undefined : await findKey(keyId);
    if (pem) keys.set(keyId, await importSPKI(pem, algorithm));
    return keys.get(keyId);
  };
  return async (token) => {
    if (!token) throw new Refusal('UNAUTHENTICATED', noToken);
    const digest = createHash('sha256').update(token).digest('base64');
    const known = proved.get(digest);
    if (known && known.expiresOn.getTime() > Date.now()) return known;
    const identity = await prove(token, keyOf);
    if (proved.size >= keptTokens) proved.clear();
    proved.set(digest, identity);
    return identity;
  };
}

const noToken =
  "Access token expected in the 'Authorization: Bearer' or 'X-Authorization' header. Log in at POST /v2/authentication.";

async function prove(
  token: string,
  keyOf: (keyId: string) => Promise<CryptoKey | undefined>,
): Promise<Identity> {
  const keyId = keyIdOf(token);
  const key = keyId && (await keyOf(keyId));
  if (!key) throw unreadable();
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], issuer });
    const { sub = '', jti = '', exp = 0, apiKeyId, tenantUuid } = payload;
    const identity = {
      tokenId: jti,
      userId: toId(sub),
      tenantUuid: tenantUuid as string,
      expiresOn: new Date(exp * 1000),
    };
    return typeof apiKeyId === 'string' ? { ...identity, apiKeyId: toId(apiKeyId) } : identity;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_JWT_EXPIRED') throw unreadable();
    throw tokenExpired();
  }
}

/** The id of the key in the header, which nobody has proved yet: it goes to the database only if it looks like one. */
function keyIdOf(token: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token);
    return typeof kid === 'string' && /^[\w-]{1,64}$/.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'The access token is not one of this server. Log in again.');
}
