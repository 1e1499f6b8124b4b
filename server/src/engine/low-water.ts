import type { Id } from '@millrace/api';
import type { WakeUp } from './wake-ups.ts';

/** The start of a look, and the items below it that are looked up one by one. */
type Start = Pick<Mark, 'from' | 'below'>;

/** The findings of a look, for the mark. */
export type Found = Omit<Parameters<typeof markAfterLook>[1], 'mark' | 'arrived'>;

const theStart: Start = { from: { sortKey: Buffer.alloc(0), id: 0 }, below: [] };

interface State {
  mark: Mark | undefined;
  /** Items that become claimable during each look under way. */
  readonly looks: Set<Place[]>;
}

/**
 * The low-water marks of queues, as known to this server. One arises where a look at the claimable items of a queue walks over many index
 * entries in vain, as happens while a transaction elsewhere stays open; docs/decisions/0012.
 */
export class LowWaterMarks {
  readonly #states = new Map<WakeUp, State>();
  readonly #wake: (queueId: Id) => void;

  /**
   * @param wake is called at the end of a mark, for calls that wait for items of the queue: the items that it hid from them are found now.
   */
  constructor(wake: (queueId: Id) => void) {
    this.#wake = wake;
  }

  /** Looks at the claimable items of a queue, starting from its mark. */
  async look<T>(queueId: Id, run: (start: Start) => Promise<readonly [T, Found]>): Promise<T> {
    const state = this.#states.get(queueId) ?? { mark: undefined, looks: new Set() };
    this.#states.set(queueId, state);
    const mark = state.mark && state.mark.until > performance.now() ? state.mark : undefined;
    const arrived: Place[] = [];
    state.looks.add(arrived);
    try {
      const [result, found] = await run(mark ?? theStart);
      state.mark = markAfterLook(state.mark, { mark, arrived, ...found }, performance.now());
      if (!mark && state.mark) this.#wakeAtEnd(queueId, state.mark);
      return result;
    } finally {
      state.looks.delete(arrived);
      if (!state.mark && state.looks.size === 0) this.#states.delete(queueId);
    }
  }

  /**
   * To be called with each wake-up after its commit, before waiting calls are woken. With the wake-up of a queue come the items that have
   * become claimable.
   */
  arrive(name: WakeUp, places: readonly Place[]): void {
    const state = this.#states.get(name);
    if (!state || places.length === 0) return;
    state.mark = markAfterArrival(state.mark, places);
    for (const arrived of state.looks) for (const place of places) arrived.push(place);
  }

  /** To be called when looks at a queue were undone: items that they took may lie below the mark that they left. */
  forget(queueId: Id): void {
    const state = this.#states.get(queueId);
    if (!state) return;
    state.mark = undefined;
    if (state.looks.size === 0) this.#states.delete(queueId);
  }

  #wakeAtEnd(queueId: Id, { until }: Mark): void {
    setTimeout(() => this.#wake(queueId), until - performance.now()).unref();
  }
}

/** The place of an item in the order of claims. */
export interface Place {
  readonly sortKey: Buffer;
  readonly id: Id;
}

/**
 * The low-water mark of a queue: no claimable items are known to lie below it, except for a few. Claims that begin at it do not walk over
 * the index entries left behind by earlier claims.
 */
export interface Mark {
  readonly from: Place;
  /** Items below it that have become claimable since. */
  readonly below: readonly Id[];
  /** Its end, in milliseconds of any clock: the mark does not cover items that other servers or undone transactions leave below it. */
  readonly until: number;
}

/** The findings of a look at the claimable items of a queue, from a mark or, without one, from the start. */
interface Look {
  readonly mark: Mark | undefined;
  /** Items that have become claimable while the look was under way: it may have missed them. */
  readonly arrived: readonly Place[];
  /** The first item at or above the mark. */
  readonly first: Place | undefined;
  /** The items that it took. */
  readonly taken: readonly Id[];
  /** Index entries that it walked over in vain. */
  readonly passed: number;
}

// A walk over fewer entries costs less than the rest of a claim.
const longWalk = 100;
// Each of these is looked up by itself: for more of them a walk is no slower.
const mostBelow = 100;
const shortestMs = 1000;
// Behind millions of entries a look takes a second, in which the queue grants nothing else: it comes the less often.
const longestMs = 30_000;
// A hundred entries take some 20 microseconds: looks from the start take about a fiftieth of the time.
const entriesPerMs = 100;

/** The mark of a queue after a look; none where looks from the start are short. @param mark the present one */
export function markAfterLook(mark: Mark | undefined, look: Look, now: number): Mark | undefined {
  if (look.mark) return mark && advanced(mark, look.mark, look);
  const from = look.first ?? mark?.from;
  if (look.passed < longWalk || !from) return undefined;
  const lifetime = Math.min(Math.max(look.passed / entriesPerMs, shortestMs), longestMs);
  return bounded({ from, below: idsBelow(from, look.arrived), until: now + lifetime });
}

/** The mark after items have become claimable; none when too many of them are below it. */
export function markAfterArrival(mark: Mark | undefined, places: readonly Place[]): Mark | undefined {
  return mark && bounded({ ...mark, below: [...mark.below, ...idsBelow(mark.from, places)] });
}

/** A look from one mark does not cover items below that: a present mark that is lower stays. */
function advanced(mark: Mark, lookedFrom: Mark, { first, arrived, taken }: Look): Mark | undefined {
  const mayRise = first !== undefined && isBelow(mark.from, first) && !isBelow(mark.from, lookedFrom.from);
  const from = mayRise ? first : mark.from;
  const below = [...mark.below, ...idsBelow(from, arrived)].filter((id) => !taken.includes(id));
  return bounded({ ...mark, from, below });
}

function bounded(mark: Mark): Mark | undefined {
  const below = [...new Set(mark.below)];
  return below.length > mostBelow ? undefined : { ...mark, below };
}

// More than a look takes together with the most items below a mark.
const mostArrivals = 5000;

/** The relevant ones of very many places that come at once: the first, which are too many below a mark if all of them are below it. */
export function firstPlaces(places: Place[]): Place[] {
  if (places.length < 2 * mostArrivals) return places;
  return places.toSorted((one, other) => (isBelow(one, other) ? -1 : 1)).slice(0, mostArrivals);
}

function idsBelow(from: Place, places: readonly Place[]): Id[] {
  return places.filter((place) => isBelow(place, from)).map(({ id }) => id);
}

/** The order in which PostgreSQL compares the two columns. */
function isBelow(one: Place, other: Place): boolean {
  const order = Buffer.compare(one.sortKey, other.sortKey);
  return order === 0 ? one.id < other.id : order < 0;
}
