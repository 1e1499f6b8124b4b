import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import { millrace } from '../../journal/journal.ts';
import { readDefinition } from '../../queues/find.ts';
import type { Item } from '../item/rules.ts';
import { changeOf, save, type Change } from '../item/save.ts';
import { itemState, portion } from '../item/sql.ts';
import { decideReturn, expiriesOf, isExhausted, type Ending } from '../lease/rules.ts';
import { readAttempts, readQueueHistory } from '../read/timeline.ts';

type JobContext = Parameters<Job['run']>[0];

/** Takes items back from holders that have fallen silent, so that their leases have expired. */
export function reclaimExpiredLeases(): Job {
  const leases = new EndingLeases();
  const run = async (context: JobContext) => {
    try {
      return await reclaim(context, leases);
    } catch (error) {
      leases.forget();
      throw error;
    }
  };
  return { name: 'returnLapsedItems', run };
}

async function reclaim(context: JobContext, leases: EndingLeases): Promise<number> {
  const { db, now } = context;
  let isMore = false;
  for (const [queueId, itemIds] of await leases.ended(db, now)) {
    const items = await lockExpired(db, queueId, itemIds.slice(0, portion), now);
    await returnItems(context, queueId, items);
    leases.settle(items);
    isMore ||= itemIds.length > portion && items.length > 0;
  }
  return isMore ? 0 : pauseMs;
}

async function returnItems(context: JobContext, queueId: Id, items: readonly Item[]): Promise<void> {
  const { lapseLimit = 0 } = (await readDefinition(context, queueId)) ?? {};
  const changes: Change[] = [];
  for (const before of items) {
    const isLast = isExhausted(before, lapseLimit);
    const ending = isLast
      ? exhaustion(before, await attemptsOf(context, queueId, before))
      : leaseExpiry(before);
    changes.push(leaseExpired(before, ending, context.now));
  }
  await save(context, queueId, changes);
}

async function attemptsOf({ db }: JobContext, queueId: Id, { id }: Item) {
  return readAttempts(db, await readQueueHistory(db, queueId, id), id);
}

function leaseExpired(before: Item, ending: Ending, now: Date): Change {
  const { leaseExpiresOn } = before;
  const move = decideReturn(before, ending, now);
  const { failureKind, lapseCount } = move.item;
  const changes = { leaseExpiresOn, failureKind, lapseCount };
  return { ...changeOf(before, move), operation: 'returnLapsedItems', actorId: millrace, changes };
}

interface Lease {
  readonly queueId: Id;
  readonly id: Id;
  readonly on: Date;
}

// With more than these, each run looks again.
const mostKnown = 10_000;

/**
 * The leases that end before the next look at all items in progress. A look walks over the index entries that finished items have left
 * while a transaction elsewhere stays open, and so comes the less often the longer it walks. A lease that is given or shortened after one
 * look, and ends before the next, is found by the next.
 */
class EndingLeases {
  #known: readonly Lease[] = [];
  #nextLook = -Infinity;
  /** The time for which a look remembers the leases that end: the next one comes within it. */
  #horizonMs = usualHorizonMs;

  /** The items whose leases seem to have ended, by queue. */
  async ended(db: Db, now: Date): Promise<Map<Id, Id[]>> {
    if (performance.now() >= this.#nextLook) await this.#look(db, now);
    const ended = new Map<Id, Id[]>();
    for (const { queueId, id, on } of this.#known) {
      if (on > now) continue;
      const ids = ended.get(queueId) ?? [];
      ended.set(queueId, ids);
      ids.push(id);
    }
    return ended;
  }

  /** Notes that these items were taken. The leases of others may have been extended, or the items be locked: they are tried again. */
  settle(items: readonly Item[]): void {
    const taken = new Set(items.map(({ id }) => id));
    this.#known = this.#known.filter(({ id }) => !taken.has(id));
  }

  forget(): void {
    this.#nextLook = -Infinity;
  }

  async #look(db: Db, now: Date): Promise<void> {
    const horizon = this.#horizonMs;
    const [before, known, after] = await Promise.all([
      countWalked(db),
      selectEnding(db, new Date(now.getTime() + horizon)),
      countWalked(db),
    ]);
    this.#known = known;
    const pause = pauseAfterLook(after - before);
    this.#nextLook = performance.now() + (known.length < mostKnown ? Math.min(pause, horizon) : 0);
    this.#horizonMs = horizonFor(pause);
  }
}

/** The leases that end before the latest time of the next look. */
function selectEnding(db: Db, until: Date): Promise<Lease[]> {
  return db.rows<Lease>(sql`
    select queue_id as "queueId", id, lease_expires_on as on from work_items
    where status = 'IN_PROGRESS' and lease_expires_on <= ${until}
    order by queue_id, id limit ${mostKnown}`);
}

/**
 * Number of index entries of items in progress that this session has walked over, since a time that does not change within a transaction.
 */
async function countWalked(db: Db): Promise<number> {
  const index = raw("'work_items_running'::regclass");
  const row = await db.row<{ count: number }>(sql`
    select pg_stat_get_xact_tuples_returned(${index})::int as count`);
  return row?.count ?? 0;
}

/** Those of the items whose leases have ended, locked; items locked by others are skipped. */
function lockExpired(db: Db, queueId: Id, itemIds: readonly Id[], now: Date): Promise<Item[]> {
  // With the index's own comparison, the planner might look for the ids in the index of items in progress, and walk over all of it.
  return db.rows<Item>(sql`
    select ${itemState} from work_items
    where queue_id = ${queueId} and id = any(${itemIds}::bigint[]) and status || '' = 'IN_PROGRESS' and lease_expires_on <= ${now}
    order by id for no key update skip locked`);
}

/** Milliseconds between two runs of a chore: often enough that nothing waits two seconds for it. */
export const pauseMs = 500;

/** The same as for low-water marks: a hundred entries take some 20 microseconds, and looks about a fiftieth of the time. */
const entriesPerMs = 100;
const usualHorizonMs = 5000;
const longestPauseMs = 30_000;

/** Milliseconds from a look at all items in progress to the next one. @param walked number of index entries that it walked over */
function pauseAfterLook(walked: number): number {
  const pause = walked / entriesPerMs;
  return pause < pauseMs ? 0 : Math.min(pause, longestPauseMs);
}

/** The time that the next look has to cover, as it may find twice as many entries. @param pause the pause after the present one */
function horizonFor(pause: number): number {
  return Math.min(Math.max(2 * pause, usualHorizonMs), longestPauseMs);
}

// The latest holders of an item tell more than a list of all of them.
const shownExpiries = 10;

/** The end of an attempt whose holder has fallen silent. */
export function leaseExpiry(item: Item): Ending {
  return { transition: 'lapse', reason: `no sign of life until ${leaseEndOf(item).toISOString()}` };
}

/**
 * The end of the last such attempt, with the story for people: the place and time at which each of the holders fell silent.
 * @param attempts the attempts of the item, oldest first, including the one whose lease expires now.
 */
export function exhaustion(item: Item, attempts: readonly Schemas['Attempt'][]): Ending {
  const times = expiriesOf(item);
  const silent = attempts.filter(({ outcome, endedOn }) => outcome === 'LAPSED' || endedOn === undefined);
  const places = silent.slice(-Math.min(times, shownExpiries)).map(({ deviceId, actorId, endedOn }) => {
    const where = deviceId === undefined ? `with user ${actorId}` : `on device ${deviceId}`;
    return `${where} until ${new Date(endedOn ?? leaseEndOf(item)).toISOString()}`;
  });
  const ranOut = times === 1 ? 'The lease ran out' : `The lease ran out ${times} times in a row`;
  const last = times > places.length ? `, at last ${places.length} times` : '';
  const story = `${ranOut}, without a sign of life${last}: ${places.join('; ')}.`;
  return { transition: 'exhaust', reason: `${story} The item may bring down whoever processes it.` };
}

function leaseEndOf({ id, leaseExpiresOn }: Item): Date {
  if (!leaseExpiresOn) throw new Error(`item ${id} has no lease that could run out`);
  return leaseExpiresOn;
}
