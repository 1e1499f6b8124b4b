import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { Actor, Context } from '../operation.ts';
import { seesAllDevices, visiblePools } from '../pools/find.ts';
import { selectDevice, type DeviceScope } from './sql.ts';

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
