import { sql, type Db } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import { recordFailures } from './failures.ts';
import { tokenSeconds } from './tokens.ts';

const delay = 60_000;
const tokenMilliseconds = tokenSeconds * 1000;
// A log-in that was under way when a newer key came still signs with the older one: hence twice the life of a token.
const keyMilliseconds = 2 * tokenMilliseconds;
// At one attempt a minute, waiting this time for failures to be forgotten gains nothing: only five attempts are free then.
const failureMilliseconds = 15 * 60_000;
const knownMilliseconds = 30 * 24 * 60 * 60_000;

/** Deletes rows that no longer decide anything, such as revoked sessions that expired, old signing keys and failed log-ins. */
export const forgetRevokedSessions: Job = {
  name: 'forgetRevokedSessions',
  run: async (context) => {
    const { db, now } = context;
    // A server whose clock is late accepts its tokens for a while longer, and must find their revocation here as long.
    await deleteRevokedSessions(db, new Date(now.getTime() - tokenMilliseconds));
    await deleteExpiredSessions(db, new Date(now.getTime() - tokenMilliseconds));
    await deleteSigningKeys(db, new Date(now.getTime() - keyMilliseconds));
    await recordFailures(context, sql`true`);
    await deleteStaleLoginFailures(db, new Date(now.getTime() - failureMilliseconds));
    await deleteSignOns(db, now);
    await deleteKnownLogins(db, new Date(now.getTime() - knownMilliseconds));
    return delay;
  },
};

/** Deletes the keys that a newer one replaced before a time. */
async function deleteSigningKeys(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from signing_keys k where exists (
    select from signing_keys newer where newer.created_on > k.created_on and newer.created_on < ${before})`);
}

/** Deletes revoked sessions that expired before a time, some thousands at most. */
async function deleteRevokedSessions(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from revoked_sessions where id in (
    select id from revoked_sessions where expires_on < ${before} limit 10000 for update skip locked)`);
}

/** Deletes sessions whose newest token expired before a time, some thousands at most. */
async function deleteExpiredSessions(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from sessions where id in (
    select id from sessions where expires_on < ${before} limit 10000 for update skip locked)`);
}

/** Forgets failures with a name or from an address that nobody has tried since a time, some thousands at most. */
async function deleteStaleLoginFailures(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from login_failures where subject_hash in (
    select subject_hash from login_failures where last_on < ${before} and unrecorded = 0
    limit 10000 for update skip locked)`);
}

/** Forgets known log-ins, the addresses from which users logged in, until a time, some thousands at most. */
async function deleteKnownLogins(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from known_logins where subject_hash in (
    select subject_hash from known_logins where last_on < ${before} limit 10000 for update skip locked)`);
}

/** Forgets sign-ons that nobody has finished in time, some thousands at most. */
async function deleteSignOns(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from sign_ons where secret_hash in (
    select secret_hash from sign_ons where expires_on < ${before} limit 10000 for update skip locked)`);
}
