import { raw, sql, type Sql } from '../db.ts';
import type { QueueDefinition } from '../queues/rules.ts';

/** So much of items goes into one answer, or is read at once, though never less than one item: what is read is held in memory. */
export const portionBytes = 4 * 1024 * 1024;

// What an item has besides what may be long.
const rest = 500;

/** About how many bytes an answer needs for an item `i` with its data `d`; display columns show the data again. */
export function itemBytes({ displayColumns }: Pick<QueueDefinition, 'displayColumns'>): Sql {
  const times = raw(displayColumns.length > 0 ? '2' : '1');
  return sql`${recordBytes} * ${times} + coalesce(octet_length(i.output::text), 0)
    + coalesce(octet_length(i.error), 0) + coalesce(octet_length(i.comment), 0) + ${raw(String(rest))}`;
}

/** The bytes of the data `d` of an item. */
export const recordBytes = raw('octet_length(d.json::text)');

/** How many bytes the rows have that come before a row, in an order. */
export function bytesBefore(bytes: Sql, order: Sql): Sql {
  return sql`coalesce(sum(${bytes}) over (order by ${order} rows between unbounded preceding and 1 preceding), 0)`;
}
