import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Context, Identity, PublicContext } from '../../engine/operation.ts';
import { tokenSeconds } from './tokens.ts';

const hour = 3_600_000;

type Bearer = Pick<Identity, 'sessionId' | 'userId' | 'loggedInOn'> & { readonly apiKeyId?: Id | undefined };

/**
 * Stores that a session has a new token. The user is locked until the transaction ends, so that a user who is disabled at the same moment
 * is not left with a session.
 * @returns whether the user may have one
 */
export async function saveSession(
  context: Lasting & Pick<Context, 'client'>,
  bearer: Bearer,
): Promise<boolean> {
  const { db, now, client } = context;
  const { sessionId, userId, apiKeyId, loggedInOn } = bearer;
  const row = await db.row(sql`
    insert into sessions as s (id, user_id, api_key_id, begun_on, renewed_on, expires_on, address, user_agent)
    select ${sessionId}, u.id, ${apiKeyId}, ${loggedInOn}, ${now}, ${expiryOf(now)}, ${client.address}, ${client.userAgent}
      from users u where u.id = ${userId} and not u.disabled
        and not exists (select from tenants t where t.id = u.tenant_id and t.disabled) for share
    on conflict (id) do update set renewed_on = excluded.renewed_on,
      expires_on = case when exists (select from browser_sessions b where b.session_id = s.id)
        then ${browserExpiryOf(context, loggedInOn)} else excluded.expires_on end,
      address = excluded.address, user_agent = excluded.user_agent
    returning s.id`);
  await noteSeen(db, userId, now);
  if (apiKeyId !== undefined) await noteUse(db, apiKeyId, now);
  return row !== undefined;
}

/** Updates at most once a minute, and waits for nobody who does the same. */
async function noteSeen(db: Db, userId: Id, now: Date): Promise<void> {
  await db.write(sql`
    update users set last_seen_on = ${now} where id = (
      select id from users where id = ${userId}
        and (last_seen_on is null or last_seen_on < ${now}::timestamptz - interval '1 minute')
      for no key update skip locked)`);
}

/** Updates at most once a minute: thousands of runners may share a key, and must not wait for each other here. */
async function noteUse(db: Db, apiKeyId: Id, now: Date): Promise<void> {
  await db.write(sql`
    update api_keys set last_used_on = ${now} where id = (
      select id from api_keys where id = ${apiKeyId}
        and (last_used_on is null or last_used_on < ${now}::timestamptz - interval '1 minute')
      for no key update skip locked)`);
}

/** The end of the newest token that a session can have now. */
function expiryOf(now: Date): Date {
  return new Date(now.getTime() + tokenSeconds * 1000);
}

/** The part of a context that says how long sessions last. */
type Lasting = Pick<PublicContext, 'db' | 'now' | 'sessionHours' | 'idleHours'>;

/** The end of a session that a browser keeps and that is used now; the newest token can last a little longer than its session. */
export function browserExpiryOf(
  { now, sessionHours, idleHours }: Omit<Lasting, 'db'>,
  loggedInOn: Date,
): Date {
  const longest = loggedInOn.getTime() + sessionHours * hour;
  const unused = now.getTime() + idleHours * hour;
  return new Date(Math.max(Math.min(longest, unused), expiryOf(now).getTime()));
}

/** Revokes a session until its newest token has expired; the answer is false when it was revoked already. */
export async function insertRevokedSession(db: Db, sessionId: string, now: Date): Promise<boolean> {
  await db.rows(sql`delete from sessions where id = ${sessionId}`);
  const row = await db.row(sql`
    insert into revoked_sessions (id, expires_on) values (${sessionId}, ${expiryOf(now)})
    on conflict do nothing returning id`);
  return row !== undefined;
}

/** Ends all sessions of all users of a tenant. @returns how many there were. */
export async function endSessionsOfTenant(
  { db, now }: Pick<Context, 'db' | 'now'>,
  tenantId: Id,
): Promise<number> {
  const rows = await db.rows(sql`
    with ended as (
      delete from sessions s using users u where u.id = s.user_id and u.tenant_id = ${tenantId} returning s.id)
    insert into revoked_sessions (id, expires_on) select id, ${expiryOf(now)} from ended
    on conflict do nothing returning id`);
  return rows.length;
}

/** Ends all sessions of a user but one, if one is named. @returns how many there were. */
export async function endSessionsOf(
  { db, now }: Pick<Context, 'db' | 'now'>,
  userId: Id,
  except?: string,
): Promise<number> {
  const rows = await db.rows(sql`
    with ended as (
      delete from sessions where user_id = ${userId} and id is distinct from ${except}::text returning id)
    insert into revoked_sessions (id, expires_on) select id, ${expiryOf(now)} from ended
    on conflict do nothing returning id`);
  return rows.length;
}
