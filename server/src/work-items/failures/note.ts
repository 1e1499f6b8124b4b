import { sql } from '../../engine/db.ts';
import type { QueueOperation } from '../../engine/operation.ts';
import { recordOfQueue } from '../../journal/journal.ts';

export const noteFailureCluster: QueueOperation<'noteFailureCluster'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  const { signature, failureKind } = body;
  const note = body.note.trim();
  const isHere = sql`queue_id = ${queue.id} and error_signature = ${signature} and failure_kind = ${failureKind}`;
  await (note === ''
    ? db.rows(sql`delete from failure_notes where ${isHere}`)
    : db.rows(sql`
        insert into failure_notes (queue_id, error_signature, failure_kind, note, updated_by, updated_on)
        values (${queue.id}, ${signature}, ${failureKind}, ${note}, ${actor.id}, ${now})
        on conflict (queue_id, error_signature, failure_kind)
        do update set note = excluded.note, updated_by = excluded.updated_by, updated_on = excluded.updated_on`));
  const changes = { signature, failureKind, note };
  await recordOfQueue(context, queue.id, { operation: 'noteFailureCluster', changes });
  const who = { updatedBy: actor.id, updatedByName: actor.username, updatedOn: now.toISOString() };
  return { queueId: queue.id, note, ...who };
};
