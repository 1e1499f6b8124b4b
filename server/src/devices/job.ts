import type { Job } from '../job.ts';
import { recordOfDevices } from './presence.ts';
import { markLost, type LostDevice } from './presence.sql.ts';

/** A device that was not heard of for so long is DISCONNECTED. */
const silenceMs = 45_000;
const pauseMs = 2000;
const portion = 500;
const millrace = 0;

/** Notes which devices have gone silent. Their items go back when the leases end, as anybody's. */
export const disconnectSilentDevices: Job = {
  name: 'disconnectSilentDevices',
  run: async (context) => {
    const silentSince = new Date(context.now.getTime() - silenceMs);
    const lost = await markLost(context.db, silentSince, portion);
    await recordOfDevices(context, lost.map(lossOf));
    return lost.length === portion ? 0 : pauseMs;
  },
};

function lossOf({ id, tenantId, lastSeenOn }: LostDevice) {
  return {
    tenantId,
    operation: 'disconnectSilentDevices',
    actorId: millrace,
    deviceId: id,
    reason: `not heard of since ${lastSeenOn.toISOString()}`,
    changes: { status: 'DISCONNECTED' },
  };
}
