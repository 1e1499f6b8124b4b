import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { BrowserContext, BrowserOperation, WithCookie } from '../../engine/operation.ts';
import { millrace, recordTenantEvents } from '../../journal/journal.ts';
import { callerOf, countLogOut, giveToken, prove } from './authentication.ts';
import { decidePassword, decideRenewal, tokenRevoked } from './rules.ts';
import { browserExpiryOf, insertRevokedSession } from './session-store.ts';

/** A cookie: the handle of its session, which stays, and a secret that changes with use. */
interface Cookie {
  readonly handle: string;
  readonly secret: string;
}

export const openSession: BrowserOperation<'openSession'> = async (context) => {
  const { db, now, token, client, sessionHours } = context;
  const identity = await prove(context, token);
  const caller = await callerOf(db, identity);
  const refusal = decidePassword(undefined, caller) ?? decideRenewal(identity.loggedInOn, sessionHours, now);
  if (refusal) throw refusal;
  if (identity.apiKeyId !== undefined) throw ofKey();
  const { sessionId, loggedInOn, userId } = identity;
  const cookie = { handle: randomText(16), secret: randomText(32) };
  const expiresOn = browserExpiryOf(context, loggedInOn);
  if (!(await holdSession(db, sessionId, expiresOn))) throw tokenRevoked();
  await insertBrowserSession(context, sessionId, cookie);
  const event = { operation: 'openSession', actorId: userId, changes: { sessionId, ...client } };
  await recordTenantEvents(context, caller.tenantId, [event]);
  return { answer: { expiresOn: expiresOn.toISOString() }, cookie: kept(cookie, expiresOn, now) };
};

export const exchangeSession: BrowserOperation<'exchangeSession'> = async (context) => {
  const { db, now, sessionHours } = context;
  const cookie = readCookie(context.cookie);
  const session = cookie && (await lockBrowserSession(db, cookie));
  if (!session || session.expiresOn <= now) throw noSession();
  const renewal = decideRenewal(session.loggedInOn, sessionHours, now);
  if (renewal) throw renewal;
  const use = decideCookie(session, hashOf(cookie.secret), now);
  if (use === 'STOLEN') return endStolen(context, session);
  context.count(session);
  const nonce = use === 'CHANGE' ? randomBytes(32) : session.nonce;
  const next = use === 'KEEP' ? cookie : succeed(cookie, nonce);
  if (use === 'CHANGE') await changeSecret(context, next, nonce);
  const answer = await giveToken(context, session);
  return { answer, cookie: kept(next, browserExpiryOf(context, session.loggedInOn), now) };
};

export const closeSession: BrowserOperation<'closeSession'> = async (context) => {
  const { db, now, client } = context;
  const cookie = readCookie(context.cookie);
  const session = cookie && (await lockBrowserSession(db, cookie));
  if (!session) return gone(undefined);
  countLogOut(context, session);
  const { sessionId, userId, tenantId } = session;
  await insertRevokedSession(db, sessionId, now);
  const event = { operation: 'closeSession', actorId: userId, changes: { sessionId, ...client } };
  await recordTenantEvents(context, tenantId, [event]);
  return gone(undefined);
};

function gone<Answer>(answer: Answer): WithCookie<Answer> {
  return { answer, cookie: undefined };
}

/** A refusal is answered instead of thrown, because the end of the session and its event have to stay. */
async function endStolen(context: BrowserContext, session: BrowserSession): Promise<Refusal> {
  const { db, now, client } = context;
  const { sessionId, userId, tenantId } = session;
  await insertRevokedSession(db, sessionId, now);
  const reason =
    'A cookie that had been replaced came again, as that of a thief would: the session was ended.';
  const event = {
    operation: 'exchangeSession',
    actorId: millrace,
    reason,
    changes: { userId, sessionId, ...client },
  };
  await recordTenantEvents(context, tenantId, [event]);
  return new Refusal(
    'UNAUTHENTICATED',
    'This session was ended, because an old copy of its cookie was used. Log in again; if it was not you, tell an administrator.',
  );
}

function noSession(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'This browser keeps no session here, or it has ended. Log in.');
}

function ofKey(): Refusal {
  return new Refusal(
    'FORBIDDEN',
    'This session began with an API key, which is for programs. Log in with a password to stay logged in in a browser.',
  );
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

function readCookie(cookie: string | undefined): Cookie | undefined {
  const [, handle, secret] = /^([\w-]{22})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
  return handle !== undefined && secret !== undefined ? { handle, secret } : undefined;
}

function kept({ handle, secret }: Cookie, expiresOn: Date, now: Date) {
  return { value: `${handle}.${secret}`, seconds: (expiresOn.getTime() - now.getTime()) / 1000 };
}

/** The cookie after another. A browser that comes with the former one in time gets the same new one, though only its hash is kept. */
function succeed({ handle, secret }: Cookie, nonce: Buffer): Cookie {
  return { handle, secret: createHmac('sha256', secret).update(nonce).digest('base64url') };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Holds a session until the transaction ends, with a later end; false when it has ended already. */
async function holdSession(db: Db, sessionId: string, expiresOn: Date): Promise<boolean> {
  const row = await db.row(
    sql`update sessions set expires_on = ${expiresOn} where id = ${sessionId} returning id`,
  );
  return row !== undefined;
}

async function insertBrowserSession(
  { db, now }: BrowserContext,
  sessionId: string,
  cookie: Cookie,
): Promise<void> {
  await db.rows(sql`
    insert into browser_sessions (handle_hash, session_id, secret_hash, changed_on)
    values (${hashOf(cookie.handle)}, ${sessionId}, ${hashOf(cookie.secret)}, ${now})
    on conflict (session_id) do update set handle_hash = excluded.handle_hash, secret_hash = excluded.secret_hash,
      former_hash = null, nonce = null, changed_on = excluded.changed_on`);
}

/** A session that a browser keeps. */
interface BrowserSession {
  readonly sessionId: string;
  readonly userId: Id;
  readonly tenantId: Id;
  readonly tenantUuid: string;
  readonly loggedInOn: Date;
  readonly expiresOn: Date;
  readonly secretHash: Buffer;
  readonly formerHash?: Buffer;
  /** The value from which, with the former secret, the present one was made. */
  readonly nonce: Buffer;
  readonly changedOn: Date;
}

/**
 * The session of a cookie, whatever its secret, locked until the transaction ends: uses come one after the other, and none after its end.
 * The user is locked first, in the same order as a change that disables users and so ends their sessions.
 */
async function lockBrowserSession(db: Db, { handle }: Cookie): Promise<BrowserSession | undefined> {
  const here = sql`browser_sessions b join sessions s on s.id = b.session_id join users u on u.id = s.user_id
    where b.handle_hash = ${hashOf(handle)}`;
  await db.rows(sql`select from ${here} for share of u`);
  return db.row<BrowserSession>(sql`
    select s.id as "sessionId", s.user_id as "userId", u.tenant_id as "tenantId",
      (select t.uuid from tenants t where t.id = u.tenant_id) as "tenantUuid", s.begun_on as "loggedInOn",
      s.expires_on as "expiresOn", b.secret_hash as "secretHash", b.former_hash as "formerHash", b.nonce,
      b.changed_on as "changedOn"
    from ${here} for no key update of s, b`);
}

async function changeSecret(
  { db, now }: BrowserContext,
  { handle, secret }: Cookie,
  nonce: Buffer,
): Promise<void> {
  await db.rows(sql`
    update browser_sessions set former_hash = secret_hash, secret_hash = ${hashOf(secret)}, nonce = ${nonce},
      changed_on = ${now} where handle_hash = ${hashOf(handle)}`);
}

/** The secrets of the cookie by which a browser keeps a session, as hashes. */
interface KeptCookie {
  readonly secretHash: Buffer;
  /** The former secret, if there was one. */
  readonly formerHash?: Buffer;
  /** The time at which the present secret replaced another. */
  readonly changedOn: Date;
}

const tabsMs = 30_000;

/**
 * The meaning of a use of a cookie. Tabs of a browser that come within half a minute of one another have the present cookie or the one
 * before, and all of them leave with the present one. An older one was kept by somebody other than the browser.
 */
function decideCookie(
  present: KeptCookie,
  givenHash: Buffer,
  now: Date,
): 'CHANGE' | 'KEEP' | 'FOLLOW' | 'STOLEN' {
  const isYoung = now.getTime() < present.changedOn.getTime() + tabsMs;
  if (present.secretHash.equals(givenHash)) return isYoung ? 'KEEP' : 'CHANGE';
  return isYoung && present.formerHash?.equals(givenHash) ? 'FOLLOW' : 'STOLEN';
}
