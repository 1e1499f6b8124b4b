import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { recentMinutes, selectTotals, type Totals } from '../stats/sql.ts';
import { unknownItem } from '../work-items/consume.ts';
import type { AutomationFacts, DeviceFacts, Pace, Pause, QueueFacts } from './facts.ts';
import { explainItemFacts, explainQueueFacts, type Explanation } from './item.rules.ts';
import {
  countAhead,
  selectAutomationFacts,
  selectItemFacts,
  selectPoolDevices,
  selectQueueFacts,
  type StoredItemFacts,
  type StoredQueueFacts,
} from './sql.ts';

export const explainQueue: QueueOperation<'explainQueue'> = async (context) =>
  answer(explainQueueFacts(await readQueueFacts(context), context.now));

export const explainWorkItem: QueueOperation<'explainWorkItem'> = async (context, { path }) => {
  const { db, queue, now } = context;
  const stored = await selectItemFacts(db, queue.id, path.workItemId);
  if (!stored) throw unknownItem(queue, path.workItemId);
  const { sortKey, ...item } = stored;
  const ahead = item.status === 'NEW' ? await countAhead(db, queue.id, sortKey, item.id) : 0;
  const limits = { retryLimit: queue.autoRetryLimit, lapseLimit: queue.lapseLimit };
  const facts = { ...item, ...limits, deviceName: shownName(context, stored), ahead };
  return answer(explainItemFacts(facts, await readQueueFacts(context), now));
};

async function readQueueFacts(context: QueueContext): Promise<QueueFacts> {
  const { db, queue, now, actor } = context;
  const [stored, totals, automation] = await Promise.all([
    selectQueueFacts(db, queue.id),
    selectTotals(db, queue.id, now),
    readAutomation(context),
  ]);
  if (!stored) throw new Refusal('NOT_FOUND', `There is no queue ${queue.id} any more.`);
  const { NEW: waiting, IN_PROGRESS: running } = totals.counts;
  const { threshold, unit, started, isClaimedFrom } = stored;
  return {
    ...stored,
    pause: pauseOf(stored),
    waiting,
    running,
    pace: paceOf(totals),
    automation,
    isClaimedFrom: isClaimedFrom || (!automation && totals.finishedComplete + totals.finishedFailed > 0),
    reactivation: { unit, threshold, started, waiting },
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

function shownName({ actor }: QueueContext, { deviceId, deviceName }: StoredItemFacts): string | undefined {
  if (deviceId === undefined || actor.permissions.has('viewDevices')) return deviceName;
  return numberOf(deviceId);
}

/** The automation and its devices; their names are for those who may see devices. */
async function readAutomation({ db, queue, actor }: QueueContext): Promise<AutomationFacts | undefined> {
  const automation = await selectAutomationFacts(db, queue.id);
  if (!automation) return undefined;
  const devices = await selectPoolDevices(db, automation.poolId);
  const seesNames = actor.permissions.has('viewDevices');
  return { ...automation, devices: seesNames ? devices : devices.map(nameless) };
}

function nameless(device: DeviceFacts): DeviceFacts {
  return { ...device, name: numberOf(device.id), stateReason: undefined };
}

function numberOf(deviceId: Id): string {
  return `device ${deviceId}`;
}

function answer({ reasons, expectedStartOn }: Explanation): Schemas['Explanation'] {
  const [first] = reasons;
  if (!first) throw new Error('an explanation without a reason');
  const { code, sentence } = first;
  return {
    code,
    sentence,
    ...(expectedStartOn && { expectedStartOn: expectedStartOn.toISOString() }),
    reasons: [...reasons],
  };
}
