import { sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { QueueContext, QueueOperation } from '../../engine/operation.ts';
import { recordOfQueue } from '../../journal/journal.ts';

export const noteFailureCluster: QueueOperation<'noteFailureCluster'> = async (context, { body }) => {
  const { queue, actor, now } = context;
  const { signature, failureKind } = body;
  const note = body.note.trim();
  const isStored = await writeNote(context, { ...body, note });
  if (!isStored)
    throw new Refusal(
      'VERSION_CONFLICT',
      'Somebody else has changed the note on this cause meanwhile. Read it again, then repeat the change.',
    );
  const changes = { signature, failureKind, note };
  await recordOfQueue(context, queue.id, { operation: 'noteFailureCluster', changes });
  const who = { updatedBy: actor.id, updatedByName: actor.username, updatedOn: now.toISOString() };
  return { queueId: queue.id, note, ...who };
};

interface Note {
  readonly signature: string;
  readonly failureKind: string;
  readonly note: string;
  readonly updatedOn?: string | null;
}

/** Writes a note, or takes it away. @returns false where it is another one by now than the caller has seen */
async function writeNote({ db, queue, actor, now }: QueueContext, given: Note): Promise<boolean> {
  const { signature, failureKind, note, updatedOn: seen } = given;
  const isHere = sql`queue_id = ${queue.id} and error_signature = ${signature} and failure_kind = ${failureKind}`;
  const isSeen = seen === undefined ? sql`true` : sql`failure_notes.updated_on = ${seen}`;
  const isThere = sql`exists (select from failure_notes where ${isHere})`;
  if (note === '') {
    const taken = await db.rows(
      sql`delete from failure_notes where ${isHere} and ${isSeen} returning queue_id`,
    );
    if (taken.length > 0) return true;
    return (await db.rows(sql`select where ${isThere}`)).length === 0;
  }
  const written = await db.rows(sql`
    insert into failure_notes (queue_id, error_signature, failure_kind, note, updated_by, updated_on)
    select ${queue.id}, ${signature}, ${failureKind}, ${note}, ${actor.id}, ${now}::timestamptz
    where ${typeof seen === 'string' ? isThere : sql`true`}
    on conflict (queue_id, error_signature, failure_kind)
    do update set note = excluded.note, updated_by = excluded.updated_by, updated_on = excluded.updated_on
    where ${isSeen}
    returning queue_id`);
  return written.length > 0;
}
