import { stringifyJson, type Id, type Schemas, type Status } from '@millrace/api';
import { empty, join, named, raw, sql, type Db, type Sql } from '../db.ts';
import { eventsOf, nothing } from '../events/sql.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { tallyOfMoves } from '../stats/sql.ts';
import { attributeText } from './names.sql.ts';
import { bytesBefore, portionBytes, recordBytes } from './size.sql.ts';
import type { Item } from './rules.ts';

/** A new item on its way into the database. */
export interface NewItem {
  /** Given only where a hash had to be stored before the item. */
  readonly id?: Id | undefined;
  /** Who sends it. */
  readonly actorId: Id;
  readonly status: 'NEW' | 'DEFERRED';
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly notBefore?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly json: JsonRecord;
}

// Lists go in as one JSON text: written natively at once, while an array of texts would be escaped element by element.
export const asJson = (list: readonly object[]) =>
  stringifyJson(
    list.map((one) => ('sortKey' in one ? { ...one, sortKey: hex(one.sortKey as Buffer) } : one)),
  );

const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

/** Items on their way into a queue, and by which operation. */
export interface Shipment {
  readonly items: readonly NewItem[];
  readonly operation: string;
  /** The version of the model that their records fit. */
  readonly modelVersion: number;
}

function rowOf(item: NewItem, turn: number) {
  const { id: reservedId, sortKey, ...row } = item;
  return { turn, reservedId, ...row, sortKey: hex(sortKey) };
}

/** Stores items with their data and tells of them; answers their ids in the same order. */
export async function insertItems(
  db: Db,
  queueId: Id,
  { items, operation, modelVersion }: Shipment,
  now: Date,
): Promise<Id[]> {
  const list = items.map(rowOf);
  const told = {
    source: raw('input'),
    operation,
    actorId: raw('"actorId"'),
    deviceId: nothing,
    from: nothing,
    to: raw('status'),
  };
  const statement = sql`
    with input as materialized (
      select coalesce(r."reservedId", nextval('work_items_id_seq')) as id, r.*
      from (select * from json_to_recordset(${stringifyJson(list)}::json) as r ("reservedId" bigint, turn int,
        "actorId" bigint, status text, priority smallint, "sortKey" bytea, "notBefore" timestamptz,
        "expiresOn" timestamptz, tags text[], json json) order by turn) r),
    item as (
      insert into work_items (queue_id, id, status, sort_key, priority, not_before, expires_on, tags, model_version,
        created_by, created_on, updated_by, updated_on) overriding system value
      select ${queueId}, id, status, "sortKey", priority, "notBefore", "expiresOn", tags, ${modelVersion}::int,
        "actorId", ${now}, "actorId", ${now} from input),
    data as (
      insert into work_item_data (queue_id, item_id, json) select ${queueId}, id, json from input),
    told as (${eventsOf(queueId, told, now)}),
    counted as (${tallyOfMoves(queueId, told, now)})
    select id from input order by turn`;
  const rows = await db.rows<{ id: Id }>(named('insertItems', statement));
  return rows.map(({ id }) => id);
}

/** An item as rules look at it. Its output may be large, and none of them reads it. */
export const itemState =
  raw(`id, status, version, coalesce(model_version, 0) as "modelVersion", priority, sort_key as "sortKey", retry_count as "retryCount", lapse_count as "lapseCount",
  not_before as "notBefore", expires_on as "expiresOn", claimed_by as "claimedBy", device_id as "deviceId",
  automation_id as "automationId", lease_expires_on as "leaseExpiresOn", lease_seconds as "leaseSeconds",
  point_of_no_return_on as "pointOfNoReturnOn", cancel_requested_on as "cancelRequestedOn", cancel_requested_by as "cancelRequestedBy", cancel_reason as "cancelReason",
  case when cancel_requested_by is not null then (select u.username from users u where u.id = cancel_requested_by) end
    as canceller,
  started_on as "startedOn", ended_on as "endedOn", result, result_text as "resultText",
  failure_kind as "failureKind", reported_by as "reportedBy", reported_version as "reportedVersion",
  reported_status as "reportedStatus", tags, progress, comment, error`);

/** Locks items, always in the order of their ids so that two transactions never wait for each other. */
export function lockItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<Item[]> {
  const statement = sql`
    select ${itemState} from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[])
    order by id for no key update`;
  return db.rows<Item>(named('lockItems', statement));
}

/** What Millrace itself has to do: take back lapsed leases, end deferrals, fail what has expired. */
export type Chore = 'lapsed' | 'due' | 'expired';

const isTimeFor: Record<Chore, (now: Date) => Sql> = {
  lapsed: (now) => sql`status = 'IN_PROGRESS' and lease_expires_on <= ${now}`,
  due: (now) => sql`not_before <= ${now}`,
  expired: (now) => sql`expires_on <= ${now} and status in ('NEW', 'DEFERRED')`,
};

/** Queues that a chore has something to do in. */
export async function selectQueuesFor(db: Db, chore: Chore, now: Date): Promise<Id[]> {
  const condition = isTimeFor[chore](now);
  const rows = await db.rows<{ id: Id }>(
    sql`select distinct queue_id as id from work_items where ${condition}`,
  );
  return rows.map(({ id }) => id);
}

/** The items of a queue that a chore takes at once; small enough to hold nobody up. */
export const portion = 500;

/** A portion of the items that it is time for, locked; those that others work on are skipped. */
export function lockItemsFor(db: Db, chore: Chore, queueId: Id, now: Date): Promise<Item[]> {
  return db.rows<Item>(sql`
    select ${itemState} from work_items where queue_id = ${queueId} and ${isTimeFor[chore](now)}
    order by id limit ${portion} for no key update skip locked`);
}

// Rows to be updated are found first, by an array of ids or each by its own lookup (`offset 0`), and then joined by their
// place in the table (`ctid`). Joined by id, with statistics from an idle hour, the planner would scan all items of the
// queue once for each id (docs/decisions/0002). For the same reason a status is compared on locked rows only.

/** Writes back items that were locked, as rules have changed them. */
export async function saveItems(
  db: Db,
  queueId: Id,
  items: readonly (Item & { updatedBy: Id })[],
  now: Date,
) {
  if (items.length === 0) return;
  const statement = sql`
    with n as materialized (
      select found.place, changed.* from json_to_recordset(${asJson(items)}::json) as changed (id bigint,
        status text, version int, priority smallint, "sortKey" bytea, "retryCount" smallint, "lapseCount" smallint,
        "notBefore" timestamptz, "expiresOn" timestamptz, "leaseExpiresOn" timestamptz, "pointOfNoReturnOn" timestamptz,
        "cancelRequestedOn" timestamptz, "cancelRequestedBy" bigint, "cancelReason" text,
        "startedOn" timestamptz, "endedOn" timestamptz, result text, "resultText" text, tags text[], "failureKind" text, "reportedBy" bigint, "reportedVersion" int, "reportedStatus" text,
        progress json, output json, comment text, error text, "updatedBy" bigint)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = changed.id offset 0) found)
    update work_items i set status = n.status, version = n.version, priority = n.priority, sort_key = n."sortKey",
      retry_count = n."retryCount", lapse_count = n."lapseCount", not_before = n."notBefore", expires_on = n."expiresOn",
      lease_expires_on = n."leaseExpiresOn", point_of_no_return_on = n."pointOfNoReturnOn",
      cancel_requested_on = n."cancelRequestedOn", cancel_requested_by = n."cancelRequestedBy",
      cancel_reason = n."cancelReason", started_on = n."startedOn", ended_on = n."endedOn", result = n.result,
      result_text = n."resultText", tags = n.tags, failure_kind = n."failureKind",
      reported_by = n."reportedBy", reported_version = n."reportedVersion", reported_status = n."reportedStatus",
      progress = n.progress, output = coalesce(n.output, i.output), comment = n.comment, error = n.error, updated_by = n."updatedBy", updated_on = ${now}
    from n where i.queue_id = ${queueId} and i.ctid = n.place`;
  await db.write(named('saveItems', statement));
}

export async function selectData(db: Db, queueId: Id, itemId: Id): Promise<JsonRecord> {
  const data = sql`select json from work_item_data where queue_id = ${queueId} and item_id = ${itemId}`;
  return (await db.row<{ json: JsonRecord }>(data))?.json ?? {};
}

/** The data of items in the order of their ids, from one on: some, as far as they may be held at once. */
export function selectRecords(
  db: Db,
  queueId: Id,
  after: Id,
  limit: number,
): Promise<{ id: Id; status: Status; json: JsonRecord; modelVersion: number }[]> {
  return db.rows(sql`
    select id, status, json, "modelVersion" from (
      select i.id, i.status, d.json, coalesce(i.model_version, 0) as "modelVersion",
        ${bytesBefore(recordBytes, sql`i.id`)} as bytes_before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queueId} and i.id > ${after} order by i.id limit ${limit}) r
    where bytes_before < ${portionBytes} order by id`);
}

export async function deleteItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<void> {
  const isOne = sql`queue_id = ${queueId} and item_id = any(${ids}::bigint[])`;
  await db.rows(sql`delete from work_item_data where ${isOne}`);
  await db.rows(sql`delete from work_item_logs where ${isOne}`);
  await db.rows(sql`delete from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[])`);
}

export function selectItem(
  db: Db,
  queue: QueueDefinition,
  itemId: Id,
): Promise<Schemas['WorkItem'] | undefined> {
  return db.row<Schemas['WorkItem']>(sql`
    select ${itemColumns(queue)}
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queue.id} and i.id = ${itemId}`);
}

export async function countItems(db: Db, queueId: Id, where: Sql): Promise<number> {
  const row = await db.row<{ count: Id }>(sql`
    select count(*) from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and ${where}`);
  return Number(row?.count);
}

/** The columns of an item as the contract names them; `i` is the item, `d` its data. */
export function itemColumns({ displayColumns, attributes }: QueueDefinition): Sql {
  const shown = displayColumns.map(
    (name, index) => sql`${attributeText(attributes, name)} as ${raw(`col${index + 1}`)}`,
  );
  return sql`i.id, i.queue_id as "queueId", d.json, coalesce(i.model_version, 0) as "modelVersion", i.status, i.result, i.version, i.priority,
    i.retry_count as "retryCount", i.lapse_count as "lapseCount", i.device_id as "deviceId", i.started_on as "startTime", i.ended_on as "endTime",
    i.automation_id::text as "automationId", i.run_as_user_id as "deviceUserId", i.result_text as "resultText", i.tags,
    i.comment, i.error, i.output, i.progress, i.failure_kind as "failureKind",
    i.lease_expires_on as "leaseExpiresOn", i.expires_on as "expiresOn", i.point_of_no_return_on as "pointOfNoReturnOn",
    i.cancel_requested_on as "cancelRequestedOn", i.cancel_requested_by as "cancelRequestedBy",
    i.cancel_reason as "cancelReason",
    case when i.status = 'DEFERRED' then i.not_before end as "deferredUntil",
    case when i.status = 'NEW' then i.not_before end as "notBefore",
    i.created_by as "createdBy", i.created_on as "createdOn", i.updated_by as "updatedBy", i.updated_on as "updatedOn"
    ${shown.length > 0 ? sql`, ${join(shown)}` : empty}`;
}

/** Reserves ids for items whose hashes are stored before them. */
export async function reserveIds(db: Db, count: number): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select nextval('work_items_id_seq') as id from generate_series(1, ${count})`,
  );
  return rows.map(({ id }) => id);
}
