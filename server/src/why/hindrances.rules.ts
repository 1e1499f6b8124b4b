import { mayStart, suits } from '../dispatch/rules.ts';
import type { AutomationFacts, DeviceFacts, QueueFacts, Reason, RunAsUserFacts } from './facts.ts';
import { because, byWhom, count, instant, listed } from './words.ts';

/** The reasons that keep the waiting items of a queue from starting, the most decisive first in each list. */
export interface Hindrances {
  /** These last until somebody acts, or a time comes. */
  readonly lasting: readonly Reason[];
  /** These pass as soon as running items are done. */
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

/** The permission that the caller lacks to claim items without an automation. */
export function ownHindrance({ queueId, mayProcess, automation }: QueueFacts): Reason | undefined {
  if (mayProcess || automation?.status === 'ACTIVE') return undefined;
  return {
    code: 'MISSING_PERMISSION',
    sentence:
      'You may look at this queue but not claim from it: none of your roles is a consumer of it. An owner can add one.',
    facts: { queueId, needed: 'process' },
  };
}

/** The reason that the queue is archived: until it is restored, no other remedy works. */
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
  // An archived queue is paused as well, and cannot be resumed while archived.
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

/** The facts that decide whether consumers claim from a queue by themselves. */
export interface ClaimFacts {
  /** Whether consumers hold items. */
  readonly isHeld: boolean;
  /** The time of the last claim, or wait for items, to within some seconds. */
  readonly askedOn?: Date | undefined;
  readonly consumerRoles: number;
}

// A call that waits for items is noted more often than that.
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

/** Hindrances on the side of the takers: an automation and its devices, or consumers that claim by themselves. */
function supplyHindrances(facts: QueueFacts): Supply {
  const { automation } = facts;
  // Consumers that claim by themselves need no automation, and no device.
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

/** The reason that the threshold keeps one more device from the queue: until more items come (COUNT), or are taken (PERCENT). */
function belowThreshold(facts: QueueFacts): Reason | undefined {
  const missing = missingToStart(facts);
  if (missing === 0) return undefined;
  const { unit, threshold, waiting } = facts.reactivation;
  const sentence =
    unit === 'COUNT'
      ? `The reactivation threshold of the queue is ${count(threshold, 'waiting item')}: ${count(missing, 'more item')} must come before it starts again.`
      : `The reactivation threshold of the queue is less than ${threshold} % of its reactivation cycle waiting: the devices at work must take ${count(missing, 'more item')} before another device is started on it.`;
  return {
    code: 'THRESHOLD',
    sentence,
    facts: { reactivationThreshold: threshold, reactivationUnit: unit, missing, waiting },
  };
}

function missingToStart(facts: QueueFacts): number {
  const { automation, reactivation, runningOnDevices: running } = facts;
  const { unit, threshold, waiting, started } = reactivation;
  // The threshold keeps devices off, but no consumer that claims by itself.
  const isForDevices = automation && (automation.status === 'ACTIVE' || !facts.isClaimedFrom);
  if (!isForDevices || waiting === 0 || mayStart({ reactivation, running })) return 0;
  if (unit === 'COUNT') return threshold - waiting;
  // Taken items move from waiting to started, so the size of the reactivation cycle does not change.
  const cycle = Math.max(started, running) + waiting;
  return waiting - Math.ceil((threshold * cycle) / 100) + 1;
}

/** A condition for devices, and the reason when none of the remaining devices meets it. */
interface Demand {
  readonly isMet: (device: DeviceFacts, automation: AutomationFacts) => boolean;
  readonly otherwise: (automation: AutomationFacts, left: readonly DeviceFacts[]) => Reason;
}

const demands: readonly Demand[] = [
  { isMet: () => true, otherwise: noDevice },
  { isMet: ({ isConnected }) => isConnected, otherwise: noneConnected },
  { isMet: ({ state }) => state === 'ACTIVE', otherwise: allHeld },
  { isMet: hasLabels, otherwise: labelMissing },
  { isMet: knowsBot, otherwise: botUnknown },
];

/** Devices of the pool that can run the automation's items, busy or not. */
export function eligibleDevices(automation: AutomationFacts): DeviceFacts[] {
  return automation.devices.filter((device) => isAtWork(device) && suits(device, automation));
}

/** The reason why no device of the pool can run the automation's items; undefined when one can, busy or not. */
function deviceHindrance(automation: AutomationFacts): Reason | undefined {
  let left = automation.devices;
  for (const { isMet, otherwise } of demands) {
    const meeting = left.filter((device) => isMet(device, automation));
    if (meeting.length === 0) return otherwise(automation, left);
    left = meeting;
  }
  return undefined;
}

/** The reason that every device which can run the automation's items is full; undefined when one has room, or none can. */
function slotsHindrance(automation: AutomationFacts): Reason | undefined {
  const eligible = eligibleDevices(automation);
  if (eligible.length === 0 || eligible.some((device) => device.busySlots < device.slots)) return undefined;
  const slots = eligible.reduce((total, device) => total + device.slots, 0);
  const on = eligible.length === 1 ? 'device' : count(eligible.length, 'device');
  return {
    code: 'SLOTS_BUSY',
    sentence: `All ${count(slots, 'slot')} of the ${on} that can run it are busy. The next item starts when one is free.`,
    facts: { ...about(automation), slots, deviceIds: idsOf(eligible) },
  };
}

function noDevice(automation: AutomationFacts): Reason {
  const { poolName } = automation;
  return {
    code: 'NO_DEVICE',
    sentence: `The pool "${poolName}" of the automation "${automation.name}" has no devices. Add some to it.`,
    facts: about(automation),
  };
}

function noneConnected(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  // Starting a device that lacks a label or the bot would not help.
  const fitting = devices.filter((device) => suits(device, automation));
  const wanted = fitting.length > 0 ? fitting : devices;
  return {
    code: 'NO_DEVICE_CONNECTED',
    sentence: `No device of the pool "${automation.poolName}" is connected. Start the agent on ${oneOf(wanted)}.`,
    facts: { ...about(automation), deviceIds: idsOf(wanted) },
  };
}

function allHeld(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const states = devices.map(({ name, state, stateReason }) => {
    const why = stateReason === undefined || stateReason === '' ? '' : ` (${stateReason})`;
    return `${name} is ${state === 'DRAINING' ? 'draining' : 'quarantined'}${why}`;
  });
  const next = devices.length === 1 ? 'Resume it' : 'Resume one';
  return {
    code: 'DEVICES_HELD',
    sentence: `No connected device of the pool "${automation.poolName}" takes work: ${listed(states)}. ${next}.`,
    facts: { ...about(automation), deviceIds: idsOf(devices) },
  };
}

function labelMissing(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const { labels, poolName } = automation;
  const nowhere = labels.filter((label) => devices.every((device) => !device.labels.includes(label)));
  const wanted = nowhere.length > 0 ? nowhere : labels;
  const together = nowhere.length > 0 || labels.length === 1 ? '' : ' together';
  const [noun, them] = wanted.length === 1 ? ['label', 'it'] : ['labels', 'them'];
  const { sentence, facts } = outOfReach(automation, hasLabels, `has ${them}`);
  return {
    code: 'NO_DEVICE_WITH_LABELS',
    sentence: `No connected device of the pool "${poolName}" that takes work has the ${noun} ${names(wanted)}${together}. ${sentence ?? `Give ${them} to a device, or add one that has ${them}`}.`,
    facts: { ...about(automation), labels: wanted, deviceIds: idsOf(devices), ...facts },
  };
}

function botUnknown(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const { botName, poolName } = automation;
  const { sentence, facts } = outOfReach(automation, suits, 'knows it');
  return {
    code: 'NO_DEVICE_WITH_BOT',
    sentence: `No device of the pool "${poolName}" that is connected and fits knows the bot "${botName}". ${sentence ?? 'Add it to the configuration of an agent'}.`,
    facts: { ...about(automation), botName, deviceIds: idsOf(devices), ...facts },
  };
}

/** The advice for bringing in devices that only have to be connected or resumed; undefined when there are none. */
function outOfReach(automation: AutomationFacts, isMet: Demand['isMet'], does: string) {
  const meeting = automation.devices.filter((device) => !isAtWork(device) && isMet(device, automation));
  const lost = meeting.filter(({ isConnected }) => !isConnected);
  const held = meeting.filter(({ isConnected }) => isConnected);
  const advice = [
    ...(lost.length > 0 ? [`start the agent on ${oneOf(lost)}, which ${does}`] : []),
    ...(held.length > 0 ? [`resume ${oneOf(held)}, which ${does}`] : []),
  ].join(', or ');
  const sentence = advice === '' ? undefined : advice.charAt(0).toUpperCase() + advice.slice(1);
  const facts = {
    ...(lost.length > 0 && { disconnectedDeviceIds: idsOf(lost) }),
    ...(held.length > 0 && { heldDeviceIds: idsOf(held) }),
  };
  return { sentence, facts };
}

function oneOf(devices: readonly DeviceFacts[]): string {
  return `${devices.length > 1 ? 'one of ' : ''}${names(devices.map(({ name }) => name))}`;
}

function isAtWork({ isConnected, state }: DeviceFacts): boolean {
  return isConnected && state === 'ACTIVE';
}

function hasLabels(device: DeviceFacts, { labels }: AutomationFacts): boolean {
  return labels.every((label) => device.labels.includes(label));
}

function knowsBot({ bots }: DeviceFacts, { botName }: AutomationFacts): boolean {
  return bots.includes(botName);
}

function about({ id, name, poolId, poolName }: AutomationFacts) {
  return { automationId: id, automationName: name, poolId, poolName };
}

function idsOf(devices: readonly DeviceFacts[]) {
  return devices.slice(0, 100).map(({ id }) => id);
}

/** The reason that all run-as users are disabled; undefined when the automation needs none. */
function disabledHindrance(automation: AutomationFacts): Reason | undefined {
  const { name, runAsUsers } = automation;
  if (runAsUsers.length === 0 || enabledUsers(automation).length > 0) return undefined;
  const [who, them] =
    runAsUsers.length === 1
      ? [`The run-as user ${namesOf(runAsUsers)} of the automation "${name}" is disabled`, 'this user']
      : [`All run-as users of the automation "${name}" are disabled: ${namesOf(runAsUsers)}`, 'one of them'];
  return {
    code: 'RUN_AS_USERS_DISABLED',
    sentence: `${who}. Enable ${them}, or give the automation another one.`,
    facts: factsOf(automation),
  };
}

/** The reason that all enabled run-as users are at work. */
function takenHindrance(automation: AutomationFacts): Reason | undefined {
  const enabled = enabledUsers(automation);
  if (enabled.length === 0 || enabled.some(({ run }) => run === undefined)) return undefined;
  const disabled = automation.runAsUsers.filter(({ isDisabled }) => isDisabled);
  const [which, others] = disabled.length === 0 ? ['', ''] : ['enabled ', ` Disabled: ${namesOf(disabled)}.`];
  const [who, free] =
    enabled.length === 1
      ? [`The only ${which}run-as user`, 'this user']
      : [`All ${which}run-as users`, 'one of them'];
  const work = listed(enabled.map((user) => `"${user.name}" ${workOf(user)}`));
  return {
    code: 'RUN_AS_USERS_TAKEN',
    sentence: `${who} of the automation "${automation.name}" ${enabled.length === 1 ? 'is' : 'are'} at work: ${work}. The next item starts when ${free} is free.${others}`,
    facts: factsOf(automation),
  };
}

/** The run-as users who are not disabled. */
export function enabledUsers({ runAsUsers }: AutomationFacts): readonly RunAsUserFacts[] {
  return runAsUsers.filter(({ isDisabled }) => !isDisabled);
}

function workOf({ run }: RunAsUserFacts): string {
  if (run?.automationName === undefined) return 'for another automation';
  return `on item ${run.itemId} (automation "${run.automationName}")`;
}

function namesOf(users: readonly RunAsUserFacts[]): string {
  return names(users.map(({ name }) => name));
}

function factsOf({ id, name, runAsUsers }: AutomationFacts) {
  const users = runAsUsers.slice(0, 100).map((user) => ({
    name: user.name,
    isDisabled: user.isDisabled,
    ...user.run,
  }));
  return { automationId: id, automationName: name, runAsUsers: users };
}

/** Names in quotation marks, as a list. */
function names(list: readonly string[]): string {
  return listed(list.map((name) => `"${name}"`));
}
