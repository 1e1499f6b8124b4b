import type { Id, Schemas } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { conjunctsOf } from '../../engine/lists/filter.ts';
import { readValue } from '../../engine/lists/values.ts';

// Ids follow time, to within the length of a transaction: at this distance, the order is certain.
const slack = "interval '5 minutes'";

/**
 * The range of ids for a filter by createdOn; undefined when it has none. It is wider than the filter, as the two orders differ a little.
 */
export async function idsCreated(
  db: Db,
  queueId: Id,
  filter: Schemas['WorkItemListRequest']['filter'],
): Promise<Sql | undefined> {
  const bounds = conjunctsOf(filter).flatMap(({ field, operator, value }) => {
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
    bounds.map(async ({ isLower, time }) => {
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
