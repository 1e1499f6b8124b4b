import type { Id, Schemas } from '@millrace/api';
import { sql, type Db, type Sql } from '../db.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { bytesBefore, itemBytes } from './size.sql.ts';
import { itemColumns } from './sql.ts';

export interface ItemSelection {
  readonly where: Sql;
  readonly orderBy: Sql;
  readonly limit: number;
  readonly offset: number;
}

/** The ids of the items of a page, in its order. */
export async function selectPage(db: Db, queueId: Id, page: ItemSelection): Promise<Id[]> {
  const { where, orderBy, limit, offset } = page;
  const rows = await db.rows<{ id: Id }>(sql`
    select i.id from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
  return rows.map(({ id }) => id);
}

/** Items in the order of their ids, as far as they fit into so many bytes, but at least the first. */
export function selectItems(db: Db, queue: QueueDefinition, ids: readonly Id[], maxBytes: number) {
  return db.rows<Schemas['WorkItem'] & { bytes: number }>(sql`
    with sized as materialized (
      select i.*, d.json, p.place, s.bytes, ${bytesBefore(sql`s.bytes`, sql`p.place`)} as bytes_before
      from unnest(${ids}::bigint[]) with ordinality as p (id, place)
      cross join lateral (select * from work_items where queue_id = ${queue.id} and id = p.id offset 0) i
      cross join lateral (select json from work_item_data where queue_id = ${queue.id} and item_id = p.id offset 0) d
      cross join lateral (select ${itemBytes(queue)} as bytes offset 0) s)
    select ${itemColumns(queue)}, i.bytes from sized i cross join lateral (select i.json) d
    where i.bytes_before < ${maxBytes} order by i.place`);
}
