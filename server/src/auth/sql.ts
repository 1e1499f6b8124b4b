import type { Id } from '@millrace/api';
import { named, sql, type Db, type Reader } from '../db.ts';
import type { Permission } from './permissions.ts';
import type { Caller, LoginFailures } from './rules.ts';
import type { SigningKey } from './signing.ts';
import type { Identity } from './tokens.ts';

/**
 * The callers behind tokens, with their standings in a queue; those whose token was revoked, whose API key is gone or
 * who are disabled are missing.
 */
export function selectCallers(
  db: Db,
  identities: readonly Identity[],
  queueId: Id | undefined,
): Promise<Caller[]> {
  const statement = sql`
    select token.id as "tokenId", u.id as "userId", u.username, u.tenant_id as "tenantId",
      array(select distinct unnest(r.permissions) from user_roles ur join roles r on r.id = ur.role_id
             where ur.user_id = u.id) as permissions,
      array(select m.role from queue_members m where m.queue_id = ${queueId} and m.user_id = u.id
            union select 'CONSUMER' from queue_consumers c join user_roles ur on ur.role_id = c.role_id
             where c.queue_id = ${queueId} and ur.user_id = u.id) as standings
    from unnest(${identities.map((one) => one.tokenId)}::text[], ${identities.map((one) => one.userId)}::bigint[],
                ${identities.map((one) => one.apiKeyId ?? null)}::bigint[]) as token (id, user_id, api_key_id)
    join users u on u.id = token.user_id and not u.disabled
    where not exists (select from revoked_tokens t where t.id = token.id)
      and (token.api_key_id is null or exists (
        select from api_keys k where k.id = token.api_key_id and (k.expires_on is null or k.expires_on > now())))`;
  return db.rows<Caller>(named('selectCallers', statement));
}

/** Items of a queue that a user names in a call, which has its turn among others. */
export interface Naming {
  readonly turn: number;
  readonly userId: Id;
  readonly itemIds: readonly Id[];
}

/**
 * The turns of those calls that name only items which were sent to devices of their user (requestWork). Usually the user is the
 * last one who held the item; otherwise its timeline tells. A call that names no item is not among them.
 */
export async function selectSentTo(db: Db, queueId: Id, namings: readonly Naming[]): Promise<number[]> {
  const asked = namings.flatMap(({ turn, userId, itemIds }) => itemIds.map((id) => ({ turn, userId, id })));
  // Each item is looked up by itself (`offset 0`), never all of the queue at once.
  const statement = sql`
    select n.turn from unnest(${asked.map(({ turn }) => turn)}::int[], ${asked.map(({ userId }) => userId)}::bigint[],
      ${asked.map(({ id }) => id)}::bigint[]) as n (turn, user_id, item_id)
    group by n.turn having bool_and(
      exists (select from work_items i where i.queue_id = ${queueId} and i.id = n.item_id
        and i.claimed_by = n.user_id and i.automation_id is not null offset 0)
      or exists (select from events e where e.queue_id = ${queueId} and e.item_id = n.item_id
        and e.actor_id = n.user_id and e.operation = 'requestWork' offset 0))`;
  const rows = await db.rows<{ turn: number }>(named('selectSentTo', statement));
  return rows.map(({ turn }) => turn);
}

export async function selectPublicKey(db: Reader, keyId: string): Promise<string | undefined> {
  const row = await db.row<{ publicKey: string }>(
    sql`select public_key as "publicKey" from signing_keys where id = ${keyId}`,
  );
  return row?.publicKey;
}

export async function insertSigningKey(db: Db, now: Date, key: SigningKey): Promise<void> {
  await db.rows(sql`insert into signing_keys (id, private_key, public_key, created_on)
    values (${key.id}, ${key.privateKey}, ${key.publicKey}, ${now})`);
}

/** The key that signs: the newest. */
export function selectSigningKey(db: Db): Promise<SigningKey | undefined> {
  return db.row<SigningKey>(sql`
    select id, private_key as "privateKey", public_key as "publicKey" from signing_keys
    order by created_on desc, id limit 1`);
}

/** Deletes the keys that were succeeded by a newer one before a time. */
export async function deleteSigningKeys(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from signing_keys k where exists (
    select from signing_keys newer where newer.created_on > k.created_on and newer.created_on < ${before})`);
}

/** Revokes a token; the answer is false when it was revoked already. */
export async function insertRevokedToken(db: Db, { tokenId, expiresOn }: Identity): Promise<boolean> {
  const row = await db.row(sql`insert into revoked_tokens (id, expires_on) values (${tokenId}, ${expiresOn})
    on conflict do nothing returning id`);
  return row !== undefined;
}

/** Deletes revoked tokens that expired before a time, some thousands at most. */
export async function deleteRevokedTokens(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from revoked_tokens where id in (
    select id from revoked_tokens where expires_on < ${before} limit 10000 for update skip locked)`);
}

// One way to fold the case of names, here and where user names are unique: with a second one, a name could be tried
// under several counts.
const folded = (username: string) => sql`lower(${username}::text)`;
const hashOf = (username: string) => sql`sha256(convert_to(${folded(username)}, 'UTF8'))`;

/** Attempts for the same name are decided one after the other: the lock lasts until the transaction ends. */
export async function lockLoginFailures(db: Db, username: string): Promise<void> {
  await db.rows(sql`select pg_advisory_xact_lock(hashtextextended(${folded(username)}, 0))`);
}

export function selectLoginFailures(db: Db, username: string): Promise<LoginFailures | undefined> {
  return db.row<LoginFailures>(sql`
    select failures as count, last_on as "lastOn" from login_failures where name_hash = ${hashOf(username)}`);
}

export async function insertLoginFailure(db: Db, username: string, now: Date): Promise<void> {
  await db.rows(sql`
    insert into login_failures as f (name_hash, failures, last_on) values (${hashOf(username)}, 1, ${now})
    on conflict (name_hash) do update set failures = f.failures + 1, last_on = ${now}`);
}

export async function deleteLoginFailures(db: Db, username: string): Promise<void> {
  await db.rows(sql`delete from login_failures where name_hash = ${hashOf(username)}`);
}

/** Forgets names that nobody has tried since a time, some thousands at most. */
export async function deleteStaleLoginFailures(db: Db, before: Date): Promise<void> {
  await db.rows(sql`delete from login_failures where name_hash in (
    select name_hash from login_failures where last_on < ${before} limit 10000 for update skip locked)`);
}

/** What a log-in with a password needs to know of a user. */
export interface Account {
  readonly userId: Id;
  readonly passwordHash?: string;
}

/** The user of this name, unless disabled. */
export function selectAccount(db: Db, username: string): Promise<Account | undefined> {
  return db.row<Account>(sql`
    select id as "userId", password_hash as "passwordHash" from users
    where lower(username) = ${folded(username)} and not disabled`);
}

/** The API key with this hash, when it is one of the user of this name, who is not disabled, and has not expired. */
export function selectApiKey(db: Db, username: string, hash: Buffer, now: Date) {
  return db.row<{ id: Id; userId: Id }>(sql`
    select k.id, u.id as "userId" from api_keys k join users u on u.id = k.user_id
    where k.hash = ${hash} and (k.expires_on is null or k.expires_on > ${now})
      and lower(u.username) = ${folded(username)} and not u.disabled`);
}

/** What a session tells of its user, besides the user. */
export function selectGrants(db: Db, userId: Id) {
  return db.row<{ tenantUuid: string; permissions: Permission[] }>(sql`
    select t.uuid as "tenantUuid",
      array(select distinct unnest(r.permissions) as permission from user_roles ur join roles r on r.id = ur.role_id
             where ur.user_id = u.id order by permission) as permissions
    from users u join tenants t on t.id = u.tenant_id where u.id = ${userId}`);
}
