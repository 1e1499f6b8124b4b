import { isOver, type Id } from '@millrace/api';
import { freePlacesOfDone } from '../duplicates/operations.ts';
import { insertEvents, type Event } from '../events/sql.ts';
import type { BatchContext } from '../operation.ts';
import { insertTally } from '../stats/sql.ts';
import { tallyOf, type Item } from './rules.ts';
import { saveItems } from './sql.ts';

/** One item as it was and as it will be, and what made it so. */
export interface Change {
  readonly before: Item;
  readonly after: Item;
  readonly operation: string;
  readonly actorId: Id;
  readonly reason?: string | undefined;
  readonly changes?: object | undefined;
}

type Where = Pick<BatchContext, 'db' | 'now' | 'woken'>;

/** Saves the changes of items of one queue and records them: the way every change of a stored item goes. */
export async function saveChanges(
  { db, now, woken }: Where,
  queueId: Id,
  changes: readonly Change[],
): Promise<void> {
  if (changes.length === 0) return;
  const items = changes.map(({ after, actorId }) => ({ ...after, updatedBy: actorId }));
  await Promise.all([
    saveItems(db, queueId, items, now),
    insertEvents(db, queueId, changes.map(eventOf), now),
    recordTally(db, queueId, changes, now),
    freePlacesOfDone(
      db,
      queueId,
      changes.filter(ends).map(({ after }) => after.id),
    ),
  ]);
  const claimable = changes.filter(({ after }) => after.status === 'NEW' && !after.notBefore).length;
  if (claimable > 0) woken.set(queueId, (woken.get(queueId) ?? 0) + claimable);
}

function ends({ before, after }: Change): boolean {
  return !isOver(before.status) && isOver(after.status);
}

async function recordTally(
  db: Where['db'],
  queueId: Id,
  changes: readonly Change[],
  now: Date,
): Promise<void> {
  if (changes.some(({ before, after }) => before.status !== after.status)) {
    await insertTally(db, queueId, tallyOf(changes), now);
  }
}

function eventOf({ before, after, operation, actorId, reason, changes }: Change): Event {
  const deviceId = before.status === 'IN_PROGRESS' ? before.deviceId : undefined;
  return {
    itemId: after.id,
    operation,
    actorId,
    deviceId,
    from: before.status,
    to: after.status,
    reason,
    changes,
  };
}
