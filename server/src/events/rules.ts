import { toId, type Id, type Schemas } from '@millrace/api';
import { permissionsForAllModels } from '../access/users/permissions.ts';
import { Refusal } from '../engine/errors.ts';
import type { Client } from '../engine/operation.ts';

/** A position in the feed: after this event of this transaction. */
export interface Position {
  readonly tx: string;
  readonly id: Id;
}

/** The subjects of events outside of queues, as words in the names of operations, with the permissions of which any one shows them. */
const subjects: { readonly words: string; readonly shownBy: readonly string[] }[] = [
  { words: 'model', shownBy: permissionsForAllModels },
  { words: 'device|pool|automation', shownBy: ['viewDevices'] },
  { words: 'user|role|apiKey', shownBy: ['viewUsers'] },
  { words: 'calendar', shownBy: ['useQueues'] },
];

/**
 * A regular expression of the operations outside of queues that a user with these permissions may see. Operations about
 * any other subject are for users who see all events.
 */
export function operationsVisibleTo(permissions: ReadonlySet<string>): string {
  if (permissions.has('viewEvents')) return '';
  const visible = subjects.filter(({ shownBy }) => shownBy.some((one) => permissions.has(one)));
  return visible.map(({ words }) => words).join('|') || '^$';
}

/**
 * The members of changes with the address and the program of a user, for users who see all events: managers of queues or pools see users,
 * but need not know where they live and work.
 */
export const originMembers: readonly (keyof Client)[] = ['address', 'userAgent'];

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

/** A part of the feed, as read. */
interface Part {
  readonly list: readonly Schemas['Event'][];
  readonly matched: number;
  readonly scannedTo?: string;
  readonly horizon: string;
}

/**
 * The place where the feed goes on after a part: after the last event of the list when not all matching ones fitted in, after the last
 * examined event when there were more, and otherwise after all complete transactions.
 */
export function continuation({ list, matched, scannedTo, horizon }: Part): {
  cursor: string;
  isMore: boolean;
} {
  const last = list.at(-1);
  if (last && list.length < matched) return { cursor: last.cursor, isMore: true };
  if (scannedTo !== undefined) return { cursor: scannedTo, isMore: true };
  return { cursor: `${horizon}-0`, isMore: false };
}

/** The place where older events go on before a part that was read backwards; before everything when there are none. */
export function wayBack(part: Part): { cursor: string; isMore: boolean } {
  const { cursor, isMore } = continuation(part);
  return isMore ? { cursor, isMore } : { cursor: '0-0', isMore };
}
