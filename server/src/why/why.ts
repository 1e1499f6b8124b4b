import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext, QueueOperation } from '../engine/operation.ts';
import { scopeOf } from '../fleet/automations/automations.ts';
import { findsDevice } from '../fleet/devices/find.ts';
import { poolCapabilities } from '../fleet/pools/pools.ts';
import { recentMinutes, selectTotals, type Totals } from '../journal/counters.ts';
import { unknownItem } from '../work-items/item/rules.ts';
import { explainItemFacts, explainQueueFacts, type Explanation } from './explain.rules.ts';
import {
  mostAhead,
  type AutomationFacts,
  type CompetingAutomation,
  type Delayed,
  type DeviceFacts,
  type ItemFacts,
  type Pace,
  type Pause,
  type QueueFacts,
} from './facts.ts';
import { isClaimedFrom, type ClaimFacts } from './hindrances.rules.ts';

export const explainQueue: QueueOperation<'explainQueue'> = async (context) =>
  answer(explainQueueFacts(await readQueueFacts(context), context.now));

export const explainWorkItem: QueueOperation<'explainWorkItem'> = async (context, { path }) => {
  const item = await readItemFacts(context, path.workItemId);
  return answer(explainItemFacts(item, await readQueueFacts(context), context.now));
};

function answer({ reasons, expectedStartOn }: Explanation): Schemas['Explanation'] {
  const [first] = reasons;
  if (!first) throw new Error('an explanation without a reason');
  const { code, sentence } = first;
  return {
    code,
    sentence,
    ...(expectedStartOn && { expectedStartOn: expectedStartOn.toISOString() }),
    reasons: [...reasons],
  };
}

/** The facts that decide whether the items of the queue start. */
async function readQueueFacts(context: QueueContext): Promise<QueueFacts> {
  const { db, queue, now, actor } = context;
  const [stored, totals, backOff, nextDeferred, automation] = await Promise.all([
    selectQueueFacts(db, queue.id),
    selectTotals(db, queue.id, now),
    selectBackOff(db, queue.id),
    selectNextDeferred(db, queue.id),
    readAutomation(context),
  ]);
  if (!stored) throw new Refusal('NOT_FOUND', `There is no queue ${queue.id} any more.`);
  const { NEW: undone, IN_PROGRESS: running, DEFERRED: deferred } = totals.counts;
  const { threshold, unit, started, ...facts } = stored;
  return {
    ...facts,
    pause: pauseOf(stored),
    // The two numbers are read one after the other, and items move meanwhile.
    waiting: Math.max(0, undone - backOff.items),
    backOff,
    deferred: { items: deferred, nextOn: nextDeferred },
    running,
    pace: paceOf(totals),
    automation,
    isClaimedFrom: isClaimedFrom(stored, { now, recentMinutes }),
    reactivation: { unit, threshold, started, waiting: undone },
    mayProcess: actor.capabilities.has('process'),
  };
}

function pauseOf({ pausedBy, pausedByName, pausedOn, pauseReason, pausedUntil }: StoredQueueFacts): Pause {
  return { by: pausedBy, byName: pausedByName, on: pausedOn, reason: pauseReason, until: pausedUntil };
}

function paceOf({ finishedComplete, finishedFailed, handlingMilliseconds }: Totals): Pace {
  const finished = finishedComplete + finishedFailed;
  const handlingSeconds = finished > 0 ? handlingMilliseconds / finished / 1000 : undefined;
  return { minutes: recentMinutes, finished, handlingSeconds };
}

async function readAutomation(context: QueueContext): Promise<AutomationFacts | undefined> {
  const { db, queue, actor } = context;
  const automation = await selectAutomationFacts(db, queue.id, scopeOf(actor));
  // Devices do not matter as long as the automation has to be activated first.
  if (automation?.status !== 'ACTIVE') return automation && { ...automation, devices: [], competing: [] };
  const devices = await readDevices(context, automation.poolId);
  const poolIds = [...new Set([automation.poolId, ...devices.flatMap((device) => device.poolIds)])];
  return { ...automation, devices, competing: await selectCompeting(db, automation.id, poolIds) };
}

/** The devices of a pool; those that the caller may not see have numbers for names. */
export async function readDevices(
  context: Pick<QueueContext, 'db' | 'actor'>,
  poolId: Id,
): Promise<DeviceFacts[]> {
  const { db, actor } = context;
  const [devices, capabilities] = await Promise.all([
    selectPoolDevices(db, poolId),
    poolCapabilities(context, poolId),
  ]);
  const seesAll = capabilities.has('view');
  return devices.map(({ userId, ...device }) => (seesAll || userId === actor.id ? device : nameless(device)));
}

function nameless(device: DeviceFacts): DeviceFacts {
  return { ...device, name: numberOf(device.id), stateReason: undefined };
}

function numberOf(deviceId: Id): string {
  return `device ${deviceId}`;
}

/** An item of the queue, with the number of items ahead of it. @throws Refusal NOT_FOUND */
async function readItemFacts(context: QueueContext, id: Id): Promise<ItemFacts> {
  const { db, queue } = context;
  const stored = await selectItemFacts(db, queue.id, id);
  if (!stored) throw unknownItem(queue, id);
  const { sortKey, deviceId, ...item } = stored;
  const ahead =
    item.status === 'NEW' ? await countAhead(db, queue.id, { sortKey, id: item.id }, mostAhead + 1) : 0;
  const isSeen = deviceId === undefined || (await findsDevice(context, deviceId));
  const deviceName = isSeen ? item.deviceName : numberOf(deviceId);
  return { ...item, deviceName, ahead, retryLimit: queue.autoRetryLimit, lapseLimit: queue.lapseLimit };
}

type StoredQueueFacts = Pick<QueueFacts, 'queueId' | 'status' | 'archivedOn' | 'runningOnDevices'> &
  ClaimFacts & {
    readonly pausedBy?: Id;
    readonly pausedByName?: string;
    readonly pausedOn?: Date;
    readonly pauseReason?: string;
    readonly pausedUntil?: Date;
    readonly threshold: number;
    readonly unit: 'PERCENT' | 'COUNT';
    /** Items begun by devices since no items waited. */
    readonly started: number;
  };

/** The facts of a queue itself. */
function selectQueueFacts(db: Db, queueId: Id): Promise<StoredQueueFacts | undefined> {
  return db.row(sql`
    select q.id as "queueId", q.status, q.archived_on as "archivedOn", q.paused_by as "pausedBy",
      (select u.username from users u where u.id = q.paused_by) as "pausedByName", q.paused_on as "pausedOn",
      q.pause_reason as "pauseReason", q.paused_until as "pausedUntil",
      q.reactivation_threshold as threshold, q.reactivation_unit as unit,
      coalesce((select started from queue_passes p where p.queue_id = q.id), 0) as started,
      (select count(*)::int from runs r where r.queue_id = q.id) as "runningOnDevices",
      (select count(*)::int from queue_consumers c where c.queue_id = q.id) as "consumerRoles",
      (select c.asked_on from queue_claims c where c.queue_id = q.id) as "askedOn",
      exists (select from work_items i where i.queue_id = q.id and i.status = 'IN_PROGRESS'
              and i.automation_id is null) as "isHeld"
    from queues q where q.id = ${queueId}`);
}

/** Number of a queue's items that wait for their next try, and the time from which the first of them may start. */
async function selectBackOff(db: Db, queueId: Id): Promise<Delayed> {
  const row = await db.row<Delayed>(sql`
    select count(*)::int as items, min(not_before) as "nextOn" from work_items
    where queue_id = ${queueId} and status = ${raw("'NEW'")} and not_before is not null`);
  return row ?? { items: 0 };
}

/** The time from which the first deferred item of a queue may start. */
async function selectNextDeferred(db: Db, queueId: Id): Promise<Date | undefined> {
  const row = await db.row<{ nextOn: Date }>(sql`
    select not_before as "nextOn" from work_items
    where queue_id = ${queueId} and status = ${raw("'DEFERRED'")} and not_before is not null
    order by not_before limit 1`);
  return row?.nextOn;
}

/** The automations of other queues that the caller may see: ids of queues and of pools as SQL, undefined for all. */
interface Sight {
  readonly queues: Sql | undefined;
  readonly pools: Sql | undefined;
}

const isSeen = ({ queues, pools }: Sight): Sql =>
  queues && pools ? sql`(o.queue_id in (${queues}) or o.pool_id in (${pools}))` : sql`true`;

/** The automation of a queue: the active one, or else the one that was changed last. */
function selectAutomationFacts(
  db: Db,
  queueId: Id,
  sight: Sight,
): Promise<Omit<AutomationFacts, 'devices' | 'competing'> | undefined> {
  return db.row(sql`
    select a.id, a.name, a.bot_name as "botName", a.status, a.status_reason as "statusReason",
      (select u.username from users u where u.id = a.status_by) as "statusByName", a.status_on as "statusOn",
      a.labels, a.priority, a.weight, a.pool_id as "poolId", p.name as "poolName", p.scheme,
      coalesce((select json_agg(json_strip_nulls(json_build_object('name', u.username, 'isDisabled', u.disabled,
          'run', case when o.id is not null then ${runIfSeen(sight)} end)) order by u.id)
        from automation_run_as_users ru join users u on u.id = ru.user_id
          left join runs r on r.run_as_user_id = u.id left join automations o on o.id = r.automation_id
        where ru.automation_id = a.id), '[]') as "runAsUsers"
    from automations a join pools p on p.id = a.pool_id
    where a.queue_id = ${queueId}
    order by a.status = 'ACTIVE' desc, a.updated_on desc, a.id desc limit 1`);
}

const runIfSeen = (sight: Sight): Sql => sql`
  case when o.id = a.id or ${isSeen(sight)} then json_build_object('itemId', r.item_id, 'queueId', r.queue_id,
    'automationId', o.id, 'automationName', o.name) else '{}' end`;

/** The name of the device `d` for people: few agents give a nickname. */
const nameOfDevice = sql`coalesce(nullif(d.nickname, ''), d.host_name)`;

type StoredDevice = DeviceFacts & { readonly userId: Id };

/** The devices of a pool, at most as many as a pool can have, each with its busy slots. */
function selectPoolDevices(db: Db, poolId: Id): Promise<StoredDevice[]> {
  return db.rows(sql`
    select d.id, d.user_id as "userId", ${nameOfDevice} as name, d.is_connected as "isConnected", d.state,
      d.state_reason as "stateReason", d.labels, d.bots, d.slots,
      (select count(*)::int from runs r where r.device_id = d.id) as "busySlots",
      array(select other.pool_id from pool_devices other where other.device_id = d.id) as "poolIds"
    from pool_devices pd join devices d on d.id = pd.device_id
    where pd.pool_id = ${poolId} order by d.id`);
}

/** The other active automations of these pools with items that run or could start now. */
function selectCompeting(db: Db, automationId: Id, poolIds: readonly Id[]): Promise<CompetingAutomation[]> {
  return db.rows(sql`
    select a.pool_id as "poolId", a.bot_name as "botName", a.labels, a.priority, a.weight
    from automations a join queues q on q.id = a.queue_id
    where a.pool_id = any(${poolIds}::bigint[]) and a.status = 'ACTIVE' and q.status = 'ACTIVE'
      and a.id <> ${automationId} and (exists (select from runs r where r.automation_id = a.id)
        or exists (select from work_items i where i.queue_id = a.queue_id and i.status = ${raw("'NEW'")}
                   and i.not_before is null))`);
}

type StoredItemFacts = Omit<ItemFacts, 'ahead' | 'retryLimit' | 'lapseLimit'> & {
  readonly sortKey: Buffer;
  readonly deviceId?: Id;
};

/** An item, with the author and the reason of the last event that gave it its status, or its time. */
function selectItemFacts(db: Db, queueId: Id, itemId: Id): Promise<StoredItemFacts | undefined> {
  return db.row(sql`
    select i.id, i.status, i.failure_kind as "failureKind", i.error, i.retry_count as "retryCount", i.lapse_count as "lapseCount",
      i.not_before as "notBefore", i.started_on as "startedOn", i.ended_on as "endedOn",
      i.lease_expires_on as "leaseExpiresOn", i.cancel_requested_on as "cancelRequestedOn",
      i.point_of_no_return_on as "pointOfNoReturnOn", i.sort_key as "sortKey", i.device_id as "deviceId",
      (select ${nameOfDevice} from devices d where d.id = i.device_id) as "deviceName",
      (select u.username from users u where u.id = i.claimed_by) as "holderName",
      (select u.username from users u where u.id = e.actor_id) as "changedByName",
      case when i.status = 'DEFERRED' then coalesce(e.reason, i.comment)
           when i.failure_kind = 'IN_DOUBT' then e.reason end as "changeReason"
    from work_items i left join lateral (
      select actor_id, reason from events
      where queue_id = ${queueId} and item_id = i.id and to_status = i.status
        and (from_status is distinct from to_status or changes ->> 'deferredUntil' is not null)
      order by id desc limit 1) e on true
    where i.queue_id = ${queueId} and i.id = ${itemId}`);
}

/** The position of an item in the order of claims. */
interface ClaimPosition {
  readonly sortKey: Buffer;
  readonly id: Id;
}

/** Number of items that are granted before the one at this position, counted up to a limit. */
async function countAhead(
  db: Db,
  queueId: Id,
  { sortKey, id }: ClaimPosition,
  limit: number,
): Promise<number> {
  const row = await db.row<{ ahead: number }>(sql`
    select count(*)::int as ahead from (
      select from work_items where queue_id = ${queueId} and status = ${raw("'NEW'")} and not_before is null
        and (sort_key, id) < (${sortKey}, ${id}) limit ${limit}) before`);
  return row?.ahead ?? 0;
}
