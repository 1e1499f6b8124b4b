import type { Id, Schemas } from '@millrace/api';
import { empty, named, raw, sql, type Db } from '../engine/db.ts';
import type { BatchCall, TenantContext } from '../engine/operation.ts';
import { noteSigns } from '../fleet/devices/presence.ts';
import { selectWaiting } from '../journal/counters.ts';
import { countClaimable } from '../work-items/claim/claim.ts';
import { isGuarded, type Automation, type Candidates, type Offer, type Pool } from './rules.ts';

export type Calls = readonly BatchCall<'requestWork'>[];

/** All data for a decision, held until the transaction ends. */
export interface Snapshot {
  /** The asking devices, by id. */
  readonly devices: ReadonlyMap<Id, AskingDevice>;
  /** One for each call; without slots where the device may have nothing. */
  readonly offers: readonly Offer[];
  /** The active automations of their pools. */
  readonly automations: readonly StoredAutomation[];
  /** The automations among them that have an active queue; none when there are no slots. */
  readonly candidates: Candidates;
}

// Items looked for beyond the free slots: further devices are woken for them.
const lookAhead = 20;

export async function readSnapshot(context: TenantContext, calls: Calls): Promise<Snapshot> {
  const { now } = context;
  const [list, pools, automations] = await holdAll(context, calls);
  const devices = new Map(list.map((device) => [device.id, device]));
  const offers = offersOf(calls, devices);
  const slots = offers.reduce((total, offer) => total + offer.slots, 0);
  const workable = automations.filter(({ isQueueActive }) => isQueueActive && slots > 0);
  const counted = await Promise.all(workable.map((stored) => count(context, stored, slots + lookAhead)));
  const takenUserIds = new Set(automations.flatMap((stored) => stored.takenUserIds));
  return { devices, offers, automations, candidates: { now, pools, automations: counted, takenUserIds } };
}

/** In one round trip, as no statement depends on another's result. */
function holdAll(context: TenantContext, calls: Calls) {
  const { db } = context;
  const ids = [...new Set(calls.map(({ input }) => input.path.id))];
  const [first] = calls;
  const held = lockTenant(db, first?.actor.tenantId ?? 0);
  const signs = calls.map(({ actor, input }) => ({ deviceId: input.path.id, userId: actor.id }));
  const seen = noteSigns(context, signs, 'requestWork');
  const read = [
    selectDevices(db, ids),
    selectPools(db, ids, 'held'),
    selectAutomations(db, ids, 'held'),
  ] as const;
  return Promise.all([...read, held, seen]);
}

/** The data for a decision about some devices as of now, without locks: the decision can differ by the time they ask. */
export interface Foresight {
  readonly devices: ReadonlyMap<Id, AskingDevice>;
  /** The active automations of their pools. */
  readonly automations: readonly StoredAutomation[];
  /** Those among them that have an active queue. */
  readonly candidates: Candidates;
}

/** The count of a queue's items stops here: people only need to know whether there are any. */
const foreseenItems = 1;

export async function foresee(
  context: Pick<TenantContext, 'db' | 'now' | 'marks'>,
  deviceIds: readonly Id[],
): Promise<Foresight> {
  const { db, now } = context;
  const [list, pools, automations] = await Promise.all([
    selectDevices(db, deviceIds),
    selectPools(db, deviceIds, 'free'),
    selectAutomations(db, deviceIds, 'free'),
  ]);
  const workable = automations.filter(({ isQueueActive }) => isQueueActive);
  const counted = await Promise.all(workable.map((stored) => count(context, stored, foreseenItems)));
  const takenUserIds = new Set(automations.flatMap((stored) => stored.takenUserIds));
  const devices = new Map(list.map((device) => [device.id, device]));
  return { devices, automations, candidates: { now, pools, automations: counted, takenUserIds } };
}

/** The offer of each call. Calls for one device share its free slots. */
function offersOf(calls: Calls, devices: ReadonlyMap<Id, AskingDevice>): Offer[] {
  const free = new Map<Id, number>();
  return calls.map(({ actor, input }) => {
    const { id: deviceId } = input.path;
    const device = devices.get(deviceId);
    if (!device || device.userId !== actor.id || device.state !== 'ACTIVE') return restingOffer(deviceId);
    const left = free.get(deviceId) ?? Math.max(0, device.slots - device.running);
    const slots = Math.min(left, input.body.count ?? left);
    free.set(deviceId, left - slots);
    const { poolIds, labels, bots } = device;
    return { deviceId, poolIds, labels, bots, slots };
  });
}

function restingOffer(deviceId: Id): Offer {
  return { deviceId, poolIds: [], labels: [], bots: [], slots: 0 };
}

/** The automation with the counts of its queue, up to a limit. */
async function count(
  context: Pick<TenantContext, 'db' | 'now' | 'marks'>,
  stored: StoredAutomation,
  limit: number,
): Promise<Automation> {
  const { isQueueActive: _, takenUserIds: __, unit, threshold, started, ...automation } = stored;
  const { queueId } = automation;
  const [claimable, waiting] = await Promise.all([
    countClaimable(context, queueId, limit),
    isGuarded({ unit, threshold }) ? selectWaiting(context.db, queueId) : undefined,
  ]);
  const reactivation = { unit, threshold, started, waiting: waiting ?? claimable };
  return { ...automation, claimable, reactivation };
}

/** Makes decisions about the devices of a tenant one at a time, on all servers. */
async function lockTenant(db: Db, tenantId: Id): Promise<void> {
  await db.rows(named('lockTenant', sql`select from tenants where id = ${tenantId} for no key update`));
}

/** A device that asks for work. */
interface AskingDevice {
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

function selectDevices(db: Db, ids: readonly Id[]): Promise<AskingDevice[]> {
  const statement = sql`
    select d.id, d.user_id as "userId", d.state, d.state_reason as "stateReason", d.labels, d.bots, d.slots,
      (select count(*)::int from runs r where r.device_id = d.id) as running,
      array(select pd.pool_id from pool_devices pd where pd.device_id = d.id) as "poolIds"
    from devices d where d.id = any(${ids}::bigint[])`;
  return db.rows(named('selectDevices for work', statement));
}

const poolsOf = (deviceIds: readonly Id[]) =>
  sql`(select pd.pool_id from pool_devices pd where pd.device_id = any(${deviceIds}::bigint[]))`;

/** Whether the rows are locked against changes until the transaction ends. */
type Hold = 'held' | 'free';

/** The pools of some devices, in the order of their last grants, oldest first. */
function selectPools(db: Db, deviceIds: readonly Id[], hold: Hold): Promise<Pool[]> {
  const statement = sql`
    select p.id, p.scheme, p.time_slice_seconds as "timeSliceSeconds",
      p.current_automation_id as "currentAutomationId", p.slice_started_on as "sliceStartedOn",
      p.virtual_time as "virtualTime"
    from pools p where p.id in ${poolsOf(deviceIds)}
    order by p.last_granted_on nulls first, p.id ${hold === 'held' ? raw('for no key update of p') : empty}`;
  return db.rows(named(`selectPools ${hold}`, statement));
}

/** An active automation as stored, with the conditions that may keep it from working. */
type StoredAutomation = Omit<Automation, 'claimable' | 'reactivation'> &
  Omit<Automation['reactivation'], 'waiting'> & {
    readonly isQueueActive: boolean;
    /** Its run-as users that have an item, or are disabled. */
    readonly takenUserIds: readonly Id[];
  };

/** The active automations of the pools of some devices. */
function selectAutomations(db: Db, deviceIds: readonly Id[], hold: Hold): Promise<StoredAutomation[]> {
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
    order by a.id ${hold === 'held' ? raw('for no key update of a') : empty}`;
  return db.rows(named(`selectAutomations ${hold}`, statement));
}
