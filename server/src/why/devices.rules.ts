import { suits } from '../dispatch/rules.ts';
import type { AutomationFacts, DeviceFacts, Reason } from './facts.ts';
import { count, listed, names } from './words.ts';

/** What is asked of a device, and what to say when none of those that are left meets it. */
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

/** Devices of the pool that run the automation's items, whether they are busy or not. */
export function eligibleDevices(automation: AutomationFacts): DeviceFacts[] {
  return automation.devices.filter((device) => isAtWork(device) && suits(device, automation));
}

/** Why no device of the pool can run the automation's items; undefined when one can, be it busy. */
export function deviceHindrance(automation: AutomationFacts): Reason | undefined {
  let left = automation.devices;
  for (const { isMet, otherwise } of demands) {
    const meeting = left.filter((device) => isMet(device, automation));
    if (meeting.length === 0) return otherwise(automation, left);
    left = meeting;
  }
  return undefined;
}

/** That every device which can run the automation's items is full; undefined when one has room, or none can. */
export function slotsHindrance(automation: AutomationFacts): Reason | undefined {
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
  // To start one that lacks a label or the bot would not help.
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
    return `${name} is ${state}${why}`;
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

/** What to do about devices that would do if they were connected or resumed; no sentence when there are none. */
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
