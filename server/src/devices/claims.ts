import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import type { Refusal } from '../errors.ts';
import { decideClaim } from './rules.ts';
import { lockOwnDevices, type Claimant } from './sql.ts';

/** Who asks for items, for which device if any. */
export interface Asking {
  readonly userId: Id;
  readonly deviceId?: Id | undefined;
}

/** Why each may not have items for the device that is named; asks the database only where one is. */
export async function refusalsOf(db: Db, asking: readonly Asking[]): Promise<(Refusal | undefined)[]> {
  const claimants = asking.filter((one): one is Claimant => one.deviceId !== undefined);
  if (claimants.length === 0) return [];
  const own = await lockOwnDevices(db, claimants);
  return asking.map(({ userId, deviceId }) => {
    if (deviceId === undefined) return undefined;
    const device = own.find((one) => one.deviceId === deviceId && one.userId === userId);
    return decideClaim(deviceId, device);
  });
}
