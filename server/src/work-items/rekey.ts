import type { Id, Status } from '@millrace/api';
import { inPresentNames, isFormer } from '../models/names.ts';
import type { BatchContext } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { saveRecords } from './names.sql.ts';
import {
  lockOpenItems,
  saveSortKeys,
  selectLastItem,
  selectPortionEnd,
  selectRecords,
  type PlacedItem,
} from './rekey.sql.ts';
import { arrivalIn, sortKey } from './sort-key.ts';

/**
 * Gives the next portion of a queue's items their place in its present order, whatever their status: those that run, are
 * deferred or have failed may come back. The records of those that wait get the names that the attributes have now.
 * @param span from the last item that is done to the last one that has to be.
 * @returns the id of the last one done now; undefined when there was none left.
 */
export async function rekeyItems(
  { db, woken }: Pick<BatchContext, 'db' | 'woken'>,
  queue: QueueDefinition,
  span: { after: Id; until: Id },
): Promise<Id | undefined> {
  const upTo = await selectPortionEnd(db, queue.id, span);
  if (upTo === undefined) return undefined;
  const { after } = span;
  const items = await readPlaces(db, queue, await lockOpenItems(db, queue.id, { after, upTo }));
  const moved = items.filter(({ sortKey: before, place }) => !place.equals(before));
  const places = moved.map(({ id, place }) => ({ id, sortKey: place }));
  await saveSortKeys(db, queue.id, places);
  const renamed = items.filter(({ status, modelVersion }) => isOpen(status) && isFormer(queue, modelVersion));
  const records = renamed.map(({ id, json }) => ({ id, json }));
  await saveRecords(db, queue.id, records, queue.modelVersion);
  // Whoever came for items while these were locked was told that there are none.
  const waiting = items.filter(({ isClaimable }) => isClaimable).length;
  if (waiting > 0) woken.set(queue.id, (woken.get(queue.id) ?? 0) + waiting);
  return upTo;
}

/** The newest item of a queue, by its id; 0 when there is none. */
export async function lastItem(db: BatchContext['db'], queueId: Id): Promise<Id> {
  return (await selectLastItem(db, queueId)) ?? 0;
}

/** Locked items with their records under the names of now, and where they belong. */
async function readPlaces(db: BatchContext['db'], queue: QueueDefinition, locked: readonly PlacedItem[]) {
  // Read when the items are locked, so that nobody exchanges a record in between.
  const ids = locked.map(({ id }) => id);
  const records = await selectRecords(db, queue.id, ids);
  const recordById = new Map(records.map(({ id, json }) => [id, json]));
  return locked.map((item) => {
    const json = inPresentNames(queue, recordById.get(item.id) ?? {}, item.modelVersion);
    return { ...item, json, place: sortKey(queue, item.priority, json, arrivalIn(item.sortKey)) };
  });
}

/** Those in progress keep the names they were claimed with; the records of those that are done are evidence. */
function isOpen(status: Status): boolean {
  return status === 'NEW' || status === 'DEFERRED';
}
