import { automationsOf } from '../automations/bound.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { selectTotals } from '../stats/sql.ts';
import { archiveQueueRow, restoreQueueRow } from './pause.sql.ts';
import { readQueue, record } from './read.ts';
import { decideArchiving, decideDeletion } from './rules.ts';
import { deleteQueueRow, lockOutWriters } from './sql.ts';

export const archiveQueue: QueueOperation<'archiveQueue'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  if (!queue.archived) {
    await withoutWriters(context, decideArchiving);
    const { reason } = body ?? {};
    await archiveQueueRow(db, queue.id, reason ?? 'archived', { actorId: actor.id, now });
    await record(context, queue.id, { operation: 'archiveQueue', reason });
  }
  return readQueue(context, queue.id);
};

export const restoreQueue: QueueOperation<'restoreQueue'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  if (queue.archived) {
    await restoreQueueRow(db, queue.id, { actorId: actor.id, now });
    await record(context, queue.id, { operation: 'restoreQueue', reason: body?.reason });
  }
  return readQueue(context, queue.id);
};

export const deleteQueue: QueueOperation<'deleteQueue'> = async (context) => {
  const { db, queue } = context;
  // Whoever creates automations of the queue waits until this transaction is over.
  const automations = await automationsOf(db, queue.id);
  await withoutWriters(context, (_, counts) => decideDeletion(queue, counts, automations));
  // Before the row goes, which says whose queue it was.
  await record(context, queue.id, { operation: 'deleteQueue', changes: { name: queue.name } });
  await deleteQueueRow(db, queue.id);
};

/** Decides by the items of the queue, and again when nobody can add to them any more. @throws the refusal. */
async function withoutWriters(
  { db, queue, now }: QueueContext,
  decide: typeof decideArchiving,
): Promise<void> {
  const refuse = async () => {
    const { counts } = await selectTotals(db, queue.id, now);
    const refusal = decide(queue, counts);
    if (refusal) throw refusal;
  };
  // First without keeping writers out: a busy queue would be held up, and the call refused nevertheless.
  await refuse();
  await lockOutWriters(db, queue.id);
  await refuse();
}
