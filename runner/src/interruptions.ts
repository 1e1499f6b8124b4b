import type { Id, Schemas } from '@millrace/api';
import { pause } from './backoff.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { Lease } from './leases.ts';

/** Waits until the holder of some of these items has to stop; returns those items, or none when its time is up. */
export type WatchItems = (
  queueId: Id,
  leases: Schemas['WatchedLease'][],
) => Promise<readonly Schemas['LeaseOutcome'][]>;

// Items that are done sooner need no watching.
const settleSeconds = 1;
const failedSeconds = 10;

/**
 * Has the server say at once when an item is cancelled or taken away, and sends a heartbeat then, which settles it. Should such a
 * call fail, the regular heartbeats bring the news later.
 */
export async function hearOfInterruptions(heartbeats: Heartbeats, watch: WatchItems): Promise<void> {
  const { leases, stopped } = heartbeats;
  const watched = new Set<Lease>();
  const calls = new Set<Promise<void>>();
  const isAtWork = (lease: Lease) => leases.held.has(lease) && !lease.controller.signal.aborted;
  while (!stopped.aborted) {
    const begun = [...leases.held].filter((lease) => !watched.has(lease));
    await pause(settleSeconds, stopped);
    for (const group of byQueue(begun.filter(isAtWork))) {
      for (const lease of group) watched.add(lease);
      const call = hearOf(heartbeats, group, watch).finally(() => {
        for (const lease of group) watched.delete(lease);
        calls.delete(call);
      });
      calls.add(call);
    }
  }
  await Promise.all(calls);
}

/** One call; the remaining items are watched by the next. */
async function hearOf(
  { beat, leases, stopped }: Heartbeats,
  group: readonly Lease[],
  watch: WatchItems,
): Promise<void> {
  const queueId = group[0]?.item.queueId ?? 0;
  try {
    const outcomes = await watch(
      queueId,
      group.map(({ item: { id, version } }) => ({ id, version })),
    );
    const interrupted = new Set(outcomes.map(({ id }) => id));
    // An item reported meanwhile is not held any more either, which is fine.
    if (group.some((lease) => leases.held.has(lease) && interrupted.has(lease.item.id))) await beat();
  } catch {
    await pause(failedSeconds, stopped);
  }
}

function byQueue(leases: readonly Lease[]): Lease[][] {
  const groups = new Map<Id, Lease[]>();
  for (const lease of leases) {
    const { queueId } = lease.item;
    groups.set(queueId, [...(groups.get(queueId) ?? []), lease]);
  }
  return [...groups.values()];
}
