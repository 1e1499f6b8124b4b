import { mayHappen, type Id, type Schemas, type Status } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { QueueContext } from '../../engine/operation.ts';
import type { JsonRecord } from '../../records/record.ts';
import type { Item } from '../item/rules.ts';
import { save } from '../item/save.ts';
import { lockItems, readItems } from '../item/sql.ts';

/** The items of a batch after one of them. */
interface Portion {
  readonly batchId: Id;
  readonly after: Id;
  readonly dryRun: boolean;
}

const itemsAtOnce = 500;

/** Number of withdrawn items, and the place to go on from when there are more. */
export interface Withdrawn {
  readonly withdrawn: number;
  readonly next: Id | undefined;
}

/** Deletes the next items of a batch on which nobody has worked. */
export async function withdrawSome(
  context: QueueContext,
  operation: string,
  { batchId, after, dryRun }: Portion,
): Promise<Withdrawn> {
  const { db, queue, actor } = context;
  const ids = await selectUntouched(db, queue.id, batchId, after);
  // Until it was locked, an item could still be claimed.
  const found = await (dryRun ? readItems : lockItems)(db, queue.id, ids);
  const items = found.filter((item) => isUntouched(item) && mayHappen('delete', item));
  if (!dryRun && items.length > 0) {
    const records = await selectRecords(db, queue.id, ids);
    const by = { transition: 'delete', operation, actorId: actor.id } as const;
    await save(
      context,
      queue.id,
      items.map((before) => ({ before, ...by, changes: { json: records.get(before.id) } })),
    );
  }
  const next = ids.length === itemsAtOnce ? ids.at(-1) : undefined;
  return { withdrawn: items.length, next };
}

function isUntouched({ status, failureKind }: Item): boolean {
  return status === 'NEW' || status === 'DEFERRED' || failureKind === 'DATA_ERROR';
}

/**
 * The statuses are parameters: as literals, they might lead the planner to the index of all items with a status instead of the one of the
 * batch.
 */
async function selectUntouched(db: Db, queueId: Id, batchId: Id, after: Id): Promise<Id[]> {
  const some = (status: string, more = sql`true`) => sql`(
    select id from work_items where queue_id = ${queueId} and batch_id = ${batchId} and status = ${status}::text and id > ${after}
      and ${more} order by id limit ${itemsAtOnce})`;
  const rows = await db.rows<{ id: Id }>(sql`
    select id from (
      ${some('NEW')} union all ${some('DEFERRED')} union all ${some('FAILED', sql`failure_kind = 'DATA_ERROR'`)}) i
    order by id limit ${itemsAtOnce}`);
  return rows.map(({ id }) => id);
}

async function selectRecords(db: Db, queueId: Id, ids: readonly Id[]): Promise<Map<Id, JsonRecord>> {
  const rows = await db.rows<{ id: Id; json: JsonRecord }>(sql`
    select item_id as id, json from work_item_data where queue_id = ${queueId} and item_id = any(${ids}::bigint[])`);
  return new Map(rows.map(({ id, json }) => [id, json]));
}

type Left = Schemas['UndoOutcome']['left'];

const reasons: Partial<Record<Status, string>> = {
  IN_PROGRESS: 'is being processed: cancel it, or wait',
  COMPLETE: 'is done',
  FAILED: 'failed while it was processed: delete it if it is not wanted',
};

/** Items of the batch on which somebody has begun to work. */
export async function leftOf({ db, queue }: QueueContext, batchId: Id): Promise<Left> {
  const rows = await db.rows<{ status: Left[number]['status']; count: number }>(sql`
    select status, count(*)::int as count from work_items
    where queue_id = ${queue.id} and batch_id = ${batchId}
      and status = any(${Object.keys(reasons)}::text[]) and failure_kind is distinct from 'DATA_ERROR'
    group by status order by status`);
  return rows.map(({ status, count }) => ({ status, count, reason: reasons[status] ?? '' }));
}
