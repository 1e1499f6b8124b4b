import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Context, PlainOperation } from '../../engine/operation.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { insertRevokedSession } from '../auth/session-store.ts';
import { lockPerson } from './people.ts';

const fields: Record<string, Field> = {
  userId: { column: raw('s.user_id'), type: 'id' },
  username: { column: raw('u.username'), type: 'text' },
  apiKeyId: { column: raw('s.api_key_id'), type: 'id' },
  begunOn: { column: raw('s.begun_on'), type: 'time' },
  renewedOn: { column: raw('s.renewed_on'), type: 'time' },
  address: { column: raw('s.address'), type: 'text' },
};

export const listSessions: PlainOperation<'listSessions'> = async (context, { body }) => {
  const { db, sessionId } = context;
  const { where, orderBy, limit, offset } = listQuery(body, fields, raw('s.id'));
  const rows = seenBy(context);
  const list = await db.rows<Schemas['UserSession']>(sql`
    select s.id, s.user_id as "userId", u.username, s.api_key_id as "apiKeyId", s.begun_on as "begunOn",
      s.renewed_on as "renewedOn", s.expires_on as "expiresOn", s.address, s.user_agent as "userAgent",
      exists (select from browser_sessions b where b.session_id = s.id) as "inBrowser", s.id = ${sessionId} as current
    from ${rows} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
  return { page: await pageOf(db, { where, offset }, rows), list };
};

export const endSession: PlainOperation<'endSession'> = async (context, { path }) => {
  const { db, actor, now } = context;
  const { sessionId } = path;
  const userId = await selectUserOf(db, sql`${seenBy(context)} and s.id = ${sessionId}`);
  if (userId === undefined)
    throw new Refusal('NOT_FOUND', `There is no session ${sessionId.slice(0, 60)}, or it has ended.`);
  if (userId !== actor.id) await lockPerson(context, userId);
  await insertRevokedSession(db, sessionId, now);
  await recordOfAccess(context, { operation: 'endSession', changes: { userId, sessionId } });
};

/** The sessions that a caller may see, as SQL that follows "from" and ends in a condition. */
function seenBy({ actor, now }: Pick<Context, 'now'> & { actor: Actor }): Sql {
  // A key for some queues opens nothing else of other users, whatever its owner may do.
  const ofAll = actor.permissions.has('manageUsers') && !actor.queueIds;
  const mine = ofAll ? sql`true` : sql`s.user_id = ${actor.id}`;
  return sql`sessions s join users u on u.id = s.user_id
    where u.tenant_id = ${actor.tenantId} and s.expires_on > ${now} and ${mine}`;
}

async function selectUserOf(db: Db, session: Sql): Promise<Id | undefined> {
  const row = await db.row<{ userId: Id }>(sql`select s.user_id as "userId" from ${session}`);
  return row?.userId;
}
