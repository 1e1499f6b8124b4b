import { randomUUID } from 'node:crypto';
import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { createFairLimiter } from '../../engine/limiter.ts';
import type { Functions, PublicContext, SteppedContext } from '../../engine/operation.ts';
import { shareOf } from '../../engine/share.ts';
import { recordTenantEvents } from '../../journal/journal.ts';
import { hashApiKey } from '../users/api-keys.ts';
import { verifyPassword } from '../users/passwords.ts';
import { giveToken } from './authentication.ts';
import {
  countFailure,
  forgetFailures,
  hashOfAddress,
  hashOfPair,
  lockLoginFailures,
  lowerCased,
  networkOf,
  recordFailure,
  selectLoginFailures,
  type Attempt,
} from './failures.ts';
import { decideLogIn } from './rules.ts';

type Session = Schemas['Session'];

// Attempts wait here before they ask the database for anything, so that a flood from one address takes nothing from others.
const limitPasswords = createFairLimiter({
  atOnce: shareOf(4),
  waiting: 100,
  waitingInAll: 1000,
  refusal: busy,
});
// All runners of a site may come back at once, from one address.
const limitKeys = createFairLimiter({ atOnce: shareOf(4), waiting: 1000, waitingInAll: 3000, refusal: busy });

export const getLoginMethods: Functions['getLoginMethods'] = async ({ providers }, { query }) => {
  const { tenant = firstTenant } = query;
  const ofTenant = providers.filter((provider) => provider.tenant === tenant);
  const list = ofTenant.map(({ name, title }) => ({ type: 'PROVIDER' as const, provider: name, title }));
  return { list: [{ type: 'PASSWORD' }, ...list] };
};

/** The tenant that the first start creates. */
const firstTenant = 'default';

export const logIn: Functions['logIn'] = async (context, { body }) => {
  const { username, password, apiKey } = body;
  const network = networkOf(context.client.address);
  const attempt = { username, network };
  if (apiKey?.trim()) return limitKeys(network)(() => logInByKey(context, attempt, apiKey));
  if (typeof password === 'string')
    return limitPasswords(network)(() => logInByPassword(context, attempt, password));
  throw new Refusal(
    'INVALID_REQUEST',
    'Send the password or the API key of the user, in password or apiKey.',
  );
};

/** 160 random bits cannot be guessed: keys are not slowed down, nor locked out while passwords of their user are guessed. */
async function logInByKey({ transact }: SteppedContext, attempt: Attempt, apiKey: string): Promise<Session> {
  const outcome = await transact(async (step) => {
    const account = await selectAccount(step.db, attempt.username);
    const key = account && (await selectApiKey(step.db, account.userId, hashApiKey(apiKey), step.now));
    if (account?.disabled === false && key) return beginSession(step, account, key.id);
    await recordFailedLogIn(step, attempt, { account, what: 'API key' });
    return wrongCredentials();
  });
  return granted(outcome);
}

/** Hashes between two transactions: a connection held meanwhile would be missing elsewhere. */
async function logInByPassword(
  { transact }: SteppedContext,
  attempt: Attempt,
  password: string,
): Promise<Session> {
  const account = await transact(async ({ db, now }) => {
    const refusal = decideLogIn(await selectLoginFailures(db, attempt), now);
    if (refusal) throw refusal;
    return selectAccount(db, attempt.username);
  });
  const isRight = await verifyPassword(account?.passwordHash, password);
  const proved = isRight ? account?.passwordHash : undefined;
  return granted(await transact((step) => settleAttempt(step, attempt, proved)));
}

/** A refusal is answered by a step instead of thrown, because its count and its event have to stay. */
function granted(outcome: Session | Refusal): Session {
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

/**
 * Decides again, one attempt after the other: guesses sent at once all found few failures before.
 * @param proved the hash that the password was found to match
 */
async function settleAttempt(
  step: PublicContext,
  attempt: Attempt,
  proved: string | undefined,
): Promise<Session | Refusal> {
  const { db, now } = step;
  await lockLoginFailures(db, attempt.username);
  const failures = await selectLoginFailures(db, attempt);
  const refusal = decideLogIn(failures, now);
  if (refusal) return refusal;
  await holdAccount(db, attempt.username);
  const account = await selectAccount(db, attempt.username);
  // The password may have been changed since it was found right.
  const isRight = proved !== undefined && proved === account?.passwordHash;
  if (isRight && !account.disabled) {
    await forgetFailures(db, attempt, now);
    return beginSession(step, account);
  }
  await countFailure(db, attempt, now);
  await recordFailedLogIn(step, attempt, { account, what: 'password' });
  return wrongCredentials();
}

function busy(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'Too many log-ins from this address are waiting already. Try again shortly.',
    {
      retryAfter: 1,
    },
  );
}

/** A session for the user, which is on record; so is the refusal of an API key that lacks its permission. */
async function beginSession(
  step: PublicContext,
  { userId, tenantId }: Account,
  apiKeyId?: Id,
): Promise<Session | Refusal> {
  const session = giveToken(step, { userId, apiKeyId, sessionId: randomUUID(), loggedInOn: step.now });
  const outcome = await session.catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
  const reason = outcome instanceof Refusal ? 'The user lacks the permission generateApiKey.' : undefined;
  const event = { operation: 'logIn', actorId: userId, reason, changes: { ...step.client, apiKeyId } };
  await recordTenantEvents(step, tenantId, [event]);
  return outcome;
}

/** The same refusal for a wrong name, password or key, and for a disabled user. */
function wrongCredentials(): Refusal {
  return new Refusal(
    'UNAUTHENTICATED',
    'The user name, password or API key is wrong, or the user is disabled. Check them, or ask an administrator.',
  );
}

/** The part of a user that a log-in needs. */
interface Account {
  readonly userId: Id;
  readonly tenantId: Id;
  readonly disabled: boolean;
  readonly passwordHash?: string;
}

/** Holds the user until the transaction ends, so that no session begins by a password that is being reset at the same moment. */
async function holdAccount(db: Db, username: string): Promise<void> {
  await db.rows(sql`select from users where lower(username) = ${lowerCased(username)} for share`);
}

/** The user of this name. */
function selectAccount(db: Db, username: string): Promise<Account | undefined> {
  return db.row<Account>(sql`
    select u.id as "userId", u.tenant_id as "tenantId", u.disabled or t.disabled as disabled, u.password_hash as "passwordHash"
    from users u join tenants t on t.id = u.tenant_id
    where lower(u.username) = ${lowerCased(username)}`);
}

/** The reason for a failed attempt, for readers of the tenant's events. */
interface Failing {
  readonly account: Account | undefined;
  readonly what: 'password' | 'API key';
}

/**
 * Records a failed attempt; one with an unknown name goes to the first tenant, and without the name, which may be a password. Failures are
 * counted together for one known name from one address, and for all unknown names from one address.
 */
function recordFailedLogIn(context: PublicContext, attempt: Attempt, failing: Failing): Promise<void> {
  const { account } = failing;
  return recordFailure(context, account ? hashOfPair(attempt) : hashOfAddress(attempt), {
    tenantId: account?.tenantId,
    reason: reasonOf(failing),
    changes: { ...context.client, userId: account?.userId },
  });
}

function reasonOf({ account, what }: Failing): string {
  if (!account) return 'There is no user of this name.';
  if (account.disabled) return 'The user, or the tenant, is disabled.';
  return what === 'password' ? 'The password is wrong.' : 'The API key is wrong, revoked or expired.';
}

/** The API key with this hash, when it is one of the user and has not expired. */
function selectApiKey(db: Db, userId: Id, hash: Buffer, now: Date) {
  return db.row<{ id: Id }>(sql`
    select k.id from api_keys k
    where k.hash = ${hash} and k.user_id = ${userId} and (k.expires_on is null or k.expires_on > ${now})`);
}
