import type { Id } from '@millrace/api';

/** The place of an item in the order of claims. */
export interface Place {
  readonly sortKey: Buffer;
  readonly id: Id;
}

/**
 * The low-water mark of a queue: nothing that can be claimed is known to stand below it, except for some items. Claims that begin at it
 * do not walk over what earlier claims have left behind in the index.
 */
export interface Mark {
  readonly from: Place;
  /** Items below it that have become claimable since. */
  readonly below: readonly Id[];
  /** When it ends, in milliseconds of any clock: it knows nothing of what other servers or transactions undone leave below it. */
  readonly until: number;
}

/** The findings of a look at the claimable items of a queue, from a mark or, without one, from the start. */
interface Look {
  readonly mark: Mark | undefined;
  /** Items that have become claimable while it was under way: it may have missed them. */
  readonly arrived: readonly Place[];
  /** The first item at or above its mark. */
  readonly first: Place | undefined;
  /** The items that it took. */
  readonly taken: readonly Id[];
  /** Entries of the index that it walked over in vain. */
  readonly passed: number;
}

// A walk over fewer entries costs less than the rest of a claim.
const longWalk = 100;
// Each of these is looked up by itself: for more of them a walk is no worse.
const mostBelow = 100;
const shortestMs = 1000;
const longestMs = 5000;
// A hundred entries take some 20 microseconds: looks from the start take about a fiftieth of the time.
const entriesPerMs = 100;

/** The mark of a queue after a look; none where looks from the start are short. @param mark the one that it has by now */
export function markAfterLook(mark: Mark | undefined, look: Look, now: number): Mark | undefined {
  if (look.mark) return mark && advanced(mark, look.mark, look);
  const from = look.first ?? mark?.from;
  if (look.passed < longWalk || !from) return undefined;
  const lifetime = Math.min(Math.max(look.passed / entriesPerMs, shortestMs), longestMs);
  return bounded({ from, below: idsBelow(from, look.arrived), until: now + lifetime });
}

/** The mark when items have become claimable; none when there are too many of them below it. */
export function markAfterArrival(mark: Mark | undefined, places: readonly Place[]): Mark | undefined {
  return mark && bounded({ ...mark, below: [...mark.below, ...idsBelow(mark.from, places)] });
}

/** A look from one mark says nothing of what lies below that: where the present mark is lower, it stays. */
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

// More than a look takes, and then more than may be below a mark.
const mostArrivals = 5000;

/** The places that matter of very many that come at once: the first of them, which are too many below a mark, if all of them are. */
export function firstPlaces(places: Place[]): Place[] {
  if (places.length < 2 * mostArrivals) return places;
  return places.toSorted((one, other) => (isBelow(one, other) ? -1 : 1)).slice(0, mostArrivals);
}

function idsBelow(from: Place, places: readonly Place[]): Id[] {
  return places.filter((place) => isBelow(place, from)).map(({ id }) => id);
}

/** As PostgreSQL compares the two columns. */
function isBelow(one: Place, other: Place): boolean {
  const order = Buffer.compare(one.sortKey, other.sortKey);
  return order === 0 ? one.id < other.id : order < 0;
}
