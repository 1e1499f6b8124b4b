import type { Client } from '@millrace/api';
import type { SendHeartbeats } from './heartbeats.ts';
import type { WatchItems } from './interruptions.ts';
import type { SendReports } from './outbox.ts';

/** The time for a call, on top of the time it waits for something. */
export const answerSeconds = 30;
/** The time a call waits for work, or for news of running items. */
export const waitSeconds = 30;

/** @param over gives up the calls under way */
export function callsOn(client: Client, leaseSeconds: number, over: AbortSignal) {
  const heartbeatSeconds = Math.min(10, Math.max(1, leaseSeconds / 3));
  const heartbeat: SendHeartbeats = async (id, leases) => {
    const options = { timeoutSeconds: heartbeatSeconds, signal: over };
    return (await client.heartbeatWorkItems({ path: { id }, body: { leases } }, options)).list;
  };
  const finish: SendReports = async (id, results) => {
    const options = { timeoutSeconds: answerSeconds, signal: over };
    return (await client.finishWorkItems({ path: { id }, body: { results } }, options)).list;
  };
  const watch: WatchItems = async (id, leases) => {
    const options = { timeoutSeconds: waitSeconds + answerSeconds, signal: over };
    return (await client.watchWorkItems({ path: { id }, body: { leases, waitSeconds } }, options)).list;
  };
  return { heartbeat, finish, watch };
}
