import { isIPv6 } from 'node:net';
import { stringifyJson, type Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import type { TenantContext } from '../../engine/operation.ts';
import { millrace, recordTenantEvents } from '../../journal/journal.ts';
import type { decideLogIn } from './rules.ts';

type LoginFailures = Parameters<typeof decideLogIn>[0];

/** An attempt to log in: the user name as it was typed, and from where. */
export interface Attempt {
  readonly username: string;
  readonly network: string;
}

/** The network by which failures are counted. IPv6 clients have 2^64 addresses each, which count as one. */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const [first, last] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':'))) as [
    string[],
    string[],
  ];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const groups = [...first, ...zeros, ...last].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

// Lower case must be the same here and where user names are unique: otherwise a name could be tried under several counts.
export const lowerCased = (username: string) => sql`lower(${username}::text)`;

// A hash, because people type passwords into the wrong field.
export const hashOf = (text: Sql) => sql`sha256(convert_to(${text}, 'UTF8'))`;
export const hashOfPair = ({ username, network }: Attempt) =>
  hashOf(sql`'pair ' || ${network}::text || ' ' || ${lowerCased(username)}`);
const hashOfName = ({ username }: Attempt) => hashOf(sql`'name ' || ${lowerCased(username)}`);
export const hashOfAddress = ({ network }: Attempt) => hashOf(sql`'address ' || ${network}::text`);

/** Attempts for the same name are decided one after the other: the lock lasts until the transaction ends. */
export async function lockLoginFailures(db: Db, username: string): Promise<void> {
  await db.rows(sql`select pg_advisory_xact_lock(hashtextextended(${lowerCased(username)}, 0))`);
}

/** The failures before an attempt, on which its decision rests. */
export async function selectLoginFailures(db: Db, attempt: Attempt): Promise<LoginFailures> {
  const row = await db.row<LoginFailures>(sql`
    select exists (select from known_logins where subject_hash = ${hashOfPair(attempt)}) as "isKnown",
      (select json_build_object('count', failures, 'lastOn', last_on) from login_failures
        where subject_hash = ${hashOfPair(attempt)}) as pair,
      (select json_build_object('count', failures, 'lastOn', last_on) from login_failures
        where subject_hash = ${hashOfName(attempt)}) as name,
      (select json_build_object('count', failures, 'lastOn', last_on) from login_failures
        where subject_hash = ${hashOfAddress(attempt)}) as address`);
  return row as LoginFailures;
}

export async function countFailure(db: Db, attempt: Attempt, now: Date): Promise<void> {
  await db.rows(sql`
    insert into login_failures as f (subject_hash, failures, last_on)
    select subject, 1, ${now} from unnest(array[${hashOfPair(attempt)}, ${hashOfName(attempt)}, ${hashOfAddress(attempt)}]) as subject
    on conflict (subject_hash) do update set failures = f.failures + 1, last_on = ${now}`);
}

/** After a success the failures of this name from this address start from zero, and the address is known for the name. */
export async function forgetFailures(db: Db, attempt: Attempt, now: Date): Promise<void> {
  await db.rows(sql`
    update login_failures set failures = 0 where subject_hash = ${hashOfPair(attempt)} and failures > 0`);
  await db.rows(sql`
    insert into known_logins as k (subject_hash, last_on) values (${hashOfPair(attempt)}, ${now})
    on conflict (subject_hash) do update set last_on = ${now} where k.last_on < ${now}::timestamptz - interval '1 day'`);
}

/** A failed attempt, as its event records it. */
interface FailedAttempt {
  /** `logIn` when left out. */
  readonly operation?: string;
  /** The first one when left out. */
  readonly tenantId?: Id | undefined;
  readonly reason: string;
  readonly changes: object;
}

/**
 * Records a failed attempt. Repeated ones within a minute, as in a flood, are one event with a count.
 * @param subject the hash that attempts of one kind share
 */
export async function recordFailure(
  context: Pick<TenantContext, 'db' | 'now' | 'wake'>,
  subject: Sql,
  event: FailedAttempt,
): Promise<void> {
  const { db, now } = context;
  await db.rows(sql`
    insert into login_failures as f (subject_hash, failures, last_on, unrecorded, event)
    values (${subject}, 0, ${now}, 1, ${stringifyJson(event)})
    on conflict (subject_hash) do update set unrecorded = f.unrecorded + 1, last_on = ${now}, event = excluded.event`);
  await recordFailures(context, sql`subject_hash = ${subject}`);
}

interface Unrecorded {
  readonly event: FailedAttempt;
  readonly count: number;
}

/** Records failed attempts that were only counted so far, some thousand at most: each subject has one event a minute. */
export async function recordFailures(
  context: Pick<TenantContext, 'db' | 'now' | 'wake'>,
  which: Sql,
): Promise<void> {
  const { db, now } = context;
  const rows = await db.rows<Unrecorded>(sql`
    update login_failures f set unrecorded = 0, recorded_on = ${now}
    from (select subject_hash, unrecorded from login_failures where unrecorded > 0 and ${which}
        and (recorded_on is null or recorded_on <= ${now}::timestamptz - interval '1 minute')
      limit 1000 for update skip locked) due
    where f.subject_hash = due.subject_hash returning f.event, due.unrecorded as count`);
  for (const { event, count } of rows) {
    const { operation = 'logIn', reason, changes } = event;
    const tenantId = event.tenantId ?? (await selectFirstTenant(db));
    const failed = {
      operation,
      actorId: millrace,
      reason,
      changes: { ...changes, failures: count },
    };
    await recordTenantEvents(context, tenantId, [failed]);
  }
}

async function selectFirstTenant(db: Db): Promise<Id> {
  const row = await db.row<{ id: Id }>(sql`select id from tenants order by id limit 1`);
  return (row as { id: Id }).id;
}
