import { stringifyJson, type Id, type Status } from '@millrace/api';
import { join, named, raw, sql, type Db, type Sql } from '../db.ts';

/** Something that happened. */
export interface Event {
  /** The item it happened to; left out for what happened to a queue, or to what hangs on no queue. */
  readonly itemId?: Id | undefined;
  /** The operation or job that made it happen. */
  readonly operation: string;
  /** Id of the user; 0 is Millrace itself. */
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly from?: Status | undefined;
  readonly to?: Status | undefined;
  readonly reason?: string | undefined;
  /** What else changed or has to do with it, by the member's name in the contract. */
  readonly changes?: object | undefined;
  /** The queue that the item has just come from, where it happened what came before. */
  readonly cameFrom?: Id | undefined;
}

/** Records what happened to a queue that exists, or to its items. */
export function insertEvents(db: Db, queueId: Id, events: readonly Event[], now: Date): Promise<void> {
  return insert(db, { queueId, tenant: tenantOf(queueId) }, events, now);
}

/** Records what happened in a tenant to what hangs on no queue, such as a model or a device. */
export function insertTenantEvents(db: Db, tenantId: Id, events: readonly Event[], now: Date): Promise<void> {
  return insert(db, { queueId: 0, tenant: sql`${tenantId}` }, events, now);
}

/** SQL for a value that is not there. */
export const nothing = raw('null');

const own = raw('pg_current_xact_id()');
const ofEvent = raw('coalesce(e."itemId", 0)');

/** The transaction that the newest event of an item counts as, or that of a queue itself for the item 0. */
function lastOf(queueId: Id | Sql, item: Sql): Sql {
  return sql`(select l.tx from events l where l.queue_id = ${queueId} and l.item_id = ${item} order by l.id desc limit 1)`;
}

/**
 * The transaction that an event counts as in the feed: the present one, unless it began before another one that came first to the item.
 * An event never comes before what it follows, and never counts as a transaction from before its own: readers who are past that would miss it.
 */
function behind(...earlier: readonly Sql[]): Sql {
  return sql`greatest(${join([own, ...earlier])})`;
}

async function insert(
  db: Db,
  { queueId, tenant }: { queueId: Id; tenant: Sql },
  events: readonly Event[],
  now: Date,
): Promise<void> {
  if (events.length === 0) return;
  const statement = sql`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, device_id, from_status, to_status, reason,
      changes, at, tx)
    select ${tenant}, ${queueId}, coalesce(e."itemId", 0), e.operation, e."actorId", e."deviceId", e."from", e."to",
      e.reason, e.changes, ${now}, ${queueId === 0 ? own : behind(lastOf(queueId, ofEvent), lastOf(raw('e."cameFrom"'), ofEvent))}
    from json_to_recordset(${stringifyJson(events)}::json) as e ("itemId" bigint, operation text, "actorId" bigint,
      "deviceId" bigint, "from" text, "to" text, reason text, changes json, "cameFrom" bigint)`;
  await db.write(named(queueId === 0 ? 'insertTenantEvents' : 'insertEvents', statement));
}

/** Found once for a statement, however many events it writes. */
function tenantOf(queueId: Id): Sql {
  return sql`(select q.tenant_id from queues q where q.id = ${queueId})`;
}

/** How a statement that changes items tells of them in its own words, as SQL over its rows; `id` is the item. */
export interface Told {
  readonly source: Sql;
  readonly operation: string;
  readonly actorId: Sql;
  readonly deviceId: Sql;
  readonly from: Sql;
  readonly to: Sql;
}

/**
 * One event for each row of the source, as part of the statement that makes the change: no round trip of its own. The
 * statement answers a row for each change, as readers of the feed are woken by those only.
 */
export function eventsOf(
  queueId: Id,
  { source, operation, actorId, deviceId, from, to }: Told,
  now: Date,
): Sql {
  return sql`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, device_id, from_status, to_status, at, tx)
    select ${tenantOf(queueId)}, ${queueId}, ${source}.id, ${operation}, ${actorId}, ${deviceId}, ${from}, ${to}, ${now},
      ${from === nothing ? own : behind(lastOf(queueId, sql`${source}.id`))} from ${source}`;
}

/**
 * After a database was restored from a dump into a cluster that counts its transactions anew, events are there from
 * transactions that are yet to come: they would be told late and out of order. All count as the oldest then, in the order of
 * their ids. On any other start this looks up one index entry a tenant.
 */
export async function restartFeed(db: Db): Promise<void> {
  await db.rows(sql`
    update events set tx = '0' where exists (
      select from tenants t, lateral (
        select from events e where e.tenant_id = t.id and e.tx >= pg_snapshot_xmax(pg_current_snapshot()) limit 1) e)`);
}
