import type { Id, Schemas } from '@millrace/api';
import { named, raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { Registration } from './rules.ts';

const deviceColumns = raw(`d.id, d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slots,
  coalesce(held.items, 0) as "busySlots", d.agent_version as "agentVersion",
  case when d.is_connected then 'CONNECTED' else 'DISCONNECTED' end as status,
  d.state, d.state_reason as "stateReason", d.state_by as "stateBy", d.state_on as "stateOn",
  array(select pd.pool_id from pool_devices pd where pd.device_id = d.id order by pd.pool_id) as "poolIds",
  d.last_seen_on as "lastSeenOn", d.user_id as "userId", d.created_by as "createdBy", d.created_on as "createdOn",
  d.updated_by as "updatedBy", d.updated_on as "updatedOn", d.version`);

// What is in progress for devices, whether it was sent to them or claimed for them, in one pass for all.
const withHeldItems = raw(`
  devices d left join (
    select device_id, count(*) as items from work_items where status = 'IN_PROGRESS' and device_id is not null
    group by device_id) held on held.device_id = d.id`);

/** What devices can be filtered and sorted by. */
export const deviceFields: Record<string, Field> = {
  id: { column: raw('d.id'), type: 'id' },
  hostName: { column: raw('d.host_name'), type: 'text' },
  nickname: { column: raw('d.nickname'), type: 'text' },
  userId: { column: raw('d.user_id'), type: 'id' },
  status: {
    column: raw(`case when d.is_connected then 'CONNECTED' else 'DISCONNECTED' end`),
    type: ['CONNECTED', 'DISCONNECTED'],
  },
  labels: { column: raw('d.labels'), type: 'texts' },
  bots: { column: raw('d.bots'), type: 'texts' },
  state: { column: raw('d.state'), type: ['ACTIVE', 'DRAINING', 'QUARANTINED'] },
  slots: { column: raw('d.slots'), type: 'integer' },
  agentVersion: { column: raw('d.agent_version'), type: 'text' },
  lastSeenOn: { column: raw('d.last_seen_on'), type: 'time' },
  createdOn: { column: raw('d.created_on'), type: 'time' },
  updatedOn: { column: raw('d.updated_on'), type: 'time' },
};

export const deviceTieBreak: Sql = raw('d.id');

/** Who writes, and when. */
export interface Author {
  readonly tenantId: Id;
  readonly actorId: Id;
  readonly now: Date;
}

/** Stores a device that its user registers; answers its id, or nothing when the tenant has one of this host name. */
export async function insertDevice(
  db: Db,
  { hostName, nickname, labels, bots, slots, agentVersion }: Registration,
  { tenantId, actorId, now }: Author,
): Promise<Id | undefined> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into devices (tenant_id, user_id, host_name, nickname, labels, bots, slots, agent_version, last_seen_on,
      is_connected, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${actorId}, ${hostName}, ${nickname}, ${labels}, ${bots}, ${slots}, ${agentVersion}, ${now},
      true, ${actorId}, ${now}, ${actorId}, ${now})
    on conflict (tenant_id, lower(host_name)) do nothing returning id`);
  return row?.id;
}

/** A device as its agent registered it, and whose it is. */
export type RegisteredDevice = Registration & { readonly id: Id; readonly userId: Id };

/** The device of this host name, held against other changes. */
export function lockDeviceNamed(
  db: Db,
  tenantId: Id,
  hostName: string,
): Promise<RegisteredDevice | undefined> {
  return db.row(sql`
    select d.id, d.user_id as "userId", d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slots,
      d.agent_version as "agentVersion"
    from devices d where d.tenant_id = ${tenantId} and lower(d.host_name) = lower(${hostName}::text)
    for no key update`);
}

export async function updateRegistration(
  db: Db,
  id: Id,
  { labels, bots, slots, agentVersion }: Omit<Registration, 'hostName' | 'nickname'>,
  { actorId, now }: Omit<Author, 'tenantId'>,
): Promise<void> {
  await db.rows(sql`
    update devices set labels = ${labels}, bots = ${bots}, slots = ${slots}, agent_version = ${agentVersion},
      version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** Holds a device against other changes, and against signs of life. */
export async function lockDevice(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from devices where id = ${id} for no key update`);
}

export async function updateByHand(
  db: Db,
  id: Id,
  { nickname, labels }: Pick<Registration, 'nickname' | 'labels'>,
  { actorId, now }: Omit<Author, 'tenantId'>,
): Promise<void> {
  await db.rows(sql`
    update devices set nickname = ${nickname}, labels = ${labels}, version = version + 1, updated_by = ${actorId},
      updated_on = ${now}
    where id = ${id}`);
}

export async function deleteDeviceRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from devices where id = ${id}`);
}

/** Whether the user owns a pool that has the device. */
export async function ownsPoolOf(db: Db, userId: Id, id: Id): Promise<boolean> {
  const row = await db.row(sql`
    select from pool_devices pd join pool_owners po on po.pool_id = pd.pool_id
    where pd.device_id = ${id} and po.user_id = ${userId} limit 1`);
  return row !== undefined;
}

/** Whether a device takes work, and why not. */
export interface DeviceHold {
  readonly state: Schemas['Device']['state'];
  readonly reason: string | undefined;
}

export async function updateState(
  db: Db,
  id: Id,
  { state, reason }: DeviceHold,
  { actorId, now }: Omit<Author, 'tenantId'>,
): Promise<void> {
  await db.rows(sql`
    update devices set state = ${state}, state_reason = ${reason}, state_by = ${actorId}, state_on = ${now},
      version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** A device and the user who wants to use it. */
export interface Claimant {
  readonly deviceId: Id;
  readonly userId: Id;
}

/** The devices that users name as theirs, and are; nobody drains or quarantines them until the transaction ends. */
export function lockOwnDevices(
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

/** Which devices somebody may see: all of the tenant, or the own ones and those of some pools. */
export interface DeviceScope {
  readonly tenantId: Id;
  readonly userId: Id;
  /** The ids of the pools; undefined for all devices. */
  readonly pools: Sql | undefined;
}

function inScope({ tenantId, userId, pools }: DeviceScope): Sql {
  if (!pools) return sql`d.tenant_id = ${tenantId}`;
  return sql`d.tenant_id = ${tenantId} and (d.user_id = ${userId}
    or d.id in (select pd.device_id from pool_devices pd where pd.pool_id in (${pools})))`;
}

export function selectDevice(db: Db, scope: DeviceScope, id: Id): Promise<Schemas['Device'] | undefined> {
  return db.row(sql`select ${deviceColumns} from ${withHeldItems} where d.id = ${id} and ${inScope(scope)}`);
}

/** Devices in scope: how many, and how many of them match a condition. */
export async function countDevices(db: Db, scope: DeviceScope, where: Sql) {
  const row = await db.row<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from devices d where ${inScope(scope)}`);
  return row ?? { total: 0, totalFilter: 0 };
}

export function selectDevices(db: Db, scope: DeviceScope, query: ListQuery): Promise<Schemas['Device'][]> {
  const { where, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${deviceColumns} from ${withHeldItems}
    where ${inScope(scope)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}
