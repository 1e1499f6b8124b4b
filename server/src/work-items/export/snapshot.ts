import type { Id, Schemas } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { listQuery } from '../../engine/lists/lists.ts';
import type { QueueContext, QueueDefinition } from '../../engine/operation.ts';
import { itemFields } from '../read/fields.ts';
import { namesColumn } from '../read/list.ts';
import { orderOfList, termsOf } from '../read/order.ts';
import { readPage, type Members } from '../read/page.ts';
import { batchIn, dataOf, rowsOf, statusesIn } from '../read/source.ts';

type Request = Pick<Schemas['ExportRequest'], 'filter' | 'sort'>;

/**
 * The items of a list request, as SQL that selects their ids in order.
 * @param condition the part of the filter that an index serves
 * @throws Refusal when the request cannot be understood
 */
export function selectionOf(
  queue: QueueDefinition,
  { filter = null, sort = null }: Request,
  condition: Sql = sql`true`,
) {
  const request = { filter, sort };
  const fields = itemFields(queue);
  const { where } = listQuery(request, fields, sql`i.id`);
  const order = orderOfList(request, fields);
  const source = { statuses: statusesIn(filter), condition };
  return sql`
    select i.id from (${rowsOf(queue.id, source)}) i ${namesColumn(request, fields) ? dataOf(queue.id) : empty}
    where ${where} order by ${termsOf(order)}`;
}

const idsAtOnce = 2000;

/**
 * The items of a request in the snapshot of a read-only transaction, in order, as many at a time as may be in memory. An empty portion
 * comes first: it shows that the database has begun.
 */
export async function* itemsInSnapshot(
  { db, queue }: QueueContext,
  request: Request,
  members: Members,
): AsyncGenerator<Schemas['WorkItem'][]> {
  await openCursor(db, queue, request);
  let ids = await fetchIds(db);
  yield [];
  for (; ids.length > 0; ids = await fetchIds(db)) {
    for (let left = ids; left.length > 0;) {
      const items = await readPage(db, queue, { ids: left, members });
      yield items;
      left = left.slice(items.length);
    }
  }
}

/** A cursor has no limit: the plan may sort, and is made for all rows. */
async function openCursor(db: Db, queue: QueueDefinition, request: Request): Promise<void> {
  await db.rows(
    sql`select set_config('enable_sort', 'on', true), set_config('cursor_tuple_fraction', '1', true)`,
  );
  const batch = await batchIn(db, queue.id, request.filter);
  await db.rows(sql`declare exported no scroll cursor for ${selectionOf(queue, request, batch)}`);
}

async function fetchIds(db: Db): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`fetch ${raw(String(idsAtOnce))} from exported`);
  return rows.map(({ id }) => id);
}
