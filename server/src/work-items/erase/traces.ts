import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Context } from '../../engine/operation.ts';
import type { Erasing } from '../../journal/erase.ts';
import { forgetCauses } from '../failures/remedies.ts';

/** Other data of a queue that may name the person an item was about: the causes of failures, and the bulk actions that changed items. */
interface Traces {
  readonly itemIds: Id[];
  readonly signatures: Set<string>;
}

/** By queue, as items have been in several. */
export type TracesOfQueues = Map<Id, Traces>;

/** The traces in a queue, to which more are added. */
export function tracesIn(all: TracesOfQueues, queueId: Id): Traces {
  const traces = all.get(queueId) ?? { itemIds: [], signatures: new Set() };
  all.set(queueId, traces);
  return traces;
}

/** Erases the traces, once the items themselves have none of them any more. */
export async function eraseTraces(
  context: Context,
  tenantId: Id,
  all: TracesOfQueues,
  erasing: Erasing,
): Promise<void> {
  for (const [queueId, { itemIds, signatures }] of all) {
    await renameBulkBatches(context.db, queueId, itemIds);
    await forgetCauses(context, { tenantId, queueId }, [...signatures], erasing);
  }
}

/** Renames the batches of bulk actions after the operation: their names contain the reasons. */
async function renameBulkBatches(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<void> {
  if (itemIds.length === 0) return;
  const batches = await db.rows<{ id: Id; operation: string }>(sql`
    select e.batch_id as id, min(e.operation) as operation from events e
    where e.queue_id = ${queueId} and e.item_id = any(${itemIds}::bigint[]) and e.batch_id is not null
      and e.operation in ('updateWorkItemStatus', 'updateWorkItems')
    group by e.batch_id`);
  if (batches.length === 0) return;
  await db.write(sql`
    update batches b set name = r.operation
    from unnest(${batches.map(({ id }) => id)}::bigint[], ${batches.map(({ operation }) => operation)}::text[]) as r (id, operation)
    where b.queue_id = ${queueId} and b.id = r.id and b.source = 'BULK'`);
}
