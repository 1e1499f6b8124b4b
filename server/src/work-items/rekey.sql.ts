import type { Id, Status } from '@millrace/api';
import { raw, sql, type Db } from '../db.ts';
import type { JsonRecord } from '../models/record.ts';
import { bytesBefore, portionBytes, recordBytes } from './size.sql.ts';
import { asJson, portion } from './sql.ts';

export async function selectLastItem(db: Db, queueId: Id): Promise<Id | undefined> {
  const row = await db.row<{ id: Id }>(sql`
    select id from work_items where queue_id = ${queueId} order by id desc limit 1`);
  return row?.id;
}

/** The id up to which the next portion of a span of items goes; none when there is no item in it. */
export async function selectPortionEnd(
  db: Db,
  queueId: Id,
  { after, until }: { after: Id; until: Id },
): Promise<Id | undefined> {
  const row = await db.row<{ upTo?: Id }>(sql`
    select max(id) as "upTo" from (
      select i.id, ${bytesBefore(recordBytes, raw('i.id'))} as before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queueId} and i.id > ${after} and i.id <= ${until}
      order by i.id limit ${portion}) next
    where before < ${portionBytes}`);
  return row?.upTo;
}

/** What a place in the order is worked out from, besides the record. */
export interface PlacedItem {
  readonly id: Id;
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly expiresOn?: Date;
  readonly status: Status;
  readonly modelVersion: number;
  readonly isClaimable: boolean;
}

/** The items of a span that are not done for good, locked in the order of their ids as everywhere. */
export function lockOpenItems(
  db: Db,
  queueId: Id,
  { after, upTo }: { after: Id; upTo: Id },
): Promise<PlacedItem[]> {
  return db.rows<PlacedItem>(sql`
    select id, priority, sort_key as "sortKey", expires_on as "expiresOn", status, coalesce(model_version, 0) as "modelVersion",
      status = 'NEW' and not_before is null as "isClaimable"
    from work_items where queue_id = ${queueId} and id > ${after} and id <= ${upTo} and status <> 'COMPLETE'
    order by id for no key update`);
}

export function selectRecords(
  db: Db,
  queueId: Id,
  ids: readonly Id[],
): Promise<{ id: Id; json: JsonRecord }[]> {
  return db.rows(sql`
    select item_id as id, json from work_item_data where queue_id = ${queueId} and item_id = any(${ids}::bigint[])`);
}

/** Where an item comes in the order, and until when it may be claimed. */
export interface Placing {
  readonly id: Id;
  readonly sortKey: Buffer;
  readonly expiresOn?: Date | undefined;
}

/** Puts locked items at other places. To whoever reads them they are as they were: neither version nor time of change is touched. */
export async function savePlaces(db: Db, queueId: Id, places: readonly Placing[]): Promise<void> {
  if (places.length === 0) return;
  await db.rows(sql`
    with n as materialized (
      select found.place, moved.* from json_to_recordset(${asJson(places)}::json)
        as moved (id bigint, "sortKey" bytea, "expiresOn" timestamptz)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = moved.id offset 0) found)
    update work_items i set sort_key = n."sortKey", expires_on = n."expiresOn" from n where i.queue_id = ${queueId} and i.ctid = n.place`);
}
