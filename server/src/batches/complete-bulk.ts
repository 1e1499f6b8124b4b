import type { Id } from '@millrace/api';
import { momentOf, sql, type Db } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import { millrace, recordEvents } from '../journal/journal.ts';
import { outcomeOf } from './rules.ts';
import { countChanged, ofBulk, selectBatch } from './sql.ts';

const pauseMs = 1000;
const batchesAtOnce = 100;

/** A bulk action whose items are not known to have all ended. */
interface Watched {
  readonly queueId: Id;
  readonly batchId: Id;
  /** The item that was still waiting at the last check, or 0. */
  readonly from: Id;
}

/** Records once for each bulk action that all changed items have ended. Each run checks some actions, and the next run those after them. */
export function completeBulkBatches(): Job {
  let last: Watched | undefined;
  return {
    name: 'completeBulkBatches',
    run: async (context) => {
      const { db } = context;
      const watched = await selectWatched(db, last);
      // All reads come before any write: so the number of this transaction is greater than those of all ends that it sees.
      const looks: { one: Watched; waiting: Id | undefined }[] = [];
      for (const one of watched) looks.push({ one, waiting: await selectWaiting(db, one) });
      for (const { one, waiting } of looks) {
        if (waiting === undefined) await complete(context, one);
        else if (waiting !== one.from) await saveWatched(db, one, waiting);
      }
      last = watched.length === batchesAtOnce ? watched.at(-1) : undefined;
      return pauseMs;
    },
  };
}

async function complete(context: Parameters<Job['run']>[0], { queueId, batchId }: Watched): Promise<void> {
  const { db } = context;
  if (!(await saveCompletion(db, queueId, batchId, await momentOf(db)))) return;
  const batch = await selectBatch(db, queueId, batchId);
  if (!batch) return;
  const changes = outcomeOf({ ...batch, ...(await countChanged(db, queueId, batchId)) });
  await recordEvents(context, queueId, [{ operation: 'completeBatch', actorId: millrace, batchId, changes }]);
}

function selectWatched(db: Db, last: Watched | undefined): Promise<Watched[]> {
  return db.rows(sql`
    select queue_id as "queueId", id as "batchId", watched_from as "from" from batches
    where watched_from is not null and (queue_id, id) > (${last?.queueId ?? 0}::bigint, ${last?.batchId ?? 0}::bigint)
    order by queue_id, id limit ${batchesAtOnce}`);
}

/** An item that still waits: the same one, or the next after it, or one before it that was taken up again. */
async function selectWaiting(db: Db, { queueId, batchId, from }: Watched): Promise<Id | undefined> {
  const behind = await selectWaitingFrom(db, { queueId, batchId, from });
  return behind ?? (from === 0 ? undefined : selectWaitingFrom(db, { queueId, batchId, from: 0 }));
}

async function selectWaitingFrom(db: Db, { queueId, batchId, from }: Watched): Promise<Id | undefined> {
  const row = await db.row<{ id: Id }>(sql`
    select e.item_id as id from (select item_id from ${ofBulk(queueId, batchId)} and e.item_id >= ${from}) e cross join lateral (
      select status from work_items where queue_id = ${queueId} and id = e.item_id offset 0) i
    where i.status in ('NEW', 'IN_PROGRESS', 'DEFERRED')
    order by e.item_id limit 1`);
  return row?.id;
}

async function saveWatched(db: Db, { queueId, batchId, from }: Watched, waiting: Id): Promise<void> {
  await db.rows(sql`
    update batches set watched_from = ${waiting} where queue_id = ${queueId} and id = ${batchId} and watched_from = ${from}`);
}

/** @returns whether nobody else has recorded the completion, and the action has not gone on */
async function saveCompletion(db: Db, queueId: Id, batchId: Id, now: Date): Promise<boolean> {
  const rows = await db.rows(sql`
    update batches set watched_from = null, completed_on = ${now}
    where queue_id = ${queueId} and id = ${batchId} and watched_from is not null returning id`);
  return rows.length > 0;
}
