import type { Id } from '@millrace/api';
import { named, sql, type Db, type Reader } from '../../engine/db.ts';
import type { Identity } from '../../engine/operation.ts';
import type { Caller } from './rules.ts';
import type { SigningKey } from './tokens.ts';

/**
 * The callers behind tokens, with their memberships in a queue. A caller is missing whose user is disabled, whose session was revoked, or
 * whose API key or signing key is gone. All work for a token passes through here, so that servers need no word of such changes.
 */
export function selectCallers(
  db: Reader,
  identities: readonly Identity[],
  queueId: Id | undefined,
): Promise<Caller[]> {
  const statement = sql`
    select token.id as "tokenId", u.id as "userId", u.username, u.tenant_id as "tenantId",
      u.must_change_password and token.api_key_id is null as "mustChangePassword",
      array(select distinct p from user_roles ur join roles r on r.id = ur.role_id, unnest(r.permissions) p
             where ur.user_id = u.id and (k.permissions is null or p = any(k.permissions))) as permissions,
      k.queue_ids as "queueIds",
      array(select m.role from queue_members m where m.queue_id = ${queueId} and m.user_id = u.id
            union select 'CONSUMER' from queue_consumers c join user_roles ur on ur.role_id = c.role_id
             where c.queue_id = ${queueId} and ur.user_id = u.id) as memberships
    from unnest(${identities.map((one) => one.tokenId)}::text[], ${identities.map((one) => one.userId)}::bigint[],
                ${identities.map((one) => one.apiKeyId ?? null)}::bigint[], ${identities.map((one) => one.sessionId)}::text[],
                ${identities.map((one) => one.keyId)}::text[]) as token (id, user_id, api_key_id, session_id, key_id)
    join users u on u.id = token.user_id and not u.disabled
    join tenants t on t.id = u.tenant_id and not t.disabled
    left join api_keys k on k.id = token.api_key_id and (k.expires_on is null or k.expires_on > now())
    where (token.api_key_id is null or k.id is not null)
      and not exists (select from revoked_sessions s where s.id = token.session_id)
      and exists (select from signing_keys s where s.id = token.key_id)`;
  return db.rows<Caller>(named('selectCallers', statement));
}

/** The items of a queue that a user names in a call, with the index of the call. */
interface Naming {
  readonly index: number;
  readonly userId: Id;
  readonly itemIds: readonly Id[];
}

/**
 * The indexes of the calls that name only items sent to devices of their user (requestWork). Usually the user is the last holder of the
 * item; otherwise its events show it. A call that names no item is not included.
 */
export async function selectSentTo(db: Db, queueId: Id, namings: readonly Naming[]): Promise<number[]> {
  const asked = namings.flatMap(({ index, userId, itemIds }) => itemIds.map((id) => ({ index, userId, id })));
  // Each item is looked up by itself (`offset 0`), never all of the queue at once.
  const statement = sql`
    select n.index from unnest(${asked.map(({ index }) => index)}::int[], ${asked.map(({ userId }) => userId)}::bigint[],
      ${asked.map(({ id }) => id)}::bigint[]) as n (index, user_id, item_id)
    group by n.index having bool_and(
      exists (select from work_items i where i.queue_id = ${queueId} and i.id = n.item_id
        and i.claimed_by = n.user_id and i.automation_id is not null offset 0)
      or exists (select from events e where e.queue_id = ${queueId} and e.item_id = n.item_id
        and e.actor_id = n.user_id and e.operation = 'requestWork' offset 0))`;
  const rows = await db.rows<{ index: number }>(named('selectSentTo', statement));
  return rows.map(({ index }) => index);
}

/** The signing key: the newest. */
export function selectSigningKey(db: Db): Promise<SigningKey | undefined> {
  return db.row<SigningKey>(sql`
    select id, private_key as "privateKey", public_key as "publicKey" from signing_keys
    order by created_on desc, id limit 1`);
}
