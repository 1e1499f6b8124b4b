import { endPassIfDrained } from '../dispatch/passes.ts';
import { freePlaces } from '../duplicates/operations.ts';
import { insertEvents, type Event } from '../events/sql.ts';
import type { QueueContext } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { insertTally } from '../stats/sql.ts';
import type { Decided } from './bulk.rules.ts';
import { transferRows } from './bulk.sql.ts';
import { saveItems } from './sql.ts';
import { tallyOf } from './tally.rules.ts';

/** Puts items that are locked into another queue, where they have their places already. Both queues tell of it. */
export async function transferItems(
  { db, queue, actor, now, woken }: QueueContext,
  target: QueueDefinition,
  decided: readonly Decided[],
): Promise<void> {
  const ids = decided.map(({ move }) => move.item.id);
  const items = decided.map(({ move }) => ({ ...move.item, updatedBy: actor.id }));
  await saveItems(db, queue.id, items, now);
  await transferRows(db, queue.id, target.id, ids);
  await freePlaces(db, queue.id, ids);
  const told = (event: (one: Decided) => Partial<Event>) =>
    decided.map((one): Event => {
      const { item, reason } = one.move;
      return { itemId: item.id, operation: 'updateWorkItemStatus', actorId: actor.id, reason, ...event(one) };
    });
  const left = told(({ found }) => ({ from: found.item.status, changes: { movedTo: target.id } }));
  const arrived = told(({ move }) => ({
    to: move.item.status,
    changes: { movedFrom: queue.id },
    cameFrom: queue.id,
  }));
  // One after the other: the timeline is read in the order of the events.
  await insertEvents(db, queue.id, left, now);
  await insertEvents(db, target.id, arrived, now);
  const gone = tallyOf(decided.map(({ found }) => ({ before: found.item })));
  await insertTally(db, queue.id, gone, now);
  if (gone.counts.NEW < 0) await endPassIfDrained(db, queue.id);
  await insertTally(db, target.id, tallyOf(items.map((after) => ({ after }))), now);
  const claimable = items.filter(({ status, notBefore }) => status === 'NEW' && !notBefore).length;
  if (claimable > 0) woken.set(target.id, (woken.get(target.id) ?? 0) + claimable);
}
