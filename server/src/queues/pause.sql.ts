import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';

/** Who writes, and when. */
export interface Author {
  readonly actorId: Id;
  readonly now: Date;
}

/** What every change of a queue notes. */
export const changedBy = ({ actorId, now }: Author): Sql =>
  sql`version = version + 1, updated_by = ${actorId}, updated_on = ${now}`;

const noPause = raw('paused_by = null, paused_on = null, pause_reason = null, paused_until = null');

/** What a status that is set without more words means to the pause: one that lasts already keeps its reason. */
export function pauseBy(status: Schemas['Queue']['status'], { actorId, now }: Author): Sql {
  if (status === 'ACTIVE') return noPause;
  return sql`paused_by = coalesce(paused_by, ${actorId}), paused_on = coalesce(paused_on, ${now}::timestamptz)`;
}

/** Why a queue is paused, and until when. */
export interface Pause {
  readonly reason?: string | undefined;
  readonly until?: Date | undefined;
}

/** Pauses a queue, or replaces reason and time of its pause. */
export async function pauseQueueRow(db: Db, id: Id, { reason, until }: Pause, author: Author): Promise<void> {
  await db.rows(sql`
    update queues set status = 'INACTIVE', ${pausedNow({ reason, until }, author)}, ${changedBy(author)} where id = ${id}`);
}

const pausedNow = ({ reason, until }: Pause, { actorId, now }: Author) => sql`
  paused_by = ${actorId}, paused_on = ${now}, pause_reason = ${reason ?? null}, paused_until = ${until ?? null}`;

export async function resumeQueueRow(db: Db, id: Id, author: Author): Promise<void> {
  await db.rows(sql`update queues set status = 'ACTIVE', ${noPause}, ${changedBy(author)} where id = ${id}`);
}

/** Archives a queue: it grants nothing, and nobody but a person resumes it. */
export async function archiveQueueRow(db: Db, id: Id, reason: string, author: Author): Promise<void> {
  await db.rows(sql`
    update queues set status = 'INACTIVE', archived_on = ${author.now}, ${pausedNow({ reason }, author)},
      ${changedBy(author)}
    where id = ${id}`);
}

export async function restoreQueueRow(db: Db, id: Id, author: Author): Promise<void> {
  await db.rows(sql`update queues set archived_on = null, ${changedBy(author)} where id = ${id}`);
}

/** Paused queues whose time has come, locked; those that others change now are left for the next time. */
export async function lockQueuesToResume(db: Db, now: Date): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`
    select id from queues where paused_until <= ${now} order by paused_until limit 100
    for no key update skip locked`);
  return rows.map(({ id }) => id);
}
