import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { empty, join, named, raw, sql, type Db, type Sql } from '../db.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import type { Item } from './rules.ts';

/** A new item on its way into the database. */
export interface NewItem {
  /** Given only where a hash had to be stored before the item. */
  readonly id?: Id | undefined;
  readonly status: 'NEW' | 'DEFERRED';
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly notBefore?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  readonly json: JsonRecord;
}

/** Whom a claimed item goes to. */
export interface Slot {
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly leaseExpiresOn: Date;
}

// Lists go in as one JSON text: written natively at once, while an array of texts would be escaped element by element.
const asJson = (list: readonly object[]) =>
  stringifyJson(
    list.map((one) => ('sortKey' in one ? { ...one, sortKey: hex(one.sortKey as Buffer) } : one)),
  );

const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

/** Stores items with their data; answers their ids in the same order. */
export async function insertItems(
  db: Db,
  queueId: Id,
  items: readonly (NewItem & { actorId: Id })[],
  now: Date,
) {
  const list = items.map((item, turn) => ({ ...item, turn }));
  const statement = sql`
    with input as materialized (
      select coalesce(r.id, nextval('work_items_id_seq')) as item_id, r.*
      from (select * from json_to_recordset(${asJson(list)}::json) as r (id bigint, turn int, "actorId" bigint,
        status text, priority smallint, "sortKey" bytea, "notBefore" timestamptz, "expiresOn" timestamptz, json json)
        order by turn) r),
    item as (
      insert into work_items (queue_id, id, status, sort_key, priority, not_before, expires_on,
        created_by, created_on, updated_by, updated_on) overriding system value
      select ${queueId}, item_id, status, "sortKey", priority, "notBefore", "expiresOn",
        "actorId", ${now}, "actorId", ${now} from input),
    data as (
      insert into work_item_data (queue_id, item_id, json) select ${queueId}, item_id, json from input)
    select item_id as id from input order by turn`;
  const rows = await db.rows<{ id: Id }>(named('insertItems', statement));
  return rows.map(({ id }) => id);
}

// Rows to be updated are found first, by an array of ids or each by its own lookup (`offset 0`), and then joined by their
// place in the table (`ctid`). Joined by id, with statistics from an idle hour, the planner would scan all items of the
// queue once for each id (docs/decisions/0002). For the same reason a status is compared on locked rows only.

/** Leases the next items, one a slot, in the order of claims. */
export function claimItems(db: Db, queue: QueueDefinition, slots: readonly Slot[], now: Date) {
  const statement = sql`
    with picked as materialized (
      select ctid as place, id, sort_key from work_items
      where queue_id = ${queue.id} and status = 'NEW' and not_before is null
        and (expires_on is null or expires_on > ${now})
      order by sort_key, id limit ${slots.length} for no key update skip locked),
    granted as materialized (
      select * from (select place, row_number() over (order by sort_key, id) as turn from picked) numbered
      join (select row_number() over () as turn, s.* from json_to_recordset(${asJson(slots)}::json)
        as s ("actorId" bigint, "deviceId" bigint, "leaseExpiresOn" timestamptz)) slot using (turn)),
    i as (
      update work_items i set status = 'IN_PROGRESS', version = i.version + 1, claimed_by = granted."actorId",
        device_id = granted."deviceId", lease_expires_on = granted."leaseExpiresOn", started_on = ${now},
        updated_by = granted."actorId", updated_on = ${now}
      from granted
      where i.queue_id = ${queue.id} and i.ctid = granted.place
      returning i.*, granted.turn::int)
    select ${itemColumns(queue)}, i.turn
    from i cross join lateral (
      select json from work_item_data where queue_id = ${queue.id} and item_id = i.id offset 0) d
    order by i.turn`;
  return db.rows<Schemas['WorkItem'] & { turn: number }>(
    named(`claimItems ${queue.displayColumns.length}`, statement),
  );
}

/** A lease that its caller wants extended. */
export type Extension = Pick<Item, 'id' | 'version' | 'progress'> & Slot;

/** Extends leases that their callers still hold; answers these as texts of item, version and holder. */
export async function extendLeases(db: Db, queueId: Id, leases: readonly Extension[]): Promise<Set<string>> {
  const ids = leases.map(({ id }) => id);
  const statement = sql`
    with held as materialized (
      select i.ctid as place, i.id, i.version, i.status, i.claimed_by from work_items i
      where i.queue_id = ${queueId} and i.id = any(${ids}::bigint[]) order by i.id for no key update),
    lease as materialized (
      select held.place, l."leaseExpiresOn", l.progress
      from held join json_to_recordset(${asJson(leases)}::json)
        as l (id bigint, version int, "actorId" bigint, "leaseExpiresOn" timestamptz, progress json)
        on l.id = held.id and l.version = held.version and l."actorId" = held.claimed_by
      where held.status = 'IN_PROGRESS')
    update work_items i set lease_expires_on = lease."leaseExpiresOn", progress = coalesce(lease.progress, i.progress)
    from lease where i.queue_id = ${queueId} and i.ctid = lease.place
    returning i.id, i.version, i.claimed_by as "actorId"`;
  const rows = await db.rows<{ id: Id; version: number; actorId: Id }>(named('extendLeases', statement));
  return new Set(rows.map(({ id, version, actorId }) => `${id} ${version} ${actorId}`));
}

const itemState = raw(`id, status, version, priority, sort_key as "sortKey", retry_count as "retryCount",
  not_before as "notBefore", expires_on as "expiresOn", claimed_by as "claimedBy", device_id as "deviceId",
  lease_expires_on as "leaseExpiresOn", started_on as "startedOn", ended_on as "endedOn", result,
  failure_kind as "failureKind", reported_by as "reportedBy", reported_version as "reportedVersion",
  reported_status as "reportedStatus", progress, output, comment, error`);

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
        status text, version int, priority smallint, "sortKey" bytea, "retryCount" smallint,
        "notBefore" timestamptz, "leaseExpiresOn" timestamptz, "startedOn" timestamptz, "endedOn" timestamptz,
        result text, "failureKind" text, "reportedBy" bigint, "reportedVersion" int, "reportedStatus" text,
        progress json, output json, comment text, error text, "updatedBy" bigint)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = changed.id offset 0) found)
    update work_items i set status = n.status, version = n.version, priority = n.priority, sort_key = n."sortKey",
      retry_count = n."retryCount", not_before = n."notBefore", lease_expires_on = n."leaseExpiresOn",
      started_on = n."startedOn", ended_on = n."endedOn", result = n.result, failure_kind = n."failureKind",
      reported_by = n."reportedBy", reported_version = n."reportedVersion", reported_status = n."reportedStatus",
      progress = n.progress, output = n.output, comment = n.comment, error = n.error, updated_by = n."updatedBy", updated_on = ${now}
    from n where i.queue_id = ${queueId} and i.ctid = n.place`;
  await db.rows(named('saveItems', statement));
}

export async function updateData(db: Db, queueId: Id, itemId: Id, json: JsonRecord): Promise<void> {
  await db.rows(sql`
    update work_item_data set json = ${stringifyJson(json)}::json where queue_id = ${queueId} and item_id = ${itemId}`);
}

export async function selectData(db: Db, queueId: Id, itemId: Id): Promise<JsonRecord> {
  const data = sql`select json from work_item_data where queue_id = ${queueId} and item_id = ${itemId}`;
  return (await db.row<{ json: JsonRecord }>(data))?.json ?? {};
}

export async function deleteItem(db: Db, queueId: Id, itemId: Id): Promise<void> {
  await db.rows(sql`delete from work_item_data where queue_id = ${queueId} and item_id = ${itemId}`);
  await db.rows(sql`delete from work_items where queue_id = ${queueId} and id = ${itemId}`);
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

export interface ItemSelection {
  readonly where: Sql;
  readonly orderBy: Sql;
  readonly limit: number;
  readonly offset: number;
}

export function selectItems(
  db: Db,
  queue: QueueDefinition,
  { where, orderBy, limit, offset }: ItemSelection,
) {
  return db.rows<Schemas['WorkItem']>(sql`
    select ${itemColumns(queue)}
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queue.id} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}

export async function countItems(db: Db, queueId: Id, where: Sql): Promise<number> {
  const row = await db.row<{ count: Id }>(sql`
    select count(*) from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and ${where}`);
  return Number(row?.count);
}

/** The columns of an item as the contract names them; `i` is the item, `d` its data. */
function itemColumns({ displayColumns }: QueueDefinition): Sql {
  const shown = displayColumns.map(
    (name, index) => sql`d.json ->> ${name}::text as ${raw(`col${index + 1}`)}`,
  );
  return sql`i.id, i.queue_id as "queueId", d.json, i.status, i.result, i.version, i.priority,
    i.retry_count as "retryCount", i.device_id as "deviceId", i.started_on as "startTime", i.ended_on as "endTime",
    i.comment, i.error, i.output, i.progress, i.failure_kind as "failureKind",
    i.lease_expires_on as "leaseExpiresOn", i.expires_on as "expiresOn",
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
