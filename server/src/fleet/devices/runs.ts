import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { named, sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Context } from '../../engine/operation.ts';
import { deviceWakeUp, type WakeUp } from '../../engine/wake-ups.ts';

/** A user who asks for items, and the named device, if any. */
interface Asking {
  readonly userId: Id;
  readonly deviceId?: Id | undefined;
}

/** The refusals of items for named devices; asks the database only if a device is named. */
export async function refusalsOf(db: Db, asking: readonly Asking[]): Promise<(Refusal | undefined)[]> {
  const claimants = asking.filter((caller): caller is Claimant => caller.deviceId !== undefined);
  if (claimants.length === 0) return [];
  const own = await lockOwnDevices(db, claimants);
  return asking.map(({ userId, deviceId }) => {
    if (deviceId === undefined) return undefined;
    const device = own.find((one) => one.deviceId === deviceId && one.userId === userId);
    return decideClaim(deviceId, device);
  });
}

/** The reason why a device takes no work, if it takes none. @param device undefined when the caller has no such device. */
export function decideClaim(
  id: Id,
  device: Pick<Schemas['Device'], 'state' | 'stateReason'> | undefined,
): Refusal | undefined {
  if (device?.state === 'ACTIVE') return undefined;
  if (device) {
    return new Refusal(
      'STATUS_CONFLICT',
      `Device ${id} is ${device.state} and takes no work: ${device.stateReason}`,
    );
  }
  const message = `names no device of yours: you registered none with the id ${id}`;
  return new Refusal(
    'INVALID_REQUEST',
    `deviceId ${message}. Register it at POST /v4/wlm/devices, or leave deviceId out.`,
    {
      details: [{ field: 'deviceId', message }],
    },
  );
}

/** A device and the user who wants to use it. */
interface Claimant {
  readonly deviceId: Id;
  readonly userId: Id;
}

/** The named devices that belong to the users who name them; they cannot be drained or quarantined until the transaction ends. */
function lockOwnDevices(
  db: Db,
  claimants: readonly Claimant[],
): Promise<(Claimant & { state: Schemas['Device']['state']; stateReason?: string })[]> {
  const statement = sql`
    select d.id as "deviceId", d.user_id as "userId", d.state, d.state_reason as "stateReason"
    from devices d
    where d.id = any(${claimants.map(({ deviceId }) => deviceId)}::bigint[])
      and d.user_id = any(${claimants.map(({ userId }) => userId)}::bigint[])
    order by d.id for share`;
  return db.rows(named('lockOwnDevices', statement));
}

/** Ends the runs of items, in the transaction in which they leave IN_PROGRESS; wakes the devices that have room now. */
export async function endRuns(
  { db, wake }: Pick<Context, 'db' | 'wake'>,
  queueId: Id,
  itemIds: readonly Id[],
): Promise<void> {
  if (itemIds.length === 0) return;
  const freed = await deleteRuns(db, queueId, itemIds);
  const wakeUps = freed.map(({ deviceId, queueId: id = 0 }): WakeUp =>
    deviceId ? deviceWakeUp(deviceId) : id,
  );
  for (const wakeUp of wakeUps) wake(wakeUp, 1);
}

/** An item that begins on a device. */
interface Run {
  readonly queueId: Id;
  readonly itemId: Id;
  readonly deviceId: Id;
  readonly automationId: Id;
  readonly runAsUserId?: Id | undefined;
}

/** Stores runs; returns their run-as users, where they have one. */
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
 * Deletes runs, and returns the devices and queues that have room now: the devices themselves, the queues whose run-as users are free
 * again, and the queue itself when its threshold depends on the number of its runs.
 */
function deleteRuns(db: Db, queueId: Id, itemIds: readonly Id[]) {
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
