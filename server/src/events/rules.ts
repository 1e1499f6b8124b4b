import { stringifyJson, toId, type Id, type Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';

/** The members of `after` that are not as they were before: what an event tells of a change. */
export function changedMembers(before: object, after: object): object {
  const known = new Map(Object.entries(before));
  const isChanged = ([name, value]: [string, unknown]) =>
    stringifyJson({ value }) !== stringifyJson({ value: known.get(name) });
  return Object.fromEntries(Object.entries(after).filter(isChanged));
}

/** A place in the feed: behind this event of this transaction. */
export interface Place {
  readonly tx: string;
  readonly id: Id;
}

/** The place before everything. */
export const beginning: Place = { tx: '0', id: 0 };

/** Whose events are written in no queue, by what their operations are about, and the permission that shows them. */
const subjects = [
  { words: 'model', permission: 'useQueues' },
  { words: 'device|pool|automation', permission: 'viewDevices' },
  { words: 'user|role|apiKey', permission: 'viewUsers' },
];

/**
 * A regular expression of the operations in no queue that somebody with these permissions may see. What is about
 * nothing that is known here, only who manages the server may see.
 */
export function visibleOperations(permissions: ReadonlySet<string>): string {
  if (permissions.has('manageServer')) return '';
  const visible = subjects.filter(({ permission }) => permissions.has(permission));
  return visible.map(({ words }) => words).join('|') || '^$';
}

const [lastTransaction, lastEvent] = [2n ** 64n, 2n ** 63n];

/**
 * @param cursor as the contract allows it: a transaction and an event.
 * @throws Refusal INVALID_REQUEST when they are numbers that no transaction or event can have
 */
export function placeOf(cursor: string): Place {
  const [tx = '', id = ''] = cursor.split('-');
  if (BigInt(tx) >= lastTransaction || BigInt(id) >= lastEvent) {
    const what = 'after is no cursor of a feed: its numbers are too large. Begin without it.';
    const details = [{ field: 'after', message: 'is no cursor of a feed' }];
    throw new Refusal('INVALID_REQUEST', what, { details });
  }
  return { tx, id: toId(id) };
}

/**
 * Refuses to read on from a transaction that is yet to come: the cursor is from another database, or from before this
 * one was set back to a backup, and what happened since would be passed over.
 */
export function refuseFuture({ tx }: Place, horizon: string): void {
  if (BigInt(tx) <= BigInt(horizon)) return;
  throw new Refusal(
    'INVALID_REQUEST',
    'after is not a cursor of this feed as it is now: it is ahead of it. Was the database restored from a backup? Begin ' +
      'without a cursor, and take out what you have by the id of the events.',
    { details: [{ field: 'after', message: 'is ahead of the feed' }] },
  );
}

/** A part of the feed, as it was found. */
interface Part {
  readonly list: readonly Schemas['Event'][];
  readonly matched: number;
  readonly scannedTo?: string;
  readonly horizon: string;
}

/**
 * Where the feed goes on after a part of it: behind the last event of the list when not all that matched fitted in, behind
 * the last one that was looked at when there were more, and otherwise behind all that is complete.
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
