import type { Schemas } from '@millrace/api';
import { join, sql, type Sql } from './db.ts';
import { Refusal } from './errors.ts';
import { namesField, readFilter } from './lists/filter.ts';
import { printed, type Field } from './lists/values.ts';

export { namesField, type Field };

/** The parts of a statement that lists rows. */
export interface ListQuery {
  /** A condition, true when there is no filter; never null for a row that must be shown. */
  readonly where: Sql;
  /** What follows "order by". */
  readonly orderBy: Sql;
  readonly limit: number;
  readonly offset: number;
}

const defaultLength = 200;
const maxLength = 10_000;

/**
 * What a list request asks of the database. Unset values come last in both directions; the request's sort entries
 * with an unknown field are dropped.
 * @param fields what the rows can be filtered and sorted by, under the names of the wire.
 * @param tieBreak the id of the row, which orders what the sort leaves open, ascending.
 * @throws Refusal INVALID_REQUEST that says what in the request cannot be understood.
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

type Sort = NonNullable<Schemas['ListRequest']['sort']>;

function readSort(sort: Sort, fields: Record<string, Field>, tieBreak: Sql): Sql {
  const seen = new Set<string>();
  const parts: Sql[] = [];
  for (const [index, { field: name, direction }] of sort.entries()) {
    const field = typeof name === 'string' && Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field || seen.has(name as string)) continue;
    seen.add(name as string);
    const isDescending = readDirection(direction, index) === 'desc';
    // Ids are unique and never unset: nothing after them orders, and without "nulls last" an index can serve.
    if (field.column.sql === tieBreak.sql)
      return join([...parts, isDescending ? sql`${tieBreak} desc` : tieBreak]);
    parts.push(isDescending ? sql`${field.column} desc nulls last` : field.column);
  }
  return join([...parts, tieBreak]);
}

function readDirection(direction: string | null | undefined, index: number): string {
  const read = (direction ?? 'asc').toLowerCase();
  if (read === 'asc' || read === 'desc') return read;
  throw refusal(`sort.${index}.direction`, `must be asc or desc, not ${printed(direction)}`);
}

/** A number of rows; 0 when none is given. Numbers may come as text. */
function readCount(name: 'offset' | 'length', value: number | string | null | undefined): number {
  if (typeof value === 'string' && !/^\s*[+-]?\d+\s*$/.test(value)) {
    throw refusal(`page.${name}`, `must be a whole number, not ${printed(value)}`);
  }
  return Math.min(Number(value ?? 0), Number.MAX_SAFE_INTEGER);
}

function refusal(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `In the list request, ${field} ${message}.`, {
    details: [{ field, message }],
  });
}
