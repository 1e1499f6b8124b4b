import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { named, sql, type Db } from '../db.ts';
import type { Automation, Pool } from './rules.ts';

/** Has the decisions about the devices of a tenant made one after the other, on all servers. */
export async function lockTenant(db: Db, tenantId: Id): Promise<void> {
  await db.rows(named('lockTenant', sql`select from tenants where id = ${tenantId} for no key update`));
}

/** A device that asks for work. */
export interface AskingDevice {
  readonly id: Id;
  readonly userId: Id;
  readonly state: Schemas['DeviceWork']['state'];
  readonly stateReason?: string;
  readonly labels: readonly string[];
  readonly bots: readonly string[];
  readonly slots: number;
  /** Items in progress on it. */
  readonly running: number;
  readonly poolIds: readonly Id[];
}

export function selectDevices(db: Db, ids: readonly Id[]): Promise<AskingDevice[]> {
  const statement = sql`
    select d.id, d.user_id as "userId", d.state, d.state_reason as "stateReason", d.labels, d.bots, d.slots,
      (select count(*)::int from runs r where r.device_id = d.id) as running,
      array(select pd.pool_id from pool_devices pd where pd.device_id = d.id) as "poolIds"
    from devices d where d.id = any(${ids}::bigint[])`;
  return db.rows(named('selectDevices for work', statement));
}

const poolsOf = (deviceIds: readonly Id[]) =>
  sql`(select pd.pool_id from pool_devices pd where pd.device_id = any(${deviceIds}::bigint[]))`;

/** The pools of some devices, held against changes; those come first that were granted nothing for longest. */
export function lockPools(db: Db, deviceIds: readonly Id[]): Promise<Pool[]> {
  const statement = sql`
    select p.id, p.scheme, p.time_slice_seconds as "timeSliceSeconds",
      p.current_automation_id as "currentAutomationId", p.slice_started_on as "sliceStartedOn",
      p.virtual_time as "virtualTime"
    from pools p where p.id in ${poolsOf(deviceIds)}
    order by p.last_granted_on nulls first, p.id for no key update of p`;
  return db.rows(named('lockPools', statement));
}

/** An active automation as stored, with what may keep it from working. */
export type StoredAutomation = Omit<Automation, 'claimable' | 'reactivation'> &
  Omit<Automation['reactivation'], 'waiting'> & {
    readonly isQueueActive: boolean;
    /** Those of its run-as users that have an item, or are disabled. */
    readonly takenUserIds: readonly Id[];
  };

/** The active automations of the pools of some devices, held against changes. */
export function lockAutomations(db: Db, deviceIds: readonly Id[]): Promise<StoredAutomation[]> {
  const statement = sql`
    select a.id, a.pool_id as "poolId", a.queue_id as "queueId", a.bot_name as "botName", a.labels, a.priority,
      a.weight, a.virtual_time as "virtualTime", q.status = 'ACTIVE' as "isQueueActive",
      q.reactivation_unit as unit, q.reactivation_threshold as threshold, coalesce(qp.started, 0) as started,
      (select count(*)::int from runs r where r.automation_id = a.id) as running,
      array(select ru.user_id from automation_run_as_users ru where ru.automation_id = a.id order by ru.user_id)
        as "runAsUserIds",
      array(select ru.user_id from automation_run_as_users ru join users u on u.id = ru.user_id
             where ru.automation_id = a.id
               and (u.disabled or exists (select from runs r where r.run_as_user_id = u.id))) as "takenUserIds"
    from automations a join queues q on q.id = a.queue_id left join queue_passes qp on qp.queue_id = a.queue_id
    where a.status = 'ACTIVE' and a.pool_id in ${poolsOf(deviceIds)}
    order by a.id for no key update of a`;
  return db.rows(named('lockAutomations', statement));
}

/** An item that begins on a device. */
export interface Run {
  readonly queueId: Id;
  readonly itemId: Id;
  readonly deviceId: Id;
  readonly automationId: Id;
  readonly runAsUserId?: Id | undefined;
}

/** Stores what begins on devices; answers as whom, where that matters. */
export function insertRuns(db: Db, runs: readonly Run[], now: Date) {
  const statement = sql`
    with begun as (
      insert into runs (queue_id, item_id, device_id, automation_id, run_as_user_id, started_on)
      select r."queueId", r."itemId", r."deviceId", r."automationId", r."runAsUserId", ${now}
      from json_to_recordset(${stringifyJson(runs)}::json) as r ("queueId" bigint, "itemId" bigint,
        "deviceId" bigint, "automationId" bigint, "runAsUserId" bigint)
      returning item_id, run_as_user_id)
    select begun.item_id as "itemId", u.id, u.username from begun join users u on u.id = begun.run_as_user_id`;
  return db.rows<{ itemId: Id; id: Id; username: string }>(named('insertRuns', statement));
}

/**
 * Deletes what has run, and answers whom that makes room for: the devices, queues whose run-as users are free again, and the
 * queue itself when its threshold looks at how many devices it is on.
 */
export function deleteRuns(db: Db, queueId: Id, itemIds: readonly Id[]) {
  const statement = sql`
    with gone as (
      delete from runs where queue_id = ${queueId} and item_id = any(${itemIds}::bigint[])
      returning device_id, run_as_user_id)
    select device_id as "deviceId", null::bigint as "queueId" from gone
    union all
    select null, a.queue_id from gone join automation_run_as_users ru on ru.user_id = gone.run_as_user_id
      join automations a on a.id = ru.automation_id and a.status = 'ACTIVE'
    union all
    select null, q.id from queues q where q.id = ${queueId} and q.reactivation_unit = 'PERCENT'
      and q.reactivation_threshold < 100 and exists (select from gone)`;
  return db.rows<{ deviceId?: Id; queueId?: Id }>(named('deleteRuns', statement));
}

/** Stores where pools are by now, in the order in which they were granted work. */
export async function savePools(db: Db, pools: readonly Pool[], now: Date): Promise<void> {
  const turns = pools.map((pool, turn) => ({ ...pool, turn }));
  // Grants of one transaction are told apart by microseconds: pools take turns within it as well.
  const statement = sql`
    update pools set virtual_time = p."virtualTime", current_automation_id = p."currentAutomationId",
      slice_started_on = p."sliceStartedOn",
      last_granted_on = ${now}::timestamptz + make_interval(secs => p.turn / 1e6)
    from json_to_recordset(${stringifyJson(turns)}::json) as p (id bigint, turn int,
      "virtualTime" double precision, "currentAutomationId" bigint, "sliceStartedOn" timestamptz)
    where pools.id = p.id`;
  await db.rows(named('savePools', statement));
}

/** Stores how far automations have come. */
export async function saveAutomations(db: Db, automations: readonly Automation[]): Promise<void> {
  const list = automations.map(({ id, virtualTime }) => ({ id, virtualTime }));
  const statement = sql`
    update automations set virtual_time = a."virtualTime"
    from json_to_recordset(${stringifyJson(list)}::json) as a (id bigint, "virtualTime" double precision)
    where automations.id = a.id`;
  await db.rows(named('saveAutomations', statement));
}

/** How many items were started since a queue was drained. */
export interface Pass {
  readonly queueId: Id;
  readonly started: number;
}

export async function savePasses(db: Db, passes: readonly Pass[]): Promise<void> {
  const statement = sql`
    insert into queue_passes (queue_id, started)
    select p."queueId", p.started
    from json_to_recordset(${stringifyJson(passes)}::json) as p ("queueId" bigint, started int) order by 1
    on conflict (queue_id) do update set started = excluded.started`;
  await db.rows(named('savePasses', statement));
}

/**
 * Ends the passes of queues in which nothing waits any more. They are locked before it is looked what waits: of several that
 * take the last items away, the last one sees that they are gone.
 */
export async function endPasses(db: Db, queueIds: readonly Id[]): Promise<void> {
  const underway = sql`queue_id = any(${queueIds}::bigint[]) and started > 0`;
  const lock = sql`select from queue_passes where ${underway} order by queue_id for no key update`;
  const end = sql`
    update queue_passes p set started = 0
    where ${underway} and 0 = (select coalesce(sum(t.new), 0) from queue_tallies t where t.queue_id = p.queue_id)`;
  await Promise.all([db.rows(named('lockPasses', lock)), db.rows(named('endPasses', end))]);
}
