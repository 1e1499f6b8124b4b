import { createHash, randomUUID } from 'node:crypto';
import { toId, type Id } from '@millrace/api';
import {
  SignJWT,
  decodeProtectedHeader,
  importPKCS8,
  importSPKI,
  jwtVerify,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import { sql, type Reader } from '../../engine/db.ts';
import { Refusal, tokenExpired } from '../../engine/errors.ts';
import { GroupCommit } from '../../engine/group-commit.ts';
import type { Identity, VerifyToken } from '../../engine/operation.ts';

/** Fixed by the protocol: algorithm and issuer are the ones that existing programs expect. */
const algorithm = 'RS512';
const issuer = 'AutomationAnywhere';
const audience = 'millrace';
export const tokenSeconds = 1200;
// A token is dated by the clock of the database, which may be ahead of the one of this server.
const leewaySeconds = 60;

/** Finds the public key (PEM) of a signing key by its id. */
type FindKey = (keyId: string) => Promise<string | undefined>;

/** A public key, with the tokens proved by it: they are forgotten with it. */
interface KnownKey {
  readonly id: string;
  readonly key: CryptoKey;
  readonly proved: Map<string, Identity>;
  /** By the timer of the process, in milliseconds. */
  readonly foundOn: number;
}

const keptTokens = 10_000;
const keyMs = 500;

/**
 * A verifier that remembers keys and proved tokens, because a proof costs more than a request. It looks up each key in use again twice a
 * second, without keeping anybody waiting: it is only the doorkeeper, as every transaction checks again that the key of its token is still
 * there.
 * @param now the time of the database, by which tokens are signed
 */
export function createVerifier(findKey: FindKey, now: () => Date): VerifyToken {
  const keys = new Map<string, KnownKey>();
  const find = async (id: string): Promise<KnownKey | undefined> => {
    const pem = await findKey(id);
    if (!pem) return void keys.delete(id);
    const known = keys.get(id) ?? { id, key: await importSPKI(pem, algorithm), proved: new Map() };
    keys.set(id, { ...known, foundOn: performance.now() });
    return keys.get(id);
  };
  const keyOf = async (id: string) => {
    const known = keys.get(id);
    if (!known) return find(id);
    if (performance.now() - known.foundOn < keyMs) return known;
    // Once for all callers that ask meanwhile. While the database is away no token is of any use, so that the key may stay.
    keys.set(id, { ...known, foundOn: performance.now() });
    find(id).catch(() => undefined);
    return known;
  };
  return async (token, connection) => {
    if (!token) throw new Refusal('UNAUTHENTICATED', noToken);
    const sent = sentOn(connection, token);
    const known = sent.keyId === undefined ? undefined : await keyOf(sent.keyId);
    if (!known) throw unreadable();
    const identity = known.proved.get(sent.digest) ?? (await remember(known, sent, now()));
    if (identity.expiresOn <= now()) throw tokenExpired();
    return identity;
  };
}

const noToken =
  "Access token expected in the 'Authorization: Bearer' or 'X-Authorization' header. Log in at POST /v2/authentication.";

/** A token, and its contents before any proof. */
interface Sent {
  readonly token: string;
  readonly keyId: string | undefined;
  readonly digest: string;
}

/** The last token of each connection: nearly always, the next one is the same. */
const lastOn = new WeakMap<object, Sent>();

function sentOn(connection: object | undefined, token: string): Sent {
  const last = connection && lastOn.get(connection);
  if (last?.token === token) return last;
  const digest = createHash('sha256').update(token).digest('base64');
  const sent = { token, keyId: keyIdOf(token), digest };
  if (connection) lastOn.set(connection, sent);
  return sent;
}

async function remember(known: KnownKey, { token, digest }: Sent, now: Date): Promise<Identity> {
  const identity = await prove(token, known, now);
  if (known.proved.size >= keptTokens) known.proved.clear();
  known.proved.set(digest, identity);
  return identity;
}

async function prove(token: string, { id, key }: KnownKey, now: Date): Promise<Identity> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      issuer,
      audience,
      maxTokenAge: tokenSeconds,
      clockTolerance: leewaySeconds,
      requiredClaims: ['exp'],
      currentDate: now,
    });
    return readClaims(id, payload as ProvedClaims);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_JWT_EXPIRED') throw unreadable();
    throw tokenExpired();
  }
}

type ProvedClaims = JWTPayload & { readonly iat: number; readonly exp: number };

/** The claims as this server writes them: a thief of a leaked key might write others. @throws Error when they are odd. */
function readClaims(keyId: string, claims: ProvedClaims): Identity {
  const { sub, jti, sid, auth_time: loggedIn, iat, exp, tenantUuid, apiKeyId } = claims;
  if (exp - iat > tokenSeconds) throw new Error('it lives too long');
  return {
    tokenId: uuidIn(jti),
    keyId,
    sessionId: uuidIn(sid),
    loggedInOn: timeIn(loggedIn, iat),
    userId: idIn(sub),
    tenantUuid: uuidIn(tenantUuid),
    expiresOn: new Date(exp * 1000),
    ...(apiKeyId !== undefined && { apiKeyId: idIn(apiKeyId) }),
  };
}

function uuidIn(value: unknown): string {
  if (typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)) return value;
  throw new Error('not a UUID');
}

function idIn(value: unknown): Id {
  const isId = typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) < 2n ** 63n;
  if (isId) return toId(value);
  throw new Error('not an id');
}

function timeIn(value: unknown, latest: number): Date {
  if (Number.isInteger(value) && Number(value) > 0 && Number(value) <= latest)
    return new Date(1000 * Number(value));
  throw new Error('not a time before');
}

/** The id of the key in the header, not proved yet: it goes to the database only if it looks like one. */
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

/** A key pair for signing tokens, in PEM. */
export interface SigningKey {
  /** The kid of the tokens signed by it. */
  readonly id: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The claims of a token about its bearer and its session. */
type Claims = Pick<Identity, 'userId' | 'tenantUuid' | 'sessionId' | 'loggedInOn'> & {
  /** The API key with which the session began, if it was one; the session ends with the key. */
  readonly apiKeyId?: Id | undefined;
};

/** A new token. Besides the members that this server reads it has those for existing programs. */
export async function signToken(key: SigningKey, claims: Claims, now: Date): Promise<string> {
  const { userId, tenantUuid, sessionId, loggedInOn, apiKeyId } = claims;
  const issuedAt = Math.floor(now.getTime() / 1000);
  const payload = {
    clientType: 'WEB',
    licenses: ['RUNTIME'],
    analyticsLicensesPurchased: { AnalyticsClient: false, AnalyticsAPI: false },
    tenantUuid,
    nanoTime: Math.round(performance.now() * 1e6),
    csrfToken: '0',
    sid: sessionId,
    auth_time: Math.floor(loggedInOn.getTime() / 1000),
    ...(apiKeyId !== undefined && { apiKeyId: String(apiKeyId) }),
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: algorithm, kid: key.id })
    .setSubject(String(userId))
    .setJti(randomUUID())
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + tokenSeconds)
    .sign(await importPKCS8(key.privateKey, algorithm));
}

/**
 * Proves tokens by their signature and their time, with the keys in the database. Unknown keys are looked up one time after the other, for
 * all calls that arrived meanwhile: anybody can name such keys, and a flood would take the connections of all others.
 */
export function createTokenVerifier(db: Reader, now: () => Date): VerifyToken {
  const lanes = new GroupCommit<string, string | undefined>(
    (keyIds) => selectPublicKeys(db, keyIds),
    () => 1,
  );
  return createVerifier((keyId) => lanes.enqueue({ own: 'keys' }, keyId), now);
}

/** The public keys with these ids, in their order. */
async function selectPublicKeys(db: Reader, keyIds: readonly string[]): Promise<(string | undefined)[]> {
  const rows = await db.rows<{ id: string; publicKey: string }>(
    sql`select id, public_key as "publicKey" from signing_keys where id = any(${keyIds}::text[])`,
  );
  const keys = new Map(rows.map(({ id, publicKey }) => [id, publicKey]));
  return keyIds.map((id) => keys.get(id));
}
