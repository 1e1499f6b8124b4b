import { mayStart, type Reactivation } from '../dispatch/rules.ts';
import { capacityHindrance, deviceHindrance, eligibleDevices } from './devices.rules.ts';
import type { AutomationFacts, QueueFacts, Reason } from './facts.ts';
import { because, byWhom, count, instant, span } from './words.ts';

/**
 * What keeps the waiting items of a queue from starting, the most decisive first. What comes to an end by itself, such as busy
 * slots, is a hindrance as well; `passes` says so.
 */
export function hindrances(facts: QueueFacts): Reason[] {
  const found = [archived(facts), paused(facts), ...supplyHindrances(facts), belowThreshold(facts)];
  return found.filter((reason) => reason !== undefined);
}

/** Whether the hindrance passes when items that run now are done. */
export function passes({ code }: Reason): boolean {
  return code === 'SLOTS_BUSY' || code === 'RUN_AS_USERS_TAKEN';
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

/** How many items can run at once, as things are. */
function atOnce({ automation, running }: QueueFacts): number {
  if (automation?.status !== 'ACTIVE') return Math.max(1, running);
  const slots = eligibleDevices(automation).reduce((total, device) => total + device.slots, 0);
  const { runAsUsers } = automation;
  return Math.max(1, runAsUsers > 0 ? Math.min(slots, runAsUsers) : slots);
}

/**
 * Seconds until an item starts that has so many before it.
 * @returns undefined when the recent minutes measured nothing, unless it starts at once anyway.
 */
export function secondsToStart(facts: QueueFacts, ahead: number, isBusy: boolean): number | undefined {
  const turns = ahead + (isBusy ? 1 : 0);
  if (turns === 0) return 0;
  const { handlingSeconds } = facts.pace;
  return handlingSeconds === undefined ? undefined : (turns * handlingSeconds) / atOnce(facts);
}

/** The queue when nothing keeps its items from starting. */
export function goingOn(facts: QueueFacts): Reason {
  const { waiting, running, pace } = facts;
  if (waiting === 0) {
    const sentence =
      running === 0
        ? 'Nothing waits and nothing runs.'
        : `Nothing waits; ${count(running, 'item')} are being processed.`;
    return {
      code: 'EMPTY',
      sentence: sentence.replace('1 item are', '1 item is'),
      facts: { waiting, running },
    };
  }
  const seconds = secondsToStart(facts, waiting - 1, running > 0);
  const end =
    seconds === undefined
      ? ''
      : ` At the pace of the last ${pace.minutes} minutes the last of them starts in about ${span(seconds)}.`;
  return {
    code: 'WORKING',
    sentence: `Nothing holds the queue up: ${count(waiting, 'item')} ${waiting === 1 ? 'waits' : 'wait'}, ${count(running, 'item')} ${running === 1 ? 'is' : 'are'} being processed.${end}`,
    facts: { waiting, running, ...paceFacts(facts) },
  };
}

export function paceFacts(facts: QueueFacts) {
  const { handlingSeconds: averageHandlingSeconds } = facts.pace;
  return { atOnce: atOnce(facts), ...(averageHandlingSeconds !== undefined && { averageHandlingSeconds }) };
}

function archived({ archivedOn, queueId }: QueueFacts): Reason | undefined {
  if (!archivedOn) return undefined;
  return {
    code: 'QUEUE_ARCHIVED',
    sentence: `The queue is archived since ${instant(archivedOn)} and grants nothing. Restore it first.`,
    facts: { queueId, since: archivedOn },
  };
}

function paused({ status, pause, queueId }: QueueFacts): Reason | undefined {
  if (status === 'ACTIVE') return undefined;
  const { by, byName, on, reason, until } = pause ?? {};
  const since = on ? ` since ${instant(on)}` : '';
  const end = until ? `It goes on by itself at ${instant(until)}.` : 'Resume it to go on.';
  return {
    code: 'QUEUE_PAUSED',
    sentence: `The queue is paused${since}${byWhom(byName)}${because(reason)}. ${end}`,
    facts: { queueId, by, byName, since: on, reason, until },
  };
}

/** Who would take the items: an automation and its devices, or consumers that claim by themselves. */
function supplyHindrances(facts: QueueFacts): (Reason | undefined)[] {
  const { automation } = facts;
  // Consumers at work that claim by themselves need no automation, and no device.
  if (automation?.status !== 'ACTIVE' && facts.isClaimedFrom) return [];
  if (!automation) return [noAutomation(facts)];
  if (automation.status !== 'ACTIVE') return [notActive(automation)];
  const device = deviceHindrance(automation);
  return device ? [device] : [capacityHindrance(automation)];
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

function belowThreshold({ reactivation, runningOnDevices }: QueueFacts): Reason | undefined {
  const missing = missingToStart(reactivation, runningOnDevices);
  if (missing === 0) return undefined;
  const { unit, threshold, waiting } = reactivation;
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

/** How many items must still come (COUNT) or be taken (PERCENT) before one more device is started; 0 when it may be. */
function missingToStart(reactivation: Reactivation, running: number): number {
  const { unit, threshold, waiting, started } = reactivation;
  if (waiting === 0 || mayStart({ reactivation, running })) return 0;
  if (unit === 'COUNT') return threshold - waiting;
  // What is taken moves from waiting to started, and the pass stays as large as it is.
  const pass = Math.max(started, running) + waiting;
  return waiting - Math.ceil((threshold * pass) / 100) + 1;
}
