import type { Id } from '@millrace/api';
import type { BatchContext } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { lockOpenItems, saveSortKeys, selectRecords, selectSpan } from './rekey.sql.ts';
import { arrivalIn, sortKey } from './sort-key.ts';

/**
 * Gives the next portion of a queue's items their place in its present order, whatever their status: those that run, are
 * deferred or have failed may come back.
 * @param after the id of the last item that is done.
 * @returns the id of the last one done now; undefined when there was none left.
 */
export async function rekeyItems(
  { db, woken }: Pick<BatchContext, 'db' | 'woken'>,
  queue: QueueDefinition,
  after: Id,
): Promise<Id | undefined> {
  const upTo = await selectSpan(db, queue.id, after);
  if (upTo === undefined) return undefined;
  const items = await lockOpenItems(db, queue.id, { after, upTo });
  // Read when the items are locked, so that nobody exchanges a record in between.
  const records = await selectRecords(
    db,
    queue.id,
    items.map(({ id }) => id),
  );
  const recordById = new Map(records.map(({ id, json }) => [id, json]));
  const moved = items.flatMap((item) => {
    const place = sortKey(queue, item.priority, recordById.get(item.id) ?? {}, arrivalIn(item.sortKey));
    return place.equals(item.sortKey) ? [] : [{ id: item.id, sortKey: place }];
  });
  await saveSortKeys(db, queue.id, moved);
  // Whoever came for items while these were locked was told that there are none.
  const waiting = items.filter(({ isWaiting }) => isWaiting).length;
  if (waiting > 0) woken.set(queue.id, (woken.get(queue.id) ?? 0) + waiting);
  return upTo;
}
