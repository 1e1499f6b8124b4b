import type { Id, Schemas } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Actor, Context } from '../../engine/operation.ts';
import { poolsOfUser, seesAllDevices } from '../pools/pools.ts';
import { deviceCapabilitiesOf } from './rules.ts';
import { deviceColumns, inScope, withHeldItems, type DeviceScope } from './sql.ts';

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
