import type { Id } from '@millrace/api';
import { scopeOf } from '../automations/find.ts';
import { findsDevice } from '../devices/find.ts';
import { Refusal } from '../errors.ts';
import type { QueueContext } from '../operation.ts';
import { poolCapabilities } from '../pools/find.ts';
import { recentMinutes, selectTotals, type Totals } from '../stats/sql.ts';
import { unknownItem } from '../work-items/consume.ts';
import {
  mostAhead,
  type AutomationFacts,
  type DeviceFacts,
  type ItemFacts,
  type Pace,
  type Pause,
  type QueueFacts,
} from './facts.ts';
import { isClaimedFrom } from './queue.rules.ts';
import {
  countAhead,
  selectAutomationFacts,
  selectBackOff,
  selectItemFacts,
  selectNextDeferred,
  selectPoolDevices,
  selectQueueFacts,
  selectRivals,
  type StoredQueueFacts,
} from './sql.ts';

/** All that decides whether the items of the queue start. */
export async function readQueueFacts(context: QueueContext): Promise<QueueFacts> {
  const { db, queue, now, actor } = context;
  const [stored, totals, backOff, nextDeferred, automation] = await Promise.all([
    selectQueueFacts(db, queue.id),
    selectTotals(db, queue.id, now),
    selectBackOff(db, queue.id),
    selectNextDeferred(db, queue.id),
    readAutomation(context),
  ]);
  if (!stored) throw new Refusal('NOT_FOUND', `There is no queue ${queue.id} any more.`);
  const { NEW: undone, IN_PROGRESS: running, DEFERRED: deferred } = totals.counts;
  const { threshold, unit, started, ...facts } = stored;
  return {
    ...facts,
    pause: pauseOf(stored),
    // Each number is read a moment after the other.
    waiting: Math.max(0, undone - backOff.items),
    backOff,
    deferred: { items: deferred, nextOn: nextDeferred },
    running,
    pace: paceOf(totals),
    automation,
    isClaimedFrom: isClaimedFrom(stored, { now, recentMinutes }),
    reactivation: { unit, threshold, started, waiting: undone },
    mayProcess: actor.capabilities.has('process'),
  };
}

function pauseOf({ pausedBy, pausedByName, pausedOn, pauseReason, pausedUntil }: StoredQueueFacts): Pause {
  return { by: pausedBy, byName: pausedByName, on: pausedOn, reason: pauseReason, until: pausedUntil };
}

function paceOf({ finishedComplete, finishedFailed, handlingMilliseconds }: Totals): Pace {
  const finished = finishedComplete + finishedFailed;
  const handlingSeconds = finished > 0 ? handlingMilliseconds / finished / 1000 : undefined;
  return { minutes: recentMinutes, finished, handlingSeconds };
}

async function readAutomation(context: QueueContext): Promise<AutomationFacts | undefined> {
  const { db, queue, actor } = context;
  const automation = await selectAutomationFacts(db, queue.id, scopeOf(actor));
  // Whoever has to activate it first need not hear of its devices.
  if (automation?.status !== 'ACTIVE') return automation && { ...automation, devices: [], rivals: [] };
  const devices = await readDevices(context, automation.poolId);
  const poolIds = [...new Set([automation.poolId, ...devices.flatMap((device) => device.poolIds)])];
  return { ...automation, devices, rivals: await selectRivals(db, automation.id, poolIds) };
}

/** The devices of a pool; their names are for those who may see them. */
async function readDevices(context: QueueContext, poolId: Id): Promise<DeviceFacts[]> {
  const { db, actor } = context;
  const [devices, capabilities] = await Promise.all([
    selectPoolDevices(db, poolId),
    poolCapabilities(context, poolId),
  ]);
  const seesAll = capabilities.has('view');
  return devices.map(({ userId, ...device }) => (seesAll || userId === actor.id ? device : nameless(device)));
}

function nameless(device: DeviceFacts): DeviceFacts {
  return { ...device, name: numberOf(device.id), stateReason: undefined };
}

function numberOf(deviceId: Id): string {
  return `device ${deviceId}`;
}

/** An item of the queue, with its place in it. @throws Refusal NOT_FOUND */
export async function readItemFacts(context: QueueContext, id: Id): Promise<ItemFacts> {
  const { db, queue } = context;
  const stored = await selectItemFacts(db, queue.id, id);
  if (!stored) throw unknownItem(queue, id);
  const { sortKey, deviceId, ...item } = stored;
  const ahead =
    item.status === 'NEW' ? await countAhead(db, queue.id, { sortKey, id: item.id }, mostAhead + 1) : 0;
  const isSeen = deviceId === undefined || (await findsDevice(context, deviceId));
  const deviceName = isSeen ? item.deviceName : numberOf(deviceId);
  return { ...item, deviceName, ahead, retryLimit: queue.autoRetryLimit, lapseLimit: queue.lapseLimit };
}
