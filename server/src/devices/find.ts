import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { Actor, Context } from '../operation.ts';
import { seesAllDevices, visiblePools } from '../pools/find.ts';
import { ownsPoolOf, selectDevice, type DeviceScope } from './sql.ts';

/** The devices that somebody may see. */
export function scopeOf(actor: Actor): DeviceScope {
  const pools = seesAllDevices(actor) ? undefined : visiblePools(actor);
  return { tenantId: actor.tenantId, userId: actor.id, pools };
}

/** A device that the caller may see. @throws Refusal NOT_FOUND */
export async function findDevice(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Device']> {
  const device = await selectDevice(db, scopeOf(actor), id);
  if (device) return device;
  throw new Refusal('NOT_FOUND', `There is no device ${id} for you. POST /v4/wlm/devices/list lists those.`);
}

/** Whether there is such a device and the caller may see it. */
export async function findsDevice({ db, actor }: Pick<Context, 'db' | 'actor'>, id: Id): Promise<boolean> {
  return (await selectDevice(db, scopeOf(actor), id)) !== undefined;
}

/** A device that the caller may take out of use. @throws Refusal NOT_FOUND, or FORBIDDEN when it may be seen. */
export async function findManagedDevice(
  context: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Device']> {
  const { db, actor } = context;
  const device = await findDevice(context, id);
  if (actor.permissions.has('manageDevices') || (await ownsPoolOf(db, actor.id, id))) return device;
  throw new Refusal(
    'FORBIDDEN',
    `Device ${id} can be drained, quarantined and resumed by owners of its pools and by pool admins. Ask one of them.`,
  );
}
