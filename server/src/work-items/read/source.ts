import { statuses, type Id, type Schemas, type Status } from '@millrace/api';
import { itemsOfBatch } from '../../batches/items.ts';
import { empty, join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { conjunctsOf, decideFilter, readFilter } from '../../engine/lists/filter.ts';
import { readValue, type Field } from '../../engine/lists/values.ts';

/** The items of a queue that are examined for a list: all that can match its filter, and as few others as indexes allow. */
export interface Source {
  /** Each status has an index of its own. */
  readonly statuses: readonly Status[];
  /** Another condition that an index serves; `i` is the item. */
  readonly condition: Sql;
  /** Rows in place of the whole queue: with `id`, and with `key` where they are ordered by one. */
  readonly among?: Sql;
  /** Whether the index is by status: then each status has its own statement, even when all are wanted. */
  readonly isByStatus?: boolean;
}

type Filter = Schemas['WorkItemListRequest']['filter'];
type Counts = Readonly<Record<Status, number>>;

/** The statuses of items that can match the filter. */
export function statusesIn(filter: Filter): Status[] {
  return statuses.filter((status) => decideByStatus(filter, status) !== false);
}

/** Number of items that match a filter which is only about their status; undefined for another filter. */
export function countByStatus(filter: Filter, counts: Counts): number | undefined {
  let count = 0;
  for (const status of statuses) {
    const matches = decideByStatus(filter, status);
    if (matches === undefined) return undefined;
    if (matches) count += counts[status];
  }
  return count;
}

function decideByStatus(filter: Filter, status: Status): boolean | undefined {
  return decideFilter(filter, ({ field, operator, value }) => {
    if (field !== 'status') return undefined;
    const isSame = String(value).toUpperCase() === status;
    return operator === 'eq' ? isSame : !isSame;
  });
}

export const sumOf = (counts: Counts, of: readonly Status[]): number =>
  of.reduce((sum, status) => sum + counts[status], 0);

const ranges = ['eq', 'lt', 'le', 'gt', 'ge'];

/** The filter's conditions on a field that an index serves; undefined when there are none. */
export function rangeOf(filter: Filter, field: string, fields: Record<string, Field>): Sql | undefined {
  const operands = conjunctsOf(filter).filter(
    (one) => one.field === field && one.value !== null && ranges.includes(one.operator),
  );
  return operands.length === 0 ? undefined : readFilter({ operator: 'and', operands }, fields);
}

/** The batch required by the filter. */
export function batchIdIn(filter: unknown): Sql | undefined {
  const named = conjunctsOf(filter).find(
    ({ field, operator, value }) => field === 'batchId' && operator === 'eq' && value !== null,
  );
  return named && readValue('batchId', 'id', named.value, 'filter');
}

/** The items of the batch required by the filter, in a form that an index serves. */
export async function batchIn(db: Db, queueId: Id, filter: unknown): Promise<Sql | undefined> {
  const batchId = batchIdIn(filter);
  return batchId && itemsOfBatch(db, queueId, batchId);
}

/**
 * The rows of a source, as SQL that selects them.
 * @param more a further condition.
 * @param bound an order and a limit, for each status: the planner takes the first rows of an index, but not of several together.
 */
export function rowsOf(queueId: Id, source: Source, more: Sql = sql`true`, bound: Sql = empty): Sql {
  if (source.among) return rowsAmong(queueId, source.among, more, bound);
  const of = (status: Sql) =>
    sql`(select i.* from work_items i where i.queue_id = ${queueId}${status} and ${source.condition} and ${more} ${bound})`;
  if (source.statuses.length === statuses.length && !source.isByStatus) return of(empty);
  if (source.statuses.length === 0) return of(sql` and false`);
  // A literal: only so does the planner see that the index of a status serves.
  const parts = source.statuses.map((status) => of(raw(` and i.status = '${status}'`)));
  return join(parts, ' union all ');
}

/** The items for some rows: each is looked up by itself, whatever number of them the planner expects. */
const rowsAmong = (queueId: Id, among: Sql, more: Sql, bound: Sql) => sql`(
  select i.*, m.key from (select i.id, i.key from (${among}) i where ${more} ${bound}) m
  cross join lateral (select * from work_items where queue_id = ${queueId} and id = m.id offset 0) i)`;

/** Whether a source has at most this many items; counts no further. */
export async function hasAtMost(db: Db, queueId: Id, source: Source, most: number): Promise<boolean> {
  const row = await db.row<{ count: number }>(sql`
    select count(*)::int as count from (
      select from (${rowsOf(queueId, source)}) i limit ${raw(String(most + 1))}) found`);
  return (row?.count ?? 0) <= most;
}

/** The data of the items `i`, where a statement needs it. */
export const dataOf = (queueId: Id): Sql =>
  sql`cross join lateral (select json from work_item_data where queue_id = ${queueId} and item_id = i.id offset 0) d`;
