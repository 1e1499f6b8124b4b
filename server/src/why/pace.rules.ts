import { stringifyJson } from '@millrace/api';
import { suits } from '../dispatch/rules.ts';
import { eligibleDevices } from './devices.rules.ts';
import type { AutomationFacts, DeviceFacts, QueueFacts, Rival } from './facts.ts';
import { enabledUsers } from './run-as.rules.ts';

/** How far an item, or the last of a queue, is from its start. */
export interface Distance {
  /** Items that start before it. */
  readonly ahead: number;
  /** Whether even the first of them waits for something that runs now. */
  readonly isBusy: boolean;
  /** Whether the threshold of the queue keeps further devices from it for now. */
  readonly isNarrow: boolean;
}

/**
 * Seconds until an item starts.
 * @returns undefined when the recent minutes measured nothing, or others go first for as long as they have work; unless it
 *   starts at once anyway.
 */
export function secondsToStart(facts: QueueFacts, { ahead, isBusy, isNarrow }: Distance): number | undefined {
  const turns = ahead + (isBusy ? 1 : 0);
  if (turns === 0) return 0;
  const { handlingSeconds } = facts.pace;
  const rate = atOnce(facts, isNarrow);
  return handlingSeconds === undefined || rate === 0 ? undefined : (turns * handlingSeconds) / rate;
}

/** What an expected start rests on. */
export function paceFacts(facts: QueueFacts, isNarrow: boolean) {
  const { handlingSeconds: averageHandlingSeconds } = facts.pace;
  const rate = Math.round(100 * atOnce(facts, isNarrow)) / 100;
  return { atOnce: rate, ...(averageHandlingSeconds !== undefined && { averageHandlingSeconds }) };
}

/** How many items of the queue run at once in the long run, as things are; a fraction where slots are shared. */
function atOnce({ automation, running, runningOnDevices }: QueueFacts, isNarrow: boolean): number {
  if (automation?.status !== 'ACTIVE') return Math.max(1, running);
  const slots = isNarrow ? Math.max(1, runningOnDevices) : slotsFor(automation);
  const held = Math.max(0, running - runningOnDevices);
  const limit = automation.runAsUsers.length > 0 ? enabledUsers(automation).length : slots;
  return held + Math.min(slots, limit);
}

/** The slots of devices that the automation may count on, each weighed by the share that others leave it. */
function slotsFor(automation: AutomationFacts): number {
  return sum(kindsOf(eligibleDevices(automation)).map((kind) => kind.slots * shareOf(kind, automation)));
}

/** Devices with the same pools, labels and bots as one with the slots of all: a large pool has few kinds of them. */
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
  const rivals = automation.rivals.filter((rival) => suits(kind, rival));
  const pools = new Set([automation.poolId, ...rivals.map(({ poolId }) => poolId)]);
  const neighbours = rivals.filter(({ poolId }) => poolId === automation.poolId);
  return shareInPool(automation, neighbours) / pools.size;
}

function shareInPool({ scheme, priority, weight }: AutomationFacts, rivals: readonly Rival[]): number {
  if (scheme === 'ROUND_ROBIN') return 1 / (1 + rivals.length);
  if (scheme === 'FAIR') return weight / (weight + weightOf(rivals));
  if (rivals.some((rival) => rival.priority > priority)) return 0;
  return weight / (weight + weightOf(rivals.filter((rival) => rival.priority === priority)));
}

function weightOf(rivals: readonly Rival[]): number {
  return sum(rivals.map(({ weight }) => weight));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
