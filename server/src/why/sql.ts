import type { Id } from '@millrace/api';
import { raw, sql, type Db } from '../db.ts';
import type { AutomationFacts, DeviceFacts, ItemFacts, QueueFacts } from './facts.ts';

export type StoredQueueFacts = Pick<
  QueueFacts,
  'queueId' | 'status' | 'archivedOn' | 'isClaimedFrom' | 'consumerRoles' | 'runningOnDevices'
> & {
  readonly pausedBy?: Id;
  readonly pausedByName?: string;
  readonly pausedOn?: Date;
  readonly pauseReason?: string;
  readonly pausedUntil?: Date;
  readonly threshold: number;
  readonly unit: 'PERCENT' | 'COUNT';
  /** Items that devices have begun since nothing waited. */
  readonly started: number;
};

/** What a queue itself says about why its items wait. */
export function selectQueueFacts(db: Db, queueId: Id): Promise<StoredQueueFacts | undefined> {
  return db.row(sql`
    select q.id as "queueId", q.status, q.archived_on as "archivedOn", q.paused_by as "pausedBy",
      (select u.username from users u where u.id = q.paused_by) as "pausedByName", q.paused_on as "pausedOn",
      q.pause_reason as "pauseReason", q.paused_until as "pausedUntil",
      q.reactivation_threshold as threshold, q.reactivation_unit as unit,
      coalesce((select started from queue_passes p where p.queue_id = q.id), 0) as started,
      (select count(*)::int from runs r where r.queue_id = q.id) as "runningOnDevices",
      (select count(*)::int from queue_consumers c where c.queue_id = q.id) as "consumerRoles",
      exists (select from work_items i where i.queue_id = q.id and i.status = 'IN_PROGRESS'
              and i.automation_id is null) as "isClaimedFrom"
    from queues q where q.id = ${queueId}`);
}

/** The automation of a queue: the active one, or else the one that was changed last. */
export function selectAutomationFacts(
  db: Db,
  queueId: Id,
): Promise<Omit<AutomationFacts, 'devices'> | undefined> {
  return db.row(sql`
    select a.id, a.name, a.bot_name as "botName", a.status, a.status_reason as "statusReason",
      (select u.username from users u where u.id = a.status_by) as "statusByName", a.status_on as "statusOn",
      a.labels, a.pool_id as "poolId", p.name as "poolName",
      (select count(*)::int from automation_run_as_users r where r.automation_id = a.id) as "runAsUsers",
      (select count(*)::int from automation_run_as_users r where r.automation_id = a.id
         and not exists (select from runs where runs.run_as_user_id = r.user_id)) as "freeRunAsUsers"
    from automations a join pools p on p.id = a.pool_id
    where a.queue_id = ${queueId}
    order by a.status = 'ACTIVE' desc, a.updated_on desc, a.id desc limit 1`);
}

const mostDevices = 1000;

/** What people call the device `d`: few agents give a nickname. */
const nameOfDevice = sql`coalesce(nullif(d.nickname, ''), d.host_name)`;

/** The devices of a pool, with what keeps each busy. */
export function selectPoolDevices(db: Db, poolId: Id): Promise<DeviceFacts[]> {
  return db.rows(sql`
    select d.id, ${nameOfDevice} as name, d.is_connected as "isConnected", d.state, d.state_reason as "stateReason",
      d.labels, d.bots, d.slots, (select count(*)::int from runs r where r.device_id = d.id) as "busySlots"
    from pool_devices pd join devices d on d.id = pd.device_id
    where pd.pool_id = ${poolId} order by d.id limit ${mostDevices}`);
}

export type StoredItemFacts = Omit<ItemFacts, 'ahead' | 'retryLimit' | 'lapseLimit'> & {
  readonly sortKey: Buffer;
  readonly deviceId?: Id;
};

/** An item, with who made it what it is: the last event that gave it its status. */
export function selectItemFacts(db: Db, queueId: Id, itemId: Id): Promise<StoredItemFacts | undefined> {
  return db.row(sql`
    select i.id, i.status, i.failure_kind as "failureKind", i.error, i.retry_count as "retryCount", i.lapse_count as "lapseCount",
      i.not_before as "notBefore", i.started_on as "startedOn", i.ended_on as "endedOn",
      i.lease_expires_on as "leaseExpiresOn", i.cancel_requested_on as "cancelRequestedOn",
      i.point_of_no_return_on as "pointOfNoReturnOn", i.sort_key as "sortKey", i.device_id as "deviceId",
      (select ${nameOfDevice} from devices d where d.id = i.device_id) as "deviceName",
      (select u.username from users u where u.id = i.claimed_by) as "holderName",
      (select u.username from users u where u.id = e.actor_id) as "changedByName",
      case when i.status = 'DEFERRED' then coalesce(e.reason, i.comment) end as "changeReason"
    from work_items i left join lateral (
      select actor_id, reason from events
      where queue_id = ${queueId} and item_id = i.id and to_status = i.status
      order by id desc limit 1) e on true
    where i.queue_id = ${queueId} and i.id = ${itemId}`);
}

/** Beyond so many, nobody counts. */
const mostAhead = 10_000;

/** How many items are granted before the one of this place; at most `mostAhead`. */
export async function countAhead(db: Db, queueId: Id, sortKey: Buffer, itemId: Id): Promise<number> {
  const row = await db.row<{ ahead: number }>(sql`
    select count(*)::int as ahead from (
      select from work_items where queue_id = ${queueId} and status = ${raw("'NEW'")} and not_before is null
        and (sort_key, id) < (${sortKey}, ${itemId}) limit ${mostAhead}) before`);
  return row?.ahead ?? 0;
}
