import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Actor, Context } from '../../engine/operation.ts';
import { poolsOfUser, seesAllDevices } from '../pools/pools.ts';

/** The devices that a user may see. */
function scopeOf(actor: Actor): DeviceScope {
  const pools = seesAllDevices(actor) ? undefined : poolsOfUser(actor.id);
  return { tenantId: actor.tenantId, userId: actor.id, pools };
}

/** The condition that a user may see the device `d`, as SQL. */
export function isSeenBy(actor: Actor): Sql {
  return inScope(scopeOf(actor));
}

/** A device that the caller may see. @throws Refusal NOT_FOUND */
export async function findDevice(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Device']> {
  const device = await selectDevice({ db, actor }, id);
  if (device) return device;
  throw new Refusal('NOT_FOUND', `There is no device ${id} for you. POST /v4/wlm/devices/list lists those.`);
}

/** Whether the device exists and the caller may see it. */
export async function findsDevice({ db, actor }: Pick<Context, 'db' | 'actor'>, id: Id): Promise<boolean> {
  return (await selectDevice({ db, actor }, id)) !== undefined;
}

async function selectDevice(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Device'] | undefined> {
  const [device] = await selectDevices(db, actor, sql`d.id = ${id} and ${isSeenBy(actor)}`);
  return device;
}

/** Devices with a user's capabilities for each of them. @param rest the SQL after `where` */
export async function selectDevices(
  db: Db,
  { id, permissions }: Pick<Actor, 'id' | 'permissions'>,
  rest: Sql,
): Promise<Schemas['Device'][]> {
  const rows = await db.rows<Schemas['Device'] & { ownsPool: boolean }>(sql`
    select ${deviceColumns}, exists (
      select from pool_devices pd join pool_owners po on po.pool_id = pd.pool_id
      where pd.device_id = d.id and po.user_id = ${id}) as "ownsPool"
    from ${withHeldItems} where ${rest}`);
  return rows.map(({ ownsPool, ...device }) => ({
    ...device,
    capabilities: deviceCapabilitiesOf(permissions, ownsPool),
  }));
}

/** The ids of the devices that a user registered, or that are in pools which the user owns or consumes. */
export function devicesOf(userId: Id): Sql {
  return sql`
    select d.id from devices d where d.user_id = ${userId}
    union all
    select pd.device_id from pool_devices pd where pd.pool_id in (${poolsOfUser(userId)})`;
}

const deviceColumns = raw(`d.id, d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slots,
  coalesce(held.items, 0) as "busySlots", d.agent_version as "agentVersion",
  case when d.is_connected then 'CONNECTED' else 'DISCONNECTED' end as status,
  d.state, d.state_reason as "stateReason", d.state_by as "stateBy", d.state_on as "stateOn",
  array(select pd.pool_id from pool_devices pd where pd.device_id = d.id order by pd.pool_id) as "poolIds",
  d.last_seen_on as "lastSeenOn", d.user_id as "userId", d.created_by as "createdBy", d.created_on as "createdOn",
  d.updated_by as "updatedBy", d.updated_on as "updatedOn", d.version`);

// Counts the items in progress for devices, whether sent to them or claimed for them, once for all devices.
const withHeldItems = raw(`
  devices d left join (
    select device_id, count(*) as items from work_items where status = 'IN_PROGRESS' and device_id is not null
    group by device_id) held on held.device_id = d.id`);

/** The devices that a user may see: all of the tenant, or the user's own and those of some pools. */
interface DeviceScope {
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

/** An action on a visible device: `hold` takes it out of use, and into it again. */
type DeviceCapability = 'view' | 'hold' | 'edit';

/** @param ownsPool whether the user owns a pool that has the device */
function deviceCapabilitiesOf(permissions: ReadonlySet<string>, ownsPool: boolean): DeviceCapability[] {
  if (permissions.has('manageDevices')) return ['view', 'hold', 'edit'];
  return ownsPool ? ['view', 'hold'] : ['view'];
}
