import { toId, type Id } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';

/** A position in the feed: after this event of this transaction. */
export interface Position {
  readonly tx: string;
  readonly id: Id;
}

const [lastTransaction, lastEvent] = [2n ** 64n, 2n ** 63n];

/**
 * @param cursor in the form of the contract: a transaction and an event.
 * @param field the parameter that contained it
 * @throws Refusal INVALID_REQUEST for numbers that no transaction or event can have
 */
export function positionOf(cursor: string, field = 'after'): Position {
  const [tx = '', id = ''] = cursor.split('-');
  if (BigInt(tx) >= lastTransaction || BigInt(id) >= lastEvent) {
    const what = `${field} is no cursor of a feed: its numbers are too large. Begin without it.`;
    const details = [{ field, message: 'is no cursor of a feed' }];
    throw new Refusal('INVALID_REQUEST', what, { details });
  }
  return { tx, id: toId(id) };
}

/** The later of two positions, or the only one given. */
export function laterOf(one: Position | undefined, other: Position | undefined): Position | undefined {
  if (!one || !other) return one ?? other;
  return isBefore(one, other) ? other : one;
}

/** The earlier of two positions, or the only one given. */
export function earlierOf(one: Position | undefined, other: Position | undefined): Position | undefined {
  if (!one || !other) return one ?? other;
  return isBefore(one, other) ? one : other;
}

function isBefore(one: Position, other: Position): boolean {
  return one.tx === other.tx ? one.id < other.id : BigInt(one.tx) < BigInt(other.tx);
}

/**
 * Refuses to read on from a transaction in the future: the cursor is from another database, or from before this one was restored from a
 * backup, and the reader would miss all events up to that transaction.
 */
export function refuseFuture({ tx }: Position, horizon: string): void {
  if (BigInt(tx) <= BigInt(horizon)) return;
  throw new Refusal(
    'INVALID_REQUEST',
    'after is not a cursor of this feed as it is now: it is ahead of it. Was the database restored from a backup? Begin ' +
      'without a cursor, and take out what you have by the id of the events.',
    { details: [{ field: 'after', message: 'is ahead of the feed' }] },
  );
}
