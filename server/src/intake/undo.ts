import type { Id } from '@millrace/api';
import { sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext, QueueStepsOperation } from '../engine/operation.ts';
import { recordOfQueue } from '../journal/journal.ts';
import { leftOf, withdrawSome, type Withdrawn } from '../work-items/bulk/withdraw.ts';
import { readUpload } from './uploads.ts';

const operation = 'undoUpload';

export const undoUpload: QueueStepsOperation<'undoUpload'> = async (
  { transact, signal },
  { path, body: { dryRun = false } },
) => {
  const { uploadId } = path;
  const batchId = await transact((context) => batchOf(context, uploadId));
  let withdrawn = 0;
  let after: Id | undefined = 0;
  while (after !== undefined && !signal.aborted) {
    const from: Id = after;
    const done: Withdrawn = await transact((context) =>
      withdrawSome(context, operation, { batchId, after: from, dryRun }),
    );
    withdrawn += done.withdrawn;
    after = done.next;
  }
  const isWhole = after === undefined;
  return transact(async (context) => {
    if (isWhole && !dryRun) await noteUndone(context, { uploadId, batchId, withdrawn });
    return { dryRun, withdrawn, left: await leftOf(context, batchId) };
  });
};

/** @throws Refusal when there is nothing to undo */
async function batchOf(context: QueueContext, uploadId: Id): Promise<Id> {
  const { state, batchId } = await readUpload(context, uploadId);
  if (state === 'STORED' && batchId !== undefined) return batchId;
  const why =
    state === 'READING'
      ? 'is still being read. Undo it when it is stored'
      : state === 'STORED'
        ? 'is from before uploads were batches: which items came with it, is not known'
        : 'has stored nothing';
  throw new Refusal('STATUS_CONFLICT', `Upload ${uploadId} ${why}.`);
}

interface Undone {
  readonly uploadId: Id;
  readonly batchId: Id;
  readonly withdrawn: number;
}

/** Marks the upload as undone, whatever is left of it: the same file can be sent again. */
async function noteUndone(context: QueueContext, { uploadId, batchId, withdrawn }: Undone): Promise<void> {
  const { db, queue, actor, now } = context;
  const noted = await db.rows(sql`
    update uploads set undone_on = ${now}, undone_by = ${actor.id}
    where queue_id = ${queue.id} and id = ${uploadId} and undone_on is null returning id`);
  if (noted.length === 0 && withdrawn === 0) return;
  await recordOfQueue(context, queue.id, {
    operation: 'undoUpload',
    batchId,
    changes: { uploadId, withdrawn },
  });
}
