import type { Schemas } from '@millrace/api';
import { join, sql, type Db, type Sql } from '../db.ts';
import { readFilter } from './filter.ts';
import { knownField, listRefusal, printed, sensitive, type Field } from './values.ts';

/** The parts of a statement that lists rows. */
export interface ListQuery {
  /** A condition, true when there is no filter; never null for a row to be shown. */
  readonly where: Sql;
  /** The terms after "order by". */
  readonly orderBy: Sql;
  readonly limit: number;
  readonly offset: number;
}

const defaultLength = 200;
const maxLength = 10_000;

/**
 * The statement parts for a list request. Unset values come last in both directions.
 * @param fields the fields by which the rows can be filtered and sorted, by their names in the API.
 * @param tieBreak the id of the row, which orders rows that the sort leaves equal, ascending.
 * @throws Refusal INVALID_REQUEST that names the part of the request that cannot be understood.
 */
export function listQuery(
  request: Schemas['ListRequest'] | undefined,
  fields: Record<string, Field>,
  tieBreak: Sql,
): ListQuery {
  const { filter, sort, page } = request ?? {};
  const length = readCount('length', page?.length);
  return {
    where: readFilter(filter, fields) ?? sql`true`,
    orderBy: readSort(sort ?? [], fields, tieBreak),
    limit: length > 0 ? Math.min(length, maxLength) : defaultLength,
    offset: Math.max(readCount('offset', page?.offset), 0),
  };
}

/**
 * The page of a list's answer: the number of rows, and of those that match the filter.
 * @param rows all of them, as SQL that follows "from"
 */
export async function pageOf(
  db: Db,
  { where, offset }: Pick<ListQuery, 'where' | 'offset'>,
  rows: Sql,
): Promise<Schemas['Page']> {
  const counts = await db.row<{ total: number; totalFilter: number }>(
    sql`select count(*) as total, count(*) filter (where ${where}) as "totalFilter" from ${rows}`,
  );
  return { offset, total: 0, totalFilter: 0, ...counts };
}

type Sort = NonNullable<Schemas['ListRequest']['sort']>;

/** A field by which rows are sorted. */
export interface SortKey extends Field {
  readonly name: string;
  readonly isDescending: boolean;
}

/**
 * The sort keys of a request, up to and including the id, after which nothing is left to order; entries without a field are dropped.
 * @throws Refusal INVALID_REQUEST for an unknown field or direction.
 */
export function sortKeys(sort: Sort, fields: Record<string, Field>, tieBreak: Sql): SortKey[] {
  const keys: SortKey[] = [];
  for (const [index, { field: name, direction }] of sort.entries()) {
    if (!name || keys.some((key) => key.name === name)) continue;
    const field = knownField(name, fields, `sort.${index}`);
    if (field.hashed) throw sensitive(name, `sort.${index}.field`, 'ordered');
    keys.push({ ...field, isDescending: readDirection(direction, index) === 'desc' });
    if (field.column.sql === tieBreak.sql) break;
  }
  return keys;
}

function readSort(sort: Sort, fields: Record<string, Field>, tieBreak: Sql): Sql {
  const keys = sortKeys(sort, fields, tieBreak);
  const isWhole = keys.at(-1)?.column.sql === tieBreak.sql;
  return join([...keys.map((key) => orderTerm(key, tieBreak)), ...(isWhole ? [] : [tieBreak])]);
}

/** A term after "order by". Ids are never unset: without "nulls last" an index can serve. */
export function orderTerm({ column, isDescending }: Omit<SortKey, 'name' | 'type'>, tieBreak: Sql): Sql {
  if (!isDescending) return column;
  return column.sql === tieBreak.sql ? sql`${column} desc` : sql`${column} desc nulls last`;
}

function readDirection(direction: string | null | undefined, index: number): string {
  const read = (direction ?? 'asc').toLowerCase();
  if (read === 'asc' || read === 'desc') return read;
  throw listRefusal(`sort.${index}.direction`, `must be asc or desc, not ${printed(direction)}`);
}

/** A number of rows; 0 when none is given. Numbers may come as text. */
function readCount(name: 'offset' | 'length', value: number | string | null | undefined): number {
  if (typeof value === 'string' && !/^\s*[+-]?\d+\s*$/.test(value)) {
    throw listRefusal(`page.${name}`, `must be a whole number, not ${printed(value)}`);
  }
  return Math.min(Number(value ?? 0), Number.MAX_SAFE_INTEGER);
}
