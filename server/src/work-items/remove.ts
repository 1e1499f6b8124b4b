import { endPassIfDrained } from '../dispatch/passes.ts';
import { freePlaces } from '../duplicates/operations.ts';
import { insertEvents } from '../events/sql.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueContext } from '../operation.ts';
import { insertTally } from '../stats/sql.ts';
import type { Item } from './rules.ts';
import { deleteItems } from './sql.ts';
import { tallyOf } from './tally.rules.ts';

/** By which operation items are removed, and why. */
interface Removal {
  readonly operation: string;
  readonly reason?: string | undefined;
}

/** Removes items that are locked; their timelines stay, and the data in them. */
export async function removeItems(
  { db, queue, actor, now }: QueueContext,
  removed: readonly { readonly item: Item; readonly json: JsonRecord }[],
  removal: Removal,
): Promise<void> {
  const ids = removed.map(({ item }) => item.id);
  const events = removed.map(({ item: { id, status }, json }) => {
    return { itemId: id, actorId: actor.id, from: status, ...removal, changes: { json } };
  });
  await freePlaces(db, queue.id, ids);
  await deleteItems(db, queue.id, ids);
  await insertEvents(db, queue.id, events, now);
  const tally = tallyOf(removed.map(({ item }) => ({ before: item })));
  await insertTally(db, queue.id, tally, now);
  if (tally.counts.NEW < 0) await endPassIfDrained(db, queue.id);
}
