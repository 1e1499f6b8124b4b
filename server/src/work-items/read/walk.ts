import { parseJson, statuses, type Id, type Schemas } from '@millrace/api';
import { empty, join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { conjunctsOf } from '../../engine/lists/filter.ts';
import { orderTerm, sortKeys, type SortKey } from '../../engine/lists/lists.ts';
import { readValue, type Field } from '../../engine/lists/values.ts';
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
interface Search {
  readonly queueId: Id;
  /** The order of the whole list. */
  readonly order: Order;
  readonly where: Sql;
  /** Whether the condition needs the data of items. */
  readonly needsData: boolean;
}

/** The findings of a walk, in order, and its extent. */
interface Found {
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

/** A page of a list: where it begins, and how many items it has. */
export interface Page extends Search {
  readonly db: Db;
  /** The place after which it begins. */
  readonly after: Place | undefined;
  readonly offset: number;
  readonly limit: number;
  /** Whether the filter consists of conditions on the status only. */
  readonly isByStatus: boolean;
  readonly bounds: Pace;
}

/** Filters and sorts all items of a source. */
export async function findSorted(list: Page, source: Source): Promise<Found> {
  const { db, queueId, order, where, needsData, after, limit, offset } = list;
  const rows = await db.rows<{ place: Place }>(sql`
    select ${placeOf(order)} as place from (${rowsOf(queueId, source)}) i ${needsData ? dataOf(queueId) : empty}
    where ${where} and ${after ? behind(order, after) : sql`true`}
    order by ${termsOf(order)} limit ${raw(String(limit + 1))} offset ${offset}`);
  return { places: rows.map(({ place }) => place), lookedAt: 0 };
}

/** Examines the items of stretches in their order. */
export async function findInOrder(list: Page, stretches: readonly Stretch[]): Promise<Found> {
  const { db, after, limit, offset, bounds: pace } = list;
  const [first] = stretches;
  if (first && list.isByStatus && list.order.length === 1) return findAt(list, first);
  // Where items come with their keys, places are made from those.
  const order = first?.source.among && list.order.length > 1 ? first.order : list.order;
  const found = await walk(db, { ...list, order }, stretches, { after, wanted: offset + limit + 1, pace });
  const skipped = found.goOnAt && found.places.length;
  return { ...found, places: found.places.slice(offset), skipped };
}

/** Items of an index, all of which match. */
async function findAt(list: Page, { source }: Stretch): Promise<Found> {
  const { db, queueId, order, after, limit, offset } = list;
  const isOneIndex = source.statuses.length === 1 || source.statuses.length === statuses.length;
  const end = (skipped: number) => sql`order by ${termsOf(order)} limit ${raw(String(skipped + limit + 1))}`;
  const rest = after ? behind(order, after) : sql`true`;
  const rows = await db.rows<{ place: Place }>(sql`
    select ${placeOf(order)} as place
    from (${rowsOf(queueId, source, rest, isOneIndex ? empty : end(offset))}) i
    ${end(0)} offset ${offset}`);
  return { places: rows.map(({ place }) => place), lookedAt: 0 };
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
async function walk(
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

/** The sort keys of a list, of which the last is the id. */
type Order = readonly SortKey[];

/** The values of an item for each key of an order, as text. */
export type Place = readonly (string | null)[];

const id = sql`i.id`;

/**
 * The order wanted by a request. Fields that the filter restricts to one value order nothing and are left out.
 * @throws Refusal INVALID_REQUEST when the sort cannot be understood.
 */
export function orderOfList(request: Schemas['WorkItemListRequest'], fields: Record<string, Field>): Order {
  const keys = sortKeys(request.sort ?? [], fields, id);
  const constant = new Set(
    conjunctsOf(request.filter).flatMap(({ operator, field, value }) =>
      operator === 'eq' && value !== null && fields[field]?.type !== 'texts' && !fields[field]?.has
        ? [field]
        : [],
    ),
  );
  const last = {
    name: 'id',
    column: id,
    type: 'id',
    isDescending: keys.at(-1)?.isDescending ?? false,
  } as const;
  return [...keys.filter(({ name }) => name !== 'id' && !constant.has(name)), last];
}

/** The terms after "order by". */
export function termsOf(order: Order): Sql {
  return join(order.map((key) => orderTerm(key, id)));
}

/** The same for values that are all set, in the form of an index. */
function indexTermsOf(order: Order): Sql {
  return join(order.map(({ column, isDescending }) => (isDescending ? sql`${column} desc` : column)));
}

/** The place of a row, as JSON. */
function placeOf(order: Order): Sql {
  return sql`json_build_array(${join(order.map(({ column }) => sql`${column}::text`))})`;
}

/** A condition for the rows after a place. Unset values come last in both directions. */
function behind(order: Order, place: Place): Sql {
  const values = order.map((key, index) => valueAt(key, place[index] ?? null));
  const alternatives = order.map((key, index) => {
    const same = order.slice(0, index).map((earlier, at) => isSame(earlier.column, values[at]));
    return sql`(${join([...same, isBehind(key, values[index])], ' and ')})`;
  });
  return sql`(${join(alternatives, ' or ')})`;
}

/** The same for an order in one direction whose values are all set: one comparison, which an index serves. */
function behindInOne(order: Order, place: Place): Sql {
  const values = order.map((key, index) => valueAt(key, place[index] ?? null) ?? sql`null`);
  const columns = join(order.map(({ column }) => column));
  return order[0]?.isDescending
    ? sql`(${columns}) < (${join(values)})`
    : sql`(${columns}) > (${join(values)})`;
}

/** A value of a place in SQL; undefined when it is unset. @throws Refusal when somebody made it up */
function valueAt({ name, type }: SortKey, value: string | null): Sql | undefined {
  if (type === 'texts') throw refusal('cannot go on in an order of lists of texts: use page.offset');
  return value === null ? undefined : readValue(name, type, value, 'page.after');
}

const isSame = (column: Sql, value: Sql | undefined) =>
  value ? sql`${column} = ${value}` : sql`${column} is null`;

function isBehind({ column, name, isDescending }: SortKey, value: Sql | undefined): Sql {
  if (!value) return sql`false`;
  const further = isDescending ? sql`${column} < ${value}` : sql`${column} > ${value}`;
  return name === 'id' ? further : sql`(${further} or ${column} is null)`;
}

/** Whether a list in this order can go on from a place: lists of texts, such as tags, have none. */
export const hasPlaces = (order: Order): boolean => order.every(({ type }) => type !== 'texts');

/** The place as an opaque text for the reader to send back. */
export function cursorAt(order: Order, place: Place): string {
  return Buffer.from(JSON.stringify([spelled(order), ...place])).toString('base64url');
}

/** @throws Refusal INVALID_REQUEST when the cursor is invalid, or belongs to a list in another order. */
export function placeAt(order: Order, cursor: string): Place {
  const parts = readCursor(cursor);
  const [spelling, ...place] = parts ?? [];
  const isPlace = place.every((value) => value === null || typeof value === 'string');
  if (!isPlace || place.length !== order.length || place.at(-1) === null)
    throw refusal('is no `next` of a list');
  if (spelling !== spelled(order))
    throw refusal('is of a list in another order. Send the filter and sort that it came from, or begin anew');
  return place;
}

const spelled = (order: Order) =>
  order.map(({ name, isDescending }) => (isDescending ? `-${name}` : name)).join();

function readCursor(cursor: string): unknown[] | undefined {
  try {
    const parts = parseJson(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function refusal(message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `In the list request, page.after ${message}.`, {
    details: [{ field: 'page.after', message }],
  });
}
