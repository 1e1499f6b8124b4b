import type { Id } from '@millrace/api';
import { sql, type Db } from '../db.ts';
import type { Caller } from './rules.ts';
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
  return db.rows<Caller>(sql`
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
        select from api_keys k where k.id = token.api_key_id and (k.expires_on is null or k.expires_on > now())))`);
}

export async function selectPublicKey(db: Db, keyId: string): Promise<string | undefined> {
  const row = await db.row<{ publicKey: string }>(
    sql`select public_key as "publicKey" from signing_keys where id = ${keyId}`,
  );
  return row?.publicKey;
}
