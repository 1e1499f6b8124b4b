import type { Id } from '@millrace/api';
import { named, raw, sql, type Db, type Sql } from '../db.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import type { VersionedRecord } from './names.sql.ts';
import type { Item } from './rules.ts';
import { bytesBefore, itemBytes, portionBytes } from './size.sql.ts';
import { itemState } from './sql.ts';

/** Which part of the items to look at: those with greater ids than one, up to another, some at most. */
export interface Stretch {
  readonly after: Id;
  readonly upTo: Id;
  readonly limit: number;
}

/** The greatest id of an item in the queue; 0 when there is none. */
export async function selectLastId(db: Db, queueId: Id): Promise<Id> {
  const row = await db.row<{ id: Id }>(sql`
    select coalesce(max(id), 0) as id from work_items where queue_id = ${queueId}`);
  return row?.id ?? 0;
}

/** The ids of items that match a condition on the item `i` and its data `d`, in their order. */
export async function selectMatchingIds(
  db: Db,
  queueId: Id,
  where: Sql,
  { after, upTo, limit }: Stretch,
): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`
    select i.id from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id > ${after} and i.id <= ${upTo} and ${where} order by i.id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** The first of the items that is too much to be read with those before it, if there is one. */
export async function selectFirstBeyond(
  db: Db,
  queue: QueueDefinition,
  ids: readonly Id[],
): Promise<Id | undefined> {
  const row = await db.row<{ id?: Id }>(sql`
    select min(id) as id from (
      select i.id, ${bytesBefore(itemBytes(queue), raw('i.id'))} as before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queue.id} and i.id = any(${ids}::bigint[])) sized
    where before >= ${portionBytes}`);
  return row?.id;
}

/** The items as they are, locked by nobody. */
export function readItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<Item[]> {
  const statement = sql`
    select ${itemState} from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[]) order by id`;
  return db.rows<Item>(named('readItems', statement));
}

/** The data of those of the items that match a condition. */
export function selectMatchingData(db: Db, queueId: Id, ids: readonly Id[], where: Sql) {
  return db.rows<VersionedRecord & { id: Id }>(sql`
    select i.id, d.json, coalesce(i.model_version, 0) as "modelVersion" from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id = any(${ids}::bigint[]) and ${where}`);
}

// What belongs to an item, and by which column.
const tables = [
  [raw('work_items'), raw('id')],
  [raw('work_item_data'), raw('item_id')],
  [raw('work_item_logs'), raw('item_id')],
] as const;

/**
 * Puts items, as they are stored, into another queue. Out of one shard and into another: each statement names one queue. The rows go
 * as the texts that PostgreSQL makes of them, so that numbers in them keep their spelling.
 */
export async function transferRows(db: Db, from: Id, to: Id, ids: readonly Id[]): Promise<void> {
  for (const [table, key] of tables) {
    const rows = await db.rows<{ text: string }>(sql`
      delete from ${table} t where queue_id = ${from} and ${key} = any(${ids}::bigint[])
      returning (select json_object_agg(c.key, case c.key when 'queue_id' then to_json(${to}::bigint) else c.value end)
        from json_each(to_json(t)) c)::text as text`);
    const list = `[${rows.map(({ text }) => text).join()}]`;
    await db.rows(sql`
      insert into ${table} overriding system value
      select r.* from json_populate_recordset(null::${table}, ${list}::json) r`);
  }
}
