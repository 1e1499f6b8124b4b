import type { Id } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import type { QueueContext, QueueDefinition } from '../../engine/operation.ts';
import { hasValues, refreshValues } from '../../records/stored.ts';
import { resealMoved } from '../item/reseal.ts';
import { save, type Change } from '../item/save.ts';
import type { Decided } from './rules.ts';

/** Moves items into another queue, in which they already have their unique keys; both queues record it. */
export async function transfer(
  context: QueueContext,
  target: QueueDefinition,
  decided: readonly Decided[],
  batchId: Id,
): Promise<void> {
  const { db, queue, actor } = context;
  const operation = 'updateWorkItemStatus';
  const by = { transition: 'move', operation, actorId: actor.id, batchId } as const;
  const ids = decided.map(({ found }) => found.item.id);
  await copyRows(db, queue.id, target.id, ids);
  if (target.sealer) await resealMoved(context, queue, target, ids);
  if (hasValues(target)) await refreshValues(db, target, ids);
  const changes = { movedTo: target.id };
  const gone = decided.map(({ found, move: { reason } }) => ({ before: found.item, ...by, reason, changes }));
  const arrived = decided.map(({ move: { item, reason } }): Change => {
    // Batches and remedies belong to a queue.
    return {
      after: { ...item, batchId: undefined, remedyId: undefined },
      ...by,
      reason,
      changes: { movedFrom: queue.id },
      cameFrom: queue.id,
    };
  });
  // One after the other: the timeline is read in the order of the events.
  await save(context, queue.id, gone);
  await save({ ...context, queue: target }, target.id, arrived);
}

// The tables of items, with the column of the item's id.
const tables = [
  [raw('work_items'), raw('id')],
  [raw('work_item_data'), raw('item_id')],
  [raw('work_item_logs'), raw('item_id')],
] as const;

/**
 * Copies items, in their stored form, into another queue. Out of one shard and into another: each statement names one queue. The rows are
 * passed as PostgreSQL's own texts, so that numbers in them keep their spelling.
 */
async function copyRows(db: Db, from: Id, to: Id, ids: readonly Id[]): Promise<void> {
  for (const [table, key] of tables) {
    const rows = await db.rows<{ text: string }>(sql`
      select (select json_object_agg(c.key, case c.key when 'queue_id' then to_json(${to}::bigint) when 'remedy_id' then 'null'
          when 'batch_id' then 'null' else c.value end)
        from json_each(to_json(t)) c)::text as text
      from ${table} t where queue_id = ${from} and ${key} = any(${ids}::bigint[])`);
    const list = `[${rows.map(({ text }) => text).join()}]`;
    await db.rows(sql`
      insert into ${table} overriding system value
      select r.* from json_populate_recordset(null::${table}, ${list}::json) r`);
  }
}
