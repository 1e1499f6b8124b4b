import { mayStart } from '../dispatch/rules.ts';
import { deviceHindrance, slotsHindrance } from './devices.rules.ts';
import type { AutomationFacts, QueueFacts, Reason } from './facts.ts';
import { disabledHindrance, takenHindrance } from './run-as.rules.ts';
import { because, byWhom, count, instant } from './words.ts';

/** What keeps the waiting items of a queue from starting, the most decisive first in each list. */
export interface Hindrances {
  /** Somebody has to do something, or a time has to come. */
  readonly lasting: readonly Reason[];
  /** Come to an end as soon as items that run now are done. */
  readonly passing: readonly Reason[];
}

export function hindrancesOf(facts: QueueFacts): Hindrances {
  const supply = supplyHindrances(facts);
  const threshold = belowThreshold(facts);
  const isPassing = facts.reactivation.unit === 'PERCENT';
  return {
    lasting: present([archived(facts), paused(facts), ...supply.lasting, isPassing ? undefined : threshold]),
    passing: present([...supply.passing, isPassing ? threshold : undefined]),
  };
}

function present(reasons: readonly (Reason | undefined)[]): Reason[] {
  return reasons.filter((reason) => reason !== undefined);
}

/** What the caller lacks to help themselves, after all that concerns everybody. */
export function ownHindrance({ queueId, mayProcess, automation }: QueueFacts): Reason | undefined {
  if (mayProcess || automation?.status === 'ACTIVE') return undefined;
  return {
    code: 'MISSING_PERMISSION',
    sentence:
      'You may look at this queue but not claim from it: none of your roles is a consumer of it. An owner can add one.',
    facts: { queueId, needed: 'process' },
  };
}

/** That the queue is archived, which forbids every other help. */
export function archived({ archivedOn, pause, queueId }: QueueFacts): Reason | undefined {
  if (!archivedOn) return undefined;
  const { by, byName, reason } = pause ?? {};
  return {
    code: 'QUEUE_ARCHIVED',
    sentence: `The queue is archived since ${instant(archivedOn)}${byWhom(byName)} and grants nothing. Restore it, and resume it then.`,
    facts: { queueId, by, byName, since: archivedOn, reason },
  };
}

function paused({ status, archivedOn, pause, queueId }: QueueFacts): Reason | undefined {
  // An archived queue is paused as well, and cannot be resumed as it is.
  if (status === 'ACTIVE' || archivedOn) return undefined;
  const { by, byName, on, reason, until } = pause ?? {};
  const since = on ? ` since ${instant(on)}` : '';
  const end = until ? `It goes on by itself at ${instant(until)}.` : 'Resume it to go on.';
  return {
    code: 'QUEUE_PAUSED',
    sentence: `The queue is paused${since}${byWhom(byName)}${because(reason)}. ${end}`,
    facts: { queueId, by, byName, since: on, reason, until },
  };
}

/** What tells whether consumers claim from a queue by themselves. */
export interface ClaimFacts {
  /** Whether they hold items. */
  readonly isHeld: boolean;
  /** When somebody last claimed, or waited for items, to within some seconds. */
  readonly askedOn?: Date | undefined;
  readonly consumerRoles: number;
}

// Who waits for items is noted more often than that.
const openSeconds = 45;

/** Whether consumers are at work on the queue: they hold items of it, wait for some, or claimed recently and still may. */
export function isClaimedFrom(
  { isHeld, askedOn, consumerRoles }: ClaimFacts,
  { now, recentMinutes }: { readonly now: Date; readonly recentMinutes: number },
): boolean {
  if (isHeld) return true;
  const seconds = askedOn ? (now.getTime() - askedOn.getTime()) / 1000 : Infinity;
  return seconds < (consumerRoles > 0 ? 60 * recentMinutes : openSeconds);
}

interface Supply {
  readonly lasting: readonly (Reason | undefined)[];
  readonly passing: readonly (Reason | undefined)[];
}

/** Who would take the items: an automation and its devices, or consumers that claim by themselves. */
function supplyHindrances(facts: QueueFacts): Supply {
  const { automation } = facts;
  // Consumers at work that claim by themselves need no automation, and no device.
  if (automation?.status !== 'ACTIVE' && facts.isClaimedFrom) return { lasting: [], passing: [] };
  if (!automation) return { lasting: [noAutomation(facts)], passing: [] };
  if (automation.status !== 'ACTIVE') return { lasting: [notActive(automation)], passing: [] };
  return {
    lasting: [deviceHindrance(automation), disabledHindrance(automation)],
    passing: [takenHindrance(automation), slotsHindrance(automation)],
  };
}

function noAutomation({ consumerRoles, pace }: QueueFacts): Reason {
  const claims =
    consumerRoles === 0
      ? 'no role may claim from it'
      : `nobody has claimed from it in the last ${pace.minutes} minutes`;
  return {
    code: 'NO_AUTOMATION',
    sentence: `No automation sends the items of this queue to devices, and ${claims}. Create an automation, or start a consumer.`,
    facts: { consumerRoles },
  };
}

function notActive({ id, name, status, statusReason, statusByName, statusOn }: AutomationFacts): Reason {
  const since = statusOn ? ` since ${instant(statusOn)}` : '';
  return {
    code: status === 'STOPPED' ? 'AUTOMATION_STOPPED' : 'AUTOMATION_PAUSED',
    sentence: `The automation "${name}" is ${status.toLowerCase()}${since}${byWhom(statusByName)}${because(statusReason)}. Activate it to go on.`,
    facts: {
      automationId: id,
      automationName: name,
      since: statusOn,
      byName: statusByName,
      reason: statusReason,
    },
  };
}

/** That the threshold keeps one more device from the queue: until more items come (COUNT), or are taken (PERCENT). */
function belowThreshold(facts: QueueFacts): Reason | undefined {
  const missing = missingToStart(facts);
  if (missing === 0) return undefined;
  const { unit, threshold, waiting } = facts.reactivation;
  const sentence =
    unit === 'COUNT'
      ? `The reactivation threshold of the queue is ${count(threshold, 'waiting item')}: ${count(missing, 'more item')} must come before it starts again.`
      : `The reactivation threshold of the queue is less than ${threshold} % of the pass waiting: the devices at work must take ${count(missing, 'more item')} before another device is started on it.`;
  return {
    code: 'THRESHOLD',
    sentence,
    facts: { reactivationThreshold: threshold, reactivationUnit: unit, missing, waiting },
  };
}

function missingToStart(facts: QueueFacts): number {
  const { automation, reactivation, runningOnDevices: running } = facts;
  const { unit, threshold, waiting, started } = reactivation;
  // Devices only are kept off: consumers that claim by themselves are not.
  const isForDevices = automation && (automation.status === 'ACTIVE' || !facts.isClaimedFrom);
  if (!isForDevices || waiting === 0 || mayStart({ reactivation, running })) return 0;
  if (unit === 'COUNT') return threshold - waiting;
  // What is taken moves from waiting to started, and the pass stays as large as it is.
  const pass = Math.max(started, running) + waiting;
  return waiting - Math.ceil((threshold * pass) / 100) + 1;
}
