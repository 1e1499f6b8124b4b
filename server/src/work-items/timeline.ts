import type { Id, Schemas } from '@millrace/api';
import type { Db } from '../db.ts';
import { attemptsOf, doubtOf } from './attempts.rules.ts';
import { portionBytes } from './size.sql.ts';
import {
  countStarts,
  selectDoubts,
  selectEvents,
  selectEventSizes,
  selectStays,
  selectTurns,
  type Stay,
} from './timeline.sql.ts';

type Event = Schemas['WorkItemEvent'];

// More than people look at; the timeline has them all.
const shownAttempts = 100;
const shownReports = 20;

/** A part of a timeline, oldest first. */
export interface Part {
  readonly list: readonly Event[];
  readonly isMore: boolean;
}

/**
 * What happened to an item after an event: so many events at most, and as many as fit into one answer, but at least one. An item that
 * was moved brings its timeline with it, which lies in the queues where it was.
 */
export async function readTimeline(
  db: Db,
  stays: readonly Stay[],
  itemId: Id,
  { after, limit }: { after: Id; limit: number },
): Promise<Part> {
  const sizes = await ofAll(stays, (stay) => selectEventSizes(db, stay, itemId, { after, limit: limit + 1 }));
  const ids: Id[] = [];
  let left = portionBytes;
  for (const { id, bytes } of sizes.toSorted(byId)) {
    if (left <= 0 || ids.length === limit) break;
    ids.push(id);
    left -= bytes;
  }
  const list = await ofAll(stays, (stay) => selectEvents(db, stay, itemId, ids));
  return { list: list.toSorted(byId), isMore: ids.length < sizes.length };
}

/** The parts of the timeline of an item, by the queues where it was: each event of an arrival names the one that it came from. */
export async function readStays(db: Db, queueId: Id, itemId: Id): Promise<Stay[]> {
  const stays = new Map<Id, Stay>([[queueId, { queueId }]]);
  const rest = [...stays.values()];
  for (let stay = rest.pop(); stay; stay = rest.pop()) {
    for (const found of await selectStays(db, stay, itemId)) {
      const known = stays.get(found.queueId);
      if (known && (known.before === undefined || known.before >= found.before)) continue;
      stays.set(found.queueId, found);
      rest.push(found);
    }
  }
  return [...stays.values()];
}

/** Each time an item was processed, the newest of them, oldest first. */
export async function readAttempts(
  db: Db,
  stays: readonly Stay[],
  itemId: Id,
): Promise<Schemas['Attempt'][]> {
  const [turns, starts] = await Promise.all([
    ofAll(stays, (stay) => selectTurns(db, stay, itemId, 2 * shownAttempts)),
    ofAll(stays, async (stay) => [await countStarts(db, stay, itemId)]),
  ]);
  const attempts = attemptsOf(turns.toSorted(byId).slice(-2 * shownAttempts));
  const former = starts.reduce((sum, count) => sum + count, 0) - attempts.length;
  return attempts.map((attempt) => ({ ...attempt, number: attempt.number + former }));
}

/** The evidence of an item that is in doubt, with the newest of what was reported too late. */
export async function readDoubt(
  db: Db,
  stays: readonly Stay[],
  item: Schemas['WorkItem'],
): Promise<Schemas['Doubt'] | undefined> {
  const { id = 0, failureKind } = item;
  if (failureKind !== 'IN_DOUBT') return undefined;
  const events = await ofAll(stays, (stay) => selectDoubts(db, stay, id, shownReports));
  const doubt = doubtOf(item, events.toSorted(byId));
  return doubt && { ...doubt, lateReports: doubt.lateReports.slice(-shownReports) };
}

/** Queue by queue, since each statement names one. */
async function ofAll<T>(stays: readonly Stay[], read: (stay: Stay) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (const stay of stays) found.push(...(await read(stay)));
  return found;
}

function byId(one: { id: Id }, other: { id: Id }): number {
  return one.id < other.id ? -1 : 1;
}
