import type { Id } from '@millrace/api';
import { momentOf, sql, type Db } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import { millrace, recordEvents, sumsOf } from '../journal/journal.ts';
import { isComplete, outcomeOf } from './rules.ts';
import { selectBatch } from './sql.ts';

// Often enough that nobody waits two seconds for the end of a batch.
const pauseMs = 500;
const batchesAtOnce = 100;

type JobContext = Parameters<Job['run']>[0];

/** Adds up the changes of batches, and records once for each that it is complete, or that it no longer is. */
export const completeBatches: Job = {
  name: 'completeBatches',
  run: async (context) => {
    const changed = await selectChanged(context.db, batchesAtOnce);
    for (const { queueId, batchId } of changed) await settle(context, queueId, batchId);
    return changed.length === batchesAtOnce ? 0 : pauseMs;
  },
};

/** Decides under a lock on its row whether a batch is complete; the event comes after all changes that were added up. */
async function settle(context: JobContext, queueId: Id, batchId: Id): Promise<void> {
  const { db } = context;
  const held = await holdBatch(db, queueId, batchId);
  if (held === 'busy') return;
  const following = await addUp(db, queueId, batchId);
  const batch = held === 'gone' ? undefined : await selectBatch(db, queueId, batchId);
  if (!batch || isComplete(batch) === (batch.completedOn !== undefined)) return;
  // The items that complete it may have been stored since the transaction of the job began.
  const completedOn = isComplete(batch) ? await momentOf(db) : undefined;
  await saveCompletion(db, queueId, batchId, completedOn);
  const changes = completedOn ? outcomeOf(batch) : { name: batch.name };
  const operation = completedOn ? 'completeBatch' : 'reopenBatch';
  await recordEvents(context, queueId, [{ operation, actorId: millrace, batchId, changes, following }]);
}

function selectChanged(db: Db, limit: number): Promise<{ queueId: Id; batchId: Id }[]> {
  return db.rows(sql`
    select distinct queue_id as "queueId", batch_id as "batchId" from batch_tallies limit ${limit}`);
}

/** Another server may hold it; a deleted queue took its batches with it. */
async function holdBatch(db: Db, queueId: Id, batchId: Id): Promise<'held' | 'busy' | 'gone'> {
  const ofBatch = sql`from batches where queue_id = ${queueId} and id = ${batchId}`;
  const held = await db.rows(sql`select ${ofBatch} for no key update skip locked`);
  if (held.length > 0) return 'held';
  return (await db.rows(sql`select ${ofBatch}`)).length > 0 ? 'busy' : 'gone';
}

/** Adds the differences to the row of the batch; returns the last transaction that made one. */
async function addUp(db: Db, queueId: Id, batchId: Id): Promise<string | undefined> {
  const row = await db.row<{ last?: string }>(sql`
    with taken as materialized (
      delete from batch_tallies where queue_id = ${queueId} and batch_id = ${batchId} returning *),
    total as (
      select coalesce(sum(received), 0) as received, coalesce(sum(done), 0) as done, coalesce(sum(failed), 0) as failed,
        coalesce(sum(withdrawn), 0) as withdrawn from taken),
    added as (
      update batches b set received = b.received + total.received, done = b.done + total.done,
        failed = b.failed + total.failed, withdrawn = b.withdrawn + total.withdrawn,
        sums = ${sumsOf(sql`
          select j.* from json_each_text(b.sums) j
          union all select j.* from taken cross join lateral json_each_text(taken.sums) j`)}
      from total where b.queue_id = ${queueId} and b.id = ${batchId})
    select max(tx)::text as last from taken`);
  return row?.last;
}

async function saveCompletion(db: Db, queueId: Id, batchId: Id, completedOn: Date | undefined) {
  await db.rows(sql`
    update batches set completed_on = ${completedOn ?? null} where queue_id = ${queueId} and id = ${batchId}`);
}
