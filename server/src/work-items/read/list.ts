import { statuses, toId, type Id, type Schemas, type Status } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { conjunctsOf, namesField } from '../../engine/lists/filter.ts';
import { listQuery } from '../../engine/lists/lists.ts';
import { readValue, type Field } from '../../engine/lists/values.ts';
import type { QueueContext, QueueDefinition, QueueOperation } from '../../engine/operation.ts';
import { selectTotals } from '../../journal/counters.ts';
import { shown } from '../../records/sealed.ts';
import { atLeast, countOf } from './count.ts';
import { fewestHits, indexedColumnsOf, inOrderOf, type Hits, type IndexedColumns } from './indexed.ts';
import { itemFields } from './fields.ts';
import { membersAsked, onlyAsked, readPage } from './page.ts';
import { batchIn, countByStatus, hasAtMost, rangeOf, statusesIn, sumOf, type Source } from './source.ts';
import { textHits } from './texts.ts';
import {
  cursorAt,
  findInOrder,
  findSorted,
  hasPlaces,
  orderOfList,
  placeAt,
  type Pace,
  type Page,
  type Place,
  type Stretch,
} from './walk.ts';

/** The limits of a list. */
interface ListBounds extends Pace {
  /** The most items that are filtered and sorted at a time, by any fields; and the most that are skipped in a queue with more. */
  readonly sorted: number;
  /** The most items to sort where an index has the order as well. */
  readonly few: number;
  /** The items examined to estimate the number of matches. */
  readonly counted: number;
}

const bounds: ListBounds = {
  sorted: 100_000,
  few: 20_000,
  counted: 5000,
  firstStep: 500,
  longestStep: 20_000,
  budgetMs: 1000,
};

type Request = Schemas['WorkItemListRequest'];

/** A validated list request. */
interface List extends Page {
  readonly queue: QueueDefinition;
  readonly request: Request;
  readonly fields: Record<string, Field>;
  readonly counts: Readonly<Record<Status, number>>;
  /** The filter's conditions on ids. */
  readonly ids: Sql | undefined;
  /** The indexed columns, where the queue is large enough to need them. */
  readonly indexed: IndexedColumns;
  /** The items of the batch in the filter. */
  readonly batch: Sql | undefined;
  readonly bounds: ListBounds;
}

/** @param limits the limits of a list. */
export const listWithin =
  (limits: ListBounds): QueueOperation<'listWorkItems'> =>
  async (context, { body }) => {
    const list = await readList(context, body, limits);
    const { db, queue, limit, offset } = list;
    const way = await wayOf(list);
    const search = way.whole ? findSorted(list, way.whole) : findInOrder(list, way.stretches);
    const counting = wantsCount(body) ? countOf(list, way) : undefined;
    const [found, counted] = await Promise.all([search, counting]);
    const count = counted && atLeast(counted, found.places.length === 0 ? 0 : offset + found.places.length);
    // Where the search ended early, the reader skips the rest after `next`.
    const skipped = Math.min(offset, found.skipped ?? offset);
    const places = found.places.slice(0, limit);
    const members = membersAsked(body.fields);
    const items = await readPage(db, queue, { ids: places.map(idAt), members });
    const isCut = items.length < found.places.length;
    const next = isCut ? places[items.length - 1] : found.goOnAt;
    const isPartial = !isCut && found.goOnAt !== undefined;
    const total = sumOf(list.counts, statuses);
    return {
      page: {
        offset: skipped,
        total,
        ...count,
        ...(isPartial && { isPartial, lookedAt: found.lookedAt }),
        ...(next && hasPlaces(list.order) && { next: cursorAt(list.order, next) }),
      },
      list: items.map((item) => onlyAsked(shown(queue, item), members)),
    };
  };

export const listWorkItems = listWithin(bounds);

const idAt = (place: Place): Id => toId(place.at(-1) as string);

async function readList({ db, queue, now }: QueueContext, body: Request, limits: ListBounds): Promise<List> {
  const fields = itemFields(queue);
  const { where, limit, offset } = listQuery(body, fields, sql`i.id`);
  const order = orderOfList(body, fields);
  const cursor = body.page?.after ?? undefined;
  const after = cursor === undefined ? undefined : placeAt(order, cursor);
  const { counts } = await selectTotals(db, queue.id, now);
  const isLarge = sumOf(counts, statuses) > limits.sorted;
  const ids = isLarge ? await idsOf(db, queue.id, body.filter, fields) : undefined;
  const indexed = isLarge ? await indexedColumnsOf(db, queue, body) : new Map<never, never>();
  const batch = isLarge ? await batchIn(db, queue.id, body.filter) : undefined;
  const asked = { request: body, fields, limit, offset, after, indexed, bounds: limits };
  const isByStatus = countByStatus(body.filter, counts) !== undefined;
  const needsData = namesColumn(body, fields);
  return { db, queue, queueId: queue.id, counts, order, where, ids, batch, isByStatus, needsData, ...asked };
}

/** Whether a request filters or sorts by contents of records. */
export function namesColumn({ filter, sort }: Request, fields: Record<string, Field>): boolean {
  const columns = Object.keys(fields).filter((name) => name === 'any' || /^col\d+$/.test(name));
  return columns.some((name) => namesField(filter, name) || sort?.some(({ field }) => field === name));
}

/** The filter's conditions on ids, direct or by the time of creation; undefined when there are none. */
async function idsOf(
  db: Db,
  queueId: Id,
  filter: Request['filter'],
  fields: Record<string, Field>,
): Promise<Sql | undefined> {
  const conditions = [rangeOf(filter, 'id', fields), await idsCreated(db, queueId, filter)];
  const found = conditions.filter((condition) => condition !== undefined);
  return found.length === 0 ? undefined : join(found, ' and ');
}

// Ids follow time, to within the length of a transaction: at this distance, the order is certain.
const slack = "interval '5 minutes'";

/**
 * The range of ids for a filter by createdOn; undefined when it has none. It is wider than the filter, as the two orders differ a little.
 */
async function idsCreated(
  db: Db,
  queueId: Id,
  filter: Schemas['WorkItemListRequest']['filter'],
): Promise<Sql | undefined> {
  const ends = conjunctsOf(filter).flatMap(({ field, operator, value }) => {
    if (field !== 'createdOn' || value === null) return [];
    const time = readValue(field, 'time', value, 'filter');
    return [
      ...(['eq', 'ge', 'gt'].includes(operator)
        ? [{ isLower: true, time: sql`${time} - ${raw(slack)}` }]
        : []),
      ...(['eq', 'le', 'lt'].includes(operator)
        ? [{ isLower: false, time: sql`${time} + ${raw(slack)}` }]
        : []),
    ];
  });
  const conditions = await Promise.all(
    ends.map(async ({ isLower, time }) => {
      const id = await selectFirstSince(db, queueId, time);
      if (id === undefined) return isLower ? sql`false` : sql`true`;
      return isLower ? sql`i.id >= ${id}` : sql`i.id <= ${id}`;
    }),
  );
  return conditions.length === 0 ? undefined : join(conditions, ' and ');
}

/** The first item created at a time or later, by binary search over the ids; undefined when there is none. */
async function selectFirstSince(db: Db, queueId: Id, time: Sql): Promise<Id | undefined> {
  const end = (direction: string) =>
    sql`(select id from work_items where queue_id = ${queueId} order by id ${raw(direction)} limit 1)`;
  const row = await db.row<{ id: Id }>(sql`
    with recursive halves as (
      select ${end('asc')} as low, ${end('desc')} + 1 as high
      union all
      select case when isLate then low else middle + 1 end, case when isLate then middle else high end
      from halves cross join lateral (select (low + high) / 2 as middle) m
      cross join lateral (
        select coalesce((select created_on from work_items where queue_id = ${queueId} and id >= middle order by id limit 1)
          >= ${time}, true) as isLate) found
      where low < high)
    select i.id from work_items i
    where i.queue_id = ${queueId} and i.id >= (select min(high) from halves) order by i.id limit 1`);
  return row?.id;
}

/** Whether to count the matches: by default, only for pages without a cursor. */
function wantsCount({ page }: Request): boolean {
  const asked: unknown = page?.['total'];
  return typeof asked === 'boolean' ? asked : (page?.after ?? null) === null;
}

/** The way to find the items of a list: filtered and sorted as a whole, or examined in the order of an index. */
interface Way {
  readonly whole?: Source;
  /** The stretches that together contain all items that can match, in the order of the list. */
  readonly stretches: readonly Stretch[];
  readonly hits?: Hits | undefined;
}

/** @throws Refusal INVALID_REQUEST when there are too many items to sort, and no index has the order. */
async function wayOf(list: List): Promise<Way> {
  const { counts, request, order, offset } = list;
  const { sorted, few } = list.bounds;
  const possible = statusesIn(request.filter);
  const all: Source = { statuses: possible, condition: sql`true` };
  if (sumOf(counts, possible) <= sorted) return { whole: all, stretches: [] };
  const hits = await hitsOf(list);
  const stretches = await stretchesOf(list, hits);
  const most = stretches ? few : sorted;
  if (hits && order.length > 1 && hits.count <= most) return { whole: sourceOf(hits), stretches: [], hits };
  const narrow = await narrowSource(list, stretches !== undefined);
  if (narrow) return { whole: narrow, stretches: [] };
  if (!stretches) throw unsorted(list);
  if (offset > sorted) throw tooFar(sorted);
  return { stretches, hits };
}

/** The items found by an index of contents of records, unless there are too many. */
async function hitsOf({ db, queue, indexed, request, counts, bounds: { sorted, few } }: List) {
  const { filter } = request;
  const byValue = await fewestHits(db, queue, indexed, { filter, most: sorted });
  if (byValue && byValue.count <= few) return byValue;
  const searched = { ...queue, size: sumOf(counts, statuses) };
  return (await textHits(db, searched, filter, { most: few, common: sorted })) ?? byValue;
}

const sourceOf = ({ among }: Pick<Hits, 'among'>): Source => ({ statuses, condition: sql`true`, among });

const failed: readonly Status[] = ['FAILED'];

/** The items selected by an index by id, by time, by batch or by the cause of failures, where they are few enough to be sorted. */
async function narrowSource(list: List, isInOrder: boolean): Promise<Source | undefined> {
  const { db, queueId, request, fields, ids, batch } = list;
  const { sorted, few } = list.bounds;
  const possible = statusesIn(request.filter);
  const cause = rangeOf(request.filter, 'errorSignature', fields);
  const isByTime = list.order[0]?.name === 'endTime';
  const range = isByTime ? undefined : rangeOf(request.filter, 'endTime', fields);
  const narrow: Source[] = [
    ...(cause && possible.includes('FAILED')
      ? [{ statuses: failed, condition: cause, isByStatus: true }]
      : []),
    ...(batch ? [{ statuses: possible, condition: batch, isByStatus: true }] : []),
    ...(ids && (isByTime || !isInOrder) ? [{ statuses: possible, condition: ids }] : []),
    ...(range ? [{ statuses, condition: range }] : []),
  ];
  for (const one of narrow)
    if (await hasAtMost(db, queueId, one, isInOrder && !one.isByStatus ? few : sorted)) return one;
  return undefined;
}

function unsorted({ order, counts, bounds: { sorted } }: List): Refusal {
  const names = order.slice(0, -1).map(({ name }) => name);
  const message = `cannot order ${sumOf(counts, statuses)} items by ${names.join(' and ')}, of which no index is kept`;
  const remedy = `Sort by id, createdOn or endTime, filter by status, id, createdOn or endTime so that at most ${sorted} items are left, or have the queue index the column (indexedColumns).`;
  return new Refusal('INVALID_REQUEST', `In the list request, sort ${message}. ${remedy}`, {
    details: [{ field: 'sort', message }],
  });
}

function tooFar(most: number): Refusal {
  const message = `is more than ${most}, as far as items of a large queue are skipped`;
  return new Refusal(
    'INVALID_REQUEST',
    `In the list request, page.offset ${message}. Send \`next\` of the page before as page.after.`,
    { details: [{ field: 'page.offset', message }] },
  );
}

/** The stretches that together contain all items that can match, in the order of the list; undefined when no index has the order. */
async function stretchesOf(list: List, hits: Hits | undefined): Promise<Stretch[] | undefined> {
  const { order, request, ids = sql`true`, batch } = list;
  const [first, second] = order;
  const byId = order.slice(-1);
  const isOneWay = order.every(({ isDescending }) => isDescending === first?.isDescending);
  const source = hits ? sourceOf(hits) : sourceById(statusesIn(request.filter), ids, batch);
  // Ids follow the order of time.
  if (!second || (first?.name === 'createdOn' && order.length === 2 && isOneWay))
    return [{ source, order: byId, isUnset: false }];
  if (order.length > 2 || !isOneWay) return undefined;
  return first?.name === 'endTime' ? stretchesByEnd(list) : stretchesByColumn(list);
}

function stretchesByEnd({ order, request, fields, ids = sql`true` }: List): Stretch[] {
  const range = rangeOf(request.filter, 'endTime', fields);
  const set = { statuses, condition: sql`i.ended_on is not null and ${range ?? sql`true`}` };
  const unset = { statuses: statusesIn(request.filter), condition: sql`i.ended_on is null and ${ids}` };
  const stretches = [{ source: set, order, isUnset: false }];
  return range ? stretches : [...stretches, { source: unset, order: order.slice(-1), isUnset: true }];
}

async function stretchesByColumn({ db, queue, order, request, indexed }: List) {
  const [first, ...byId] = order;
  const attribute = first && indexed.get(first.name);
  if (!attribute) return undefined;
  const { set, unset } = await inOrderOf(db, queue, [first.name, attribute], request.filter);
  const keyed = [{ ...first, column: sql`i.key` }, ...byId];
  const stretches: Stretch[] = [{ source: sourceOf({ among: set }), order: keyed, isUnset: false }];
  return unset
    ? [...stretches, { source: sourceOf({ among: unset }), order: byId, isUnset: true }]
    : stretches;
}

/** Items in the order of their ids, all or those of a batch. */
const sourceById = (possible: readonly Status[], ids: Sql, batch: Sql | undefined): Source =>
  batch
    ? { statuses: possible, condition: sql`${batch} and ${ids}`, isByStatus: true }
    : { statuses: possible, condition: ids };
