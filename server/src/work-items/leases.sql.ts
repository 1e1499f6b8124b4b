import type { Id, Schemas } from '@millrace/api';
import { named, raw, sql, type Db } from '../db.ts';
import { eventsOf } from '../events/sql.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { tallyOfMoves } from '../stats/sql.ts';
import type { Item } from './rules.ts';
import { columnsShape } from './names.sql.ts';
import { bytesBefore, itemBytes, portionBytes } from './size.sql.ts';
import { asJson, itemColumns } from './sql.ts';

/** Whom a claimed item goes to. */
export interface Slot {
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly leaseExpiresOn: Date;
  readonly leaseSeconds: number;
  /** What sends the item to a device, and the user as whom its bot works. */
  readonly automationId?: Id | undefined;
  readonly runAsUserId?: Id | undefined;
}

/** Slots to be filled, and by which operation. */
export interface Claim {
  readonly slots: readonly Slot[];
  readonly operation: string;
}

// Stands for no id: with a null among them, PostgreSQL would walk the list for each element.
const none = 0;

/** The id that a slot has under this name, or null, for the item that is granted to it. */
const idOf = (slots: readonly Slot[], name: 'deviceId' | 'automationId' | 'runAsUserId') =>
  sql`nullif((${slots.map((slot) => slot[name] ?? none)}::bigint[])[granted.turn], ${none})`;

// Which items can be claimed now; the index of ready items has their order.
const claimable = (queueId: Id, now: Date) =>
  sql`queue_id = ${queueId} and status = 'NEW' and not_before is null and (expires_on is null or expires_on > ${now})`;

/** Counts items that can be claimed now, up to a limit: there may be very many. */
export async function selectClaimable(db: Db, queueId: Id, limit: number, now: Date): Promise<number> {
  const statement = sql`
    select count(*)::int as count from (
      select from work_items where ${claimable(queueId, now)} order by sort_key, id limit ${limit}) i`;
  const [row] = await db.rows<{ count: number }>(named('selectClaimable', statement));
  return row?.count ?? 0;
}

// Rows are joined by their place, for the reason given in sql.ts. A row that changes between the snapshot and its lock has moved: it is not
// granted this time, and its lock ends with the transaction. A statement that must not miss a row has to lock it before.

/**
 * Leases the next items, one a slot, in the order of claims, as far as they fit into one answer: at least one. Each tells how many were
 * picked for it.
 */
export function claimItems(db: Db, queue: QueueDefinition, { slots, operation }: Claim, now: Date) {
  const [from, to] = [raw("'NEW'"), raw("'IN_PROGRESS'")];
  const granted = { source: raw('i'), actorId: raw('claimed_by'), deviceId: raw('device_id'), from, to };
  const told = { ...granted, operation };
  const actorIds = slots.map(({ actorId }) => actorId);
  const statement = sql`
    with picked as materialized (
      select ctid as place, id, sort_key, output, error, comment from work_items
      where ${claimable(queue.id, now)}
      order by sort_key, id limit ${slots.length} for no key update skip locked),
    sized as materialized (
      select i.place, d.json, row_number() over (order by i.sort_key, i.id) as turn,
        ${bytesBefore(itemBytes(queue), sql`i.sort_key, i.id`)} as bytes_before
      from picked i cross join lateral (
        select json from work_item_data where queue_id = ${queue.id} and item_id = i.id offset 0) d),
    granted as materialized (
      select place, json as record, turn from sized where bytes_before < ${raw(String(portionBytes))}),
    i as (
      update work_items i set status = 'IN_PROGRESS', version = i.version + 1, started_on = ${now},
        lease_expires_on = (${slots.map((slot) => slot.leaseExpiresOn.toISOString())}::timestamptz[])[granted.turn],
        lease_seconds = (${slots.map((slot) => slot.leaseSeconds)}::real[])[granted.turn],
        device_id = ${idOf(slots, 'deviceId')}, automation_id = ${idOf(slots, 'automationId')},
        run_as_user_id = ${idOf(slots, 'runAsUserId')},
        claimed_by = (${actorIds}::bigint[])[granted.turn], updated_by = (${actorIds}::bigint[])[granted.turn],
        updated_on = ${now}
      from granted
      where i.queue_id = ${queue.id} and i.ctid = granted.place
      returning i.*, granted.record, granted.turn::int),
    told as (${eventsOf(queue.id, told, now)}),
    counted as (${tallyOfMoves(queue.id, told, now)})
    select ${itemColumns(queue)}, i.turn, (select count(*) from picked)::int as picked
    from i cross join lateral (select i.record as json) d order by i.turn`;
  return db.rows<Schemas['WorkItem'] & { turn: number; picked: number }>(
    named(`claimItems ${columnsShape(queue.attributes, queue.displayColumns)}`, statement),
  );
}

/** Items of one queue that a device holds, or held when somebody looked. */
export interface HeldItems {
  readonly queueId: Id;
  readonly itemIds: readonly Id[];
}

/**
 * What is held for a device, queue by queue, in the order in which rows are locked everywhere. It looks through all items in
 * progress: a device is taken out of use seldom, and an index for that would be written with each claim.
 */
export function selectHeldItems(db: Db, deviceId: Id): Promise<HeldItems[]> {
  return db.rows(sql`
    select queue_id as "queueId", array_agg(id order by id) as "itemIds"
    from work_items where status = 'IN_PROGRESS' and device_id = ${deviceId} group by queue_id order by queue_id`);
}

/** Extends leases on items that are locked. Neither version nor time of change is touched: the item is as it was. */
export async function saveLeases(db: Db, queueId: Id, items: readonly Item[]): Promise<void> {
  if (items.length === 0) return;
  const leases = items.map(({ id, leaseExpiresOn, leaseSeconds, progress, pointOfNoReturnOn }) => {
    return { id, leaseExpiresOn, leaseSeconds, progress, pointOfNoReturnOn };
  });
  const statement = sql`
    with lease as materialized (
      select found.place, l.* from json_to_recordset(${asJson(leases)}::json)
        as l (id bigint, "leaseExpiresOn" timestamptz, "leaseSeconds" real, progress json, "pointOfNoReturnOn" timestamptz)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = l.id offset 0) found)
    update work_items i set lease_expires_on = lease."leaseExpiresOn",
      lease_seconds = lease."leaseSeconds", progress = lease.progress,
      point_of_no_return_on = lease."pointOfNoReturnOn"
    from lease where i.queue_id = ${queueId} and i.ctid = lease.place`;
  await db.write(named('saveLeases', statement));
}
