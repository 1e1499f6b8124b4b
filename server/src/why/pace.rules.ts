import { stringifyJson } from '@millrace/api';
import { suits } from '../dispatch/rules.ts';
import type { AutomationFacts, CompetingAutomation, DeviceFacts, QueueFacts } from './facts.ts';
import { eligibleDevices, enabledUsers } from './hindrances.rules.ts';

/** The distance of an item, or of the last one of a queue, from its start. */
export interface Distance {
  /** Items that start before it. */
  readonly ahead: number;
  /** Whether even the first of them waits for a running item. */
  readonly isBusy: boolean;
  /** Whether the threshold of the queue keeps further devices from it for now. */
  readonly isNarrow: boolean;
}

/**
 * Seconds until an item starts.
 * @returns 0 when it starts at once; undefined when nothing was measured in the recent minutes, or others go first for as long as they have
 *   work.
 */
export function secondsToStart(facts: QueueFacts, { ahead, isBusy, isNarrow }: Distance): number | undefined {
  const itemsBefore = ahead + (isBusy ? 1 : 0);
  if (itemsBefore === 0) return 0;
  const { handlingSeconds } = facts.pace;
  const rate = atOnce(facts, isNarrow);
  return handlingSeconds === undefined || rate === 0 ? undefined : (itemsBefore * handlingSeconds) / rate;
}

/** The facts behind an expected start. */
export function paceFacts(facts: QueueFacts, isNarrow: boolean) {
  const { handlingSeconds: averageHandlingSeconds } = facts.pace;
  const rate = Math.round(100 * atOnce(facts, isNarrow)) / 100;
  return { atOnce: rate, ...(averageHandlingSeconds !== undefined && { averageHandlingSeconds }) };
}

/** Number of items of the queue that run at once in the long run under present conditions; a fraction where slots are shared. */
function atOnce({ automation, running, runningOnDevices }: QueueFacts, isNarrow: boolean): number {
  if (automation?.status !== 'ACTIVE') return Math.max(1, running);
  const slots = isNarrow ? Math.max(1, runningOnDevices) : slotsFor(automation);
  const held = Math.max(0, running - runningOnDevices);
  const limit = automation.runAsUsers.length > 0 ? enabledUsers(automation).length : slots;
  return held + Math.min(slots, limit);
}

/** The slots available to the automation, each device weighed by the share that competing automations leave. */
function slotsFor(automation: AutomationFacts): number {
  return sum(kindsOf(eligibleDevices(automation)).map((kind) => kind.slots * shareOf(kind, automation)));
}

/** Devices with the same pools, labels and bots, added up: a large pool has few kinds of devices. */
function kindsOf(devices: readonly DeviceFacts[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { poolIds, labels, bots, slots } of devices) {
    const key = stringifyJson([poolIds, labels, bots]);
    kinds.set(key, { poolIds, labels, bots, slots: (kinds.get(key)?.slots ?? 0) + slots });
  }
  return [...kinds.values()];
}

type Kind = Pick<DeviceFacts, 'poolIds' | 'labels' | 'bots' | 'slots'>;

/** The pools of a device take turns, and within each the scheme decides. */
function shareOf(kind: Kind, automation: AutomationFacts): number {
  const competing = automation.competing.filter((other) => suits(kind, other));
  const pools = new Set([automation.poolId, ...competing.map(({ poolId }) => poolId)]);
  const neighbours = competing.filter(({ poolId }) => poolId === automation.poolId);
  return shareInPool(automation, neighbours) / pools.size;
}

function shareInPool(
  { scheme, priority, weight }: AutomationFacts,
  competing: readonly CompetingAutomation[],
): number {
  if (scheme === 'ROUND_ROBIN') return 1 / (1 + competing.length);
  if (scheme === 'FAIR') return weight / (weight + weightOf(competing));
  if (competing.some((other) => other.priority > priority)) return 0;
  return weight / (weight + weightOf(competing.filter((other) => other.priority === priority)));
}

function weightOf(competing: readonly CompetingAutomation[]): number {
  return sum(competing.map(({ weight }) => weight));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
