import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import type { QueueContext, QueueOperation } from '../engine/operation.ts';
import { insertBatchCounters, recordOfQueue } from '../journal/journal.ts';
import { unknownBatch } from './adding.ts';
import { batchProblem, headOf, reportOf, waitingOf, type StoredBatch } from './rules.ts';
import { countChanged, insertBatch, selectBatch, selectBatches } from './sql.ts';

export const createBatch: QueueOperation<'createBatch'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  const { name, expected } = body;
  const problem = batchProblem(name, expected, queue.attributes);
  if (problem) throw problem;
  const batch = { name, expected, source: 'CALLER', isClosed: false, createdBy: actor.id } as const;
  const batchId = await insertBatch(db, queue.id, batch, now);
  await recordOfQueue(context, queue.id, { operation: 'createBatch', batchId, changes: { name, expected } });
  return readBatch(context, batchId);
};

export const closeBatch: QueueOperation<'closeBatch'> = async (context, { path }) => {
  const { db, queue, now } = context;
  const { batchId } = path;
  if (await closeBatchRow(db, queue.id, batchId, now)) {
    await recordOfQueue(context, queue.id, { operation: 'closeBatch', batchId });
    // For the job that decides whether it is complete.
    await insertBatchCounters(db, queue.id, [{ batchId }]);
  }
  return readBatch(context, batchId);
};

export const getBatch: QueueOperation<'getBatch'> = (context, { path }) => readBatch(context, path.batchId);

const batchesAtOnce = 100;

export const listBatches: QueueOperation<'listBatches'> = async ({ db, queue }, { query }) => {
  const found = await selectBatches(db, queue.id, query.before, batchesAtOnce + 1);
  const shown = found.slice(0, batchesAtOnce);
  const list = await Promise.all(
    shown.map(async (batch) =>
      batch.source === 'BULK' ? headOf(batch) : reportOf(batch, await moves(db, queue.id, batch)),
    ),
  );
  return { list, isMore: found.length > batchesAtOnce };
};

async function readBatch({ db, queue }: QueueContext, batchId: Id) {
  const found = await selectBatch(db, queue.id, batchId);
  if (!found) throw unknownBatch(batchId);
  const batch =
    found.source === 'BULK' ? { ...found, ...(await countChanged(db, queue.id, batchId)) } : found;
  return reportOf(batch, await moves(db, queue.id, batch));
}

/** Whether an item of a batch is in progress, or can go on without a person. Not asked for a bulk action. */
async function moves(db: Db, queueId: Id, batch: StoredBatch): Promise<boolean> {
  if (batch.source === 'BULK' || waitingOf(batch) === 0) return true;
  return selectMoves(db, queueId, batch.id);
}

/**
 * The status is a parameter: as a literal, it might lead the planner to the index of all items with that status instead of the one of the
 * batch. Parked items have an index of their own.
 */
async function selectMoves(db: Db, queueId: Id, batchId: Id): Promise<boolean> {
  const ofBatch = (status: string) =>
    sql`from work_items where queue_id = ${queueId} and batch_id = ${batchId} and status = ${status}::text`;
  const row = await db.row<{ moves: boolean }>(sql`
    select exists (select ${ofBatch('NEW')}) or exists (select ${ofBatch('IN_PROGRESS')})
      or exists (
        select from work_items where queue_id = ${queueId} and batch_id = ${batchId} and status = 'DEFERRED'
          and (not_before is not null or expires_on is not null)) as moves`);
  return row?.moves ?? false;
}

/** Waits for calls that add items. @returns whether the batch was open */
async function closeBatchRow(db: Db, queueId: Id, batchId: Id, now: Date): Promise<boolean> {
  const ofBatch = sql`queue_id = ${queueId} and id = ${batchId} and closed_on is null`;
  await db.rows(sql`select from batches where ${ofBatch} for update`);
  const rows = await db.rows(sql`update batches set closed_on = ${now} where ${ofBatch} returning id`);
  return rows.length > 0;
}
