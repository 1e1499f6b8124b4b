import type { Id } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { behindInOne, indexTermsOf, placeOf, type Order, type Place } from './order.ts';
import { dataOf, rowsOf, type Source } from './source.ts';

/** Items in the order of an index: either those with a value in its first key, or those without one. */
export interface Stretch {
  readonly source: Source;
  /** The order within it. */
  readonly order: Order;
  /** Whether the items have no value in the first key of the whole order. */
  readonly isUnset: boolean;
}

/** The conditions and the order of a walk. */
export interface Search {
  readonly queueId: Id;
  /** The order of the whole list. */
  readonly order: Order;
  readonly where: Sql;
  /** Whether the condition needs the data of items. */
  readonly needsData: boolean;
}

/** The findings of a walk, in order, and its extent. */
export interface Found {
  readonly places: readonly Place[];
  readonly lookedAt: number;
  /** The place after which items are left that were not examined. */
  readonly goOnAt?: Place | undefined;
  /** Number of items that could be skipped, where the walk ended early. */
  readonly skipped?: number | undefined;
}

export interface Pace {
  readonly firstStep: number;
  readonly longestStep: number;
  /** The walk ends after this time, whatever it has found. */
  readonly budgetMs: number;
}

/** The start of a walk, and its limits. */
interface Way {
  /** The place after which to begin. */
  readonly after: Place | undefined;
  /** The number of items to find. */
  readonly wanted: number;
  readonly pace: Pace;
}

/**
 * Examines items one after the other, in the order of an index, until enough match or the time is over: few at first, then more at a time.
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

/** Whether a place belongs to the stretch, and not to the one before it. */
function isWithin({ isUnset }: Stretch, { order }: Search, place: Place | undefined): boolean {
  return place !== undefined && (order.length === 1 || (place[0] === null) === isUnset);
}

interface Step {
  readonly places: readonly Place[];
  readonly lookedAt: number;
  /** The place of the last item that was examined. */
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
