/** The events whose values are encrypted with another key, or erased: `erase.ts` changes them, so that their seals still hold. */
import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';

/** The recorded changes of an item's event. */
interface EventChanges {
  readonly id: Id;
  readonly itemId: Id;
  readonly changes: object;
  readonly reason?: string;
}

/** A place among the events of a queue, ordered by item and then by id. */
interface Place {
  readonly itemId: Id;
  readonly eventId: Id;
}

/** Events with a record, an output or an error in their changes, after a place and up to an item. */
export function selectChangesOfItems(
  db: Db,
  queueId: Id,
  { from, upTo, limit }: { readonly from: Place; readonly upTo: Id; readonly limit: number },
): Promise<EventChanges[]> {
  return db.rows(sql`
    select e.id, e.item_id as "itemId", e.changes, e.reason from events e
    where e.queue_id = ${queueId} and (e.item_id, e.id) > (${from.itemId}::bigint, ${from.eventId}::bigint) and e.item_id <= ${upTo}
      and (e.changes -> 'json' is not null or e.changes -> 'output' is not null or e.changes ->> 'error' is not null)
    order by e.item_id, e.id limit ${limit}`);
}

/** An event of an item with all texts and values from people and bots. */
interface WrittenEvent extends Omit<EventChanges, 'changes'> {
  readonly operation: string;
  readonly changes?: object;
}

/** The events of an item that contain more than the change of its status. */
export function selectEventsOfItem(db: Db, queueId: Id, itemId: Id): Promise<WrittenEvent[]> {
  return db.rows(sql`
    select e.id, e.item_id as "itemId", e.operation, e.reason, e.changes from events e
    where e.queue_id = ${queueId} and e.item_id = ${itemId} and (e.changes is not null or e.reason is not null)
    order by e.id`);
}

/** The items with ids after one and up to another that have an event whose record has a value, by its hash, under one of these names. */
export async function selectItemsOfEvents(
  db: Db,
  queueId: Id,
  { after, upTo }: { readonly after: Id; readonly upTo: Id },
  { names, hash }: { readonly names: readonly string[]; readonly hash: string },
): Promise<Id[]> {
  const rows = await db.rows<{ itemId: Id }>(sql`
    select distinct e.item_id as "itemId" from events e cross join unnest(${names}::text[]) as n (name)
    where e.queue_id = ${queueId} and e.item_id > ${after} and e.item_id <= ${upTo}
      and e.changes -> 'json' -> n.name ->> 'hash' = ${hash}`);
  return rows.map(({ itemId }) => itemId);
}

/** The last of the next items of a queue, present or deleted, with events; undefined when there are no more. */
export async function selectEndOfItems(
  db: Db,
  queueId: Id,
  { after, limit }: { readonly after: Id; readonly limit: number },
): Promise<Id | undefined> {
  const row = await db.row<{ upTo?: Id }>(sql`
    select max(item_id) as "upTo" from (
      select distinct item_id from events where queue_id = ${queueId} and item_id > ${after}
      order by item_id limit ${limit}) next`);
  return row?.upTo;
}

/** The newest item of a queue, present or deleted, with events; 0 when there is none. */
export async function selectLastWithEvents(db: Db, queueId: Id): Promise<Id> {
  const row = await db.row<{ itemId: Id }>(sql`
    select item_id as "itemId" from events where queue_id = ${queueId} order by item_id desc limit 1`);
  return row?.itemId ?? 0;
}
