import type { Id, Schemas } from '@millrace/api';
import { named, raw, sql, type Db } from '../db.ts';
import { eventsOf } from '../events/sql.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { tallyOfMoves } from '../stats/sql.ts';
import type { Item } from './rules.ts';
import { asJson, itemColumns } from './sql.ts';

/** Whom a claimed item goes to. */
export interface Slot {
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly leaseExpiresOn: Date;
}

// Rows are joined by their place, for the reason given in sql.ts.

/** Leases the next items, one a slot, in the order of claims. */
export function claimItems(db: Db, queue: QueueDefinition, slots: readonly Slot[], now: Date) {
  const [from, to] = [raw("'NEW'"), raw("'IN_PROGRESS'")];
  const granted = { source: raw('i'), actorId: raw('claimed_by'), deviceId: raw('device_id'), from, to };
  const told = { ...granted, operation: 'claimWorkItems' };
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
      returning i.*, granted.turn::int),
    told as (${eventsOf(queue.id, told, now)}),
    counted as (${tallyOfMoves(queue.id, told, now)})
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
