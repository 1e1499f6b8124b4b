import type { Id } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { behindInOne, indexTermsOf, placeOf, type Order, type Place } from './order.ts';
import { dataOf, rowsOf, type Source } from './source.ts';

/** Items in an order that an index has, all that are set in what it is of, or none. */
export interface Stretch {
  readonly source: Source;
  /** The order within it. */
  readonly order: Order;
  /** Whether the items have no value in the first key of the whole order. */
  readonly isUnset: boolean;
}

/** What a walk looks for. */
export interface Search {
  readonly queueId: Id;
  /** The order of the whole. */
  readonly order: Order;
  readonly where: Sql;
  /** Whether the condition needs the data of items. */
  readonly needsData: boolean;
}

/** What a walk found, in order, and how far it came. */
export interface Found {
  readonly places: readonly Place[];
  readonly lookedAt: number;
  /** The place behind which items are left that were not looked at. */
  readonly goOnAt?: Place | undefined;
  /** How many items could be skipped, where it was over before. */
  readonly skipped?: number | undefined;
}

export interface Pace {
  readonly firstStep: number;
  readonly longestStep: number;
  /** After this time the walk ends, whatever it found. */
  readonly budgetMs: number;
}

/** Where a walk begins, and when it ends. */
interface Way {
  /** The place to begin behind. */
  readonly after: Place | undefined;
  /** So many items are enough. */
  readonly wanted: number;
  readonly pace: Pace;
}

/**
 * Looks at items one after the other, in the order of an index, until enough match or the time is over: few at first, then more at a
 * time.
 */
export async function walk(
  db: Db,
  search: Search,
  stretches: readonly Stretch[],
  { after, wanted, pace }: Way,
): Promise<Found> {
  const endsAt = performance.now() + pace.budgetMs;
  const isInUnset = search.order.length > 1 && after?.[0] === null;
  const places: Place[] = [];
  let lookedAt = 0;
  for (const stretch of stretches.filter(({ isUnset }) => isUnset || !isInUnset)) {
    const from = isWithin(stretch, search, after) ? after : undefined;
    const way = { after: from, wanted: wanted - places.length, pace, endsAt };
    const found = await walkStretch(db, search, stretch, way);
    places.push(...found.places);
    lookedAt += found.lookedAt;
    if (places.length >= wanted || found.goOnAt) return { ...found, places, lookedAt };
  }
  return { places, lookedAt };
}

async function walkStretch(
  db: Db,
  search: Search,
  stretch: Stretch,
  { after, wanted, pace, endsAt }: Way & { readonly endsAt: number },
): Promise<Found> {
  const places: Place[] = [];
  let lookedAt = 0;
  let from = after;
  for (let size = Math.max(wanted, pace.firstStep); ; size = Math.min(size * 4, pace.longestStep)) {
    const step = await takeStep(db, search, stretch, { from, size, wanted: wanted - places.length });
    places.push(...step.places);
    lookedAt += step.lookedAt;
    from = step.last ?? from;
    const isAtEnd = places.length >= wanted || step.lookedAt < size;
    if (isAtEnd) return { places, lookedAt };
    if (performance.now() > endsAt) return { places, lookedAt, goOnAt: from };
  }
}

/** Whether a place is one of the stretch, and not of the one before it. */
function isWithin({ isUnset }: Stretch, { order }: Search, place: Place | undefined): boolean {
  return place !== undefined && (order.length === 1 || (place[0] === null) === isUnset);
}

interface Step {
  readonly places: readonly Place[];
  readonly lookedAt: number;
  /** The place of the last item that was looked at. */
  readonly last?: Place;
}

async function takeStep(
  db: Db,
  { queueId, order, where, needsData }: Search,
  { source, order: within }: Stretch,
  { from, size, wanted }: { from: Place | undefined; size: number; wanted: number },
): Promise<Step> {
  const keyset = from ? behindInOne(within, from.slice(-within.length)) : sql`true`;
  const bound = sql`order by ${indexTermsOf(within)} limit ${raw(String(size))}`;
  const backwards = within.map((key) => ({ ...key, isDescending: !key.isDescending }));
  const row = await db.row<Step>(sql`
    with looked as materialized (
      select i.* from (${rowsOf(queueId, source, keyset, bound)}) i ${bound}),
    found as materialized (
      select ${placeOf(order)} as place, row_number() over (order by ${indexTermsOf(within)}) as turn
      from looked i ${needsData ? dataOf(queueId) : empty} where ${where}
      order by ${indexTermsOf(within)} limit ${raw(String(wanted))})
    select (select coalesce(json_agg(place order by turn), '[]') from found) as places,
      (select count(*)::int from looked) as "lookedAt",
      (select ${placeOf(order)} from looked i order by ${indexTermsOf(backwards)} limit 1) as last`);
  return row as Step;
}
