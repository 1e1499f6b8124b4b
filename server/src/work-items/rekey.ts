import { isDeepStrictEqual } from 'node:util';
import type { Id, Status } from '@millrace/api';
import { inPresentNames, isFormer } from '../models/names.ts';
import type { BatchContext } from '../operation.ts';
import { expiryOf, type QueueDefinition } from '../queues/rules.ts';
import { saveRecords } from './names.sql.ts';
import {
  lockOpenItems,
  savePlaces,
  selectLastItem,
  selectPortionEnd,
  selectRecords,
  type PlacedItem,
  type Placing,
} from './rekey.sql.ts';
import { arrivalIn, sortKey } from './sort-key.ts';

/** From the last item that is done to the last one that has to be, and whether their expiry is to be worked out anew. */
interface Span {
  readonly after: Id;
  readonly until: Id;
  readonly renewsExpiry: boolean;
}

/**
 * Gives the next portion of a queue's items their place in its present order, whatever their status: those that run, are
 * deferred or have failed may come back. The records of those that wait get the names that the attributes have now.
 * @returns the id of the last one done now; undefined when there was none left.
 */
export async function rekeyItems(
  { db, now, woken }: Pick<BatchContext, 'db' | 'now' | 'woken'>,
  queue: QueueDefinition,
  span: Span,
): Promise<Id | undefined> {
  const upTo = await selectPortionEnd(db, queue.id, span);
  if (upTo === undefined) return undefined;
  const { after, renewsExpiry } = span;
  const locked = await lockOpenItems(db, queue.id, { after, upTo });
  const expiryFor = (item: PlacedItem) => (renewsExpiry ? renewedExpiry(queue, item, now) : item.expiresOn);
  const items = await readPlaces(db, queue, locked, expiryFor);
  const moved = items.filter((item) => !isDeepStrictEqual(placeOf(item), item.placing));
  await savePlaces(
    db,
    queue.id,
    moved.map(({ placing }) => placing),
  );
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

/** Locked items with their records under the names of now, where they belong, and when they expire. */
async function readPlaces(
  db: BatchContext['db'],
  queue: QueueDefinition,
  locked: readonly PlacedItem[],
  expiryFor: (item: PlacedItem) => Date | undefined,
) {
  // Read when the items are locked, so that nobody exchanges a record in between.
  const ids = locked.map(({ id }) => id);
  const records = await selectRecords(db, queue.id, ids);
  const recordById = new Map(records.map(({ id, json }) => [id, json]));
  return locked.map((item) => {
    const json = inPresentNames(queue, recordById.get(item.id) ?? {}, item.modelVersion);
    const place = sortKey(queue, item.priority, json, arrivalIn(item.sortKey));
    const placing: Placing = { id: item.id, sortKey: place, expiresOn: expiryFor(item) };
    return { ...item, json, placing };
  });
}

/** The present expiry, counted from the arrival of an item; from now where it would be over already, so that no change fails items. */
function renewedExpiry(queue: QueueDefinition, item: PlacedItem, now: Date): Date | undefined {
  const expiresOn = expiryOf(queue, arrivalIn(item.sortKey));
  return expiresOn === undefined || expiresOn > now ? expiresOn : expiryOf(queue, now);
}

const placeOf = ({ id, sortKey: place, expiresOn }: PlacedItem): Placing => ({
  id,
  sortKey: place,
  expiresOn,
});

/** Those in progress keep the names they were claimed with; the records of those that are done are evidence. */
function isOpen(status: Status): boolean {
  return status === 'NEW' || status === 'DEFERRED';
}
