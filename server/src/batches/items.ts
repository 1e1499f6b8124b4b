import { statuses, type Id } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { ofBulk } from './sql.ts';

/**
 * The condition that an item `i` came with a batch, or that its bulk action changed it. Each item is looked up by itself: otherwise the
 * planner reads all changes of the action for every portion of a walk over it.
 */
export function isInBatch(batchId: Sql): Sql {
  return sql`(i.batch_id = ${batchId} or exists (select from ${ofBulk(sql`i.queue_id`, batchId)} and e.item_id = i.id offset 0))`;
}

/** Whether the batch is the origin of its items. Items that a bulk action of another queue brought here have its batch there. */
async function isOfOrigin(db: Db, queueId: Id, batchId: Sql): Promise<boolean> {
  const batch = await db.row<{ source: string }>(sql`
    select source from batches where queue_id = ${queueId} and id = ${batchId}`);
  return batch !== undefined && batch.source !== 'BULK';
}

/** The same condition, in a form that an index serves. */
export async function itemsOfBatch(db: Db, queueId: Id, batchId: Sql): Promise<Sql> {
  if (await isOfOrigin(db, queueId, batchId)) return sql`i.batch_id = ${batchId}`;
  return sql`i.id = any(array(select distinct e.item_id from ${ofBulk(sql`${queueId}`, batchId)}))`;
}

/**
 * The items of a batch with ids in a range, as one or more selections whose first rows by `turn`, the id, come from an index: so the other
 * items of the queue cost a walk over a batch nothing.
 */
export async function walksOfBatch(
  db: Db,
  queueId: Id,
  batchId: Sql,
  { after, upTo }: { readonly after: Id; readonly upTo: Id },
): Promise<Sql[]> {
  if (await isOfOrigin(db, queueId, batchId))
    return statuses.map(
      (status) => sql`(
        select w.*, w.id as turn from work_items w where w.queue_id = ${queueId} and w.batch_id = ${batchId}
          and w.status = ${raw(`'${status}'`)} and w.id > ${after} and w.id <= ${upTo})`,
    );
  return [
    sql`(
      select w.*, c.item_id as turn from (
        select distinct e.item_id from ${ofBulk(sql`${queueId}`, batchId)} and e.item_id > ${after} and e.item_id <= ${upTo}) c
      cross join lateral (select * from work_items where queue_id = ${queueId} and id = c.item_id offset 0) w)`,
  ];
}
