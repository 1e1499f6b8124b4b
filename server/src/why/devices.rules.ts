import { count, names } from './words.ts';
import type { AutomationFacts, DeviceFacts, Reason } from './facts.ts';

/** Devices that a chain of demands leaves over, and what the demand is called when it leaves none. */
interface Demand {
  readonly isMet: (device: DeviceFacts) => boolean;
  readonly otherwise: (automation: AutomationFacts, devices: readonly DeviceFacts[]) => Reason;
}

const demands: readonly Demand[] = [
  { isMet: () => true, otherwise: noDevice },
  { isMet: ({ isConnected }) => isConnected, otherwise: noneConnected },
  { isMet: ({ state }) => state === 'ACTIVE', otherwise: allHeld },
];

/** Devices of the pool that run the automation's items, whether they are busy or not. */
export function eligibleDevices({ devices, labels, botName }: AutomationFacts): DeviceFacts[] {
  return devices.filter(
    (device) =>
      device.isConnected &&
      device.state === 'ACTIVE' &&
      lacks(device, labels).length === 0 &&
      knows(device, botName),
  );
}

/** Why no device of the pool can run the automation's items; undefined when one can, be it busy. */
export function deviceHindrance(automation: AutomationFacts): Reason | undefined {
  let left = automation.devices;
  const { labels, botName } = automation;
  const all: readonly Demand[] = [
    ...demands,
    { isMet: (device) => lacks(device, labels).length === 0, otherwise: labelMissing },
    { isMet: (device) => knows(device, botName), otherwise: botUnknown },
  ];
  for (const { isMet, otherwise } of all) {
    const meeting = left.filter(isMet);
    if (meeting.length === 0) return otherwise(automation, left);
    left = meeting;
  }
  return undefined;
}

/** Why no device that could run the automation's items has room for one more; undefined when one has. */
export function capacityHindrance(automation: AutomationFacts): Reason | undefined {
  const eligible = eligibleDevices(automation);
  const { runAsUsers, freeRunAsUsers } = automation;
  if (runAsUsers > 0 && freeRunAsUsers === 0) {
    return {
      code: 'RUN_AS_USERS_TAKEN',
      sentence: `All run-as users of the automation "${automation.name}" (${runAsUsers}) are at work. The next item starts when one of them is free.`,
      facts: { ...about(automation), runAsUsers },
    };
  }
  const slots = sum(eligible.map((device) => device.slots));
  if (eligible.some((device) => device.busySlots < device.slots)) return undefined;
  const on = eligible.length === 1 ? 'device' : `${eligible.length} devices`;
  return {
    code: 'SLOTS_BUSY',
    sentence: `All ${count(slots, 'slot')} of the ${on} that can run it are busy. The next item starts when one is free.`,
    facts: { ...about(automation), slots, deviceIds: eligible.map(({ id }) => id) },
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
  const { poolName } = automation;
  const named = names(devices.map(({ name }) => name));
  return {
    code: 'NO_DEVICE_CONNECTED',
    sentence: `No device of the pool "${poolName}" is connected. Start the agent on ${devices.length > 1 ? 'one of ' : ''}${named}.`,
    facts: { ...about(automation), deviceIds: idsOf(devices) },
  };
}

function allHeld(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const states = devices.map(({ name, state, stateReason }) => {
    const why = stateReason === undefined || stateReason === '' ? '' : ` (${stateReason})`;
    return `${name} is ${state}${why}`;
  });
  return {
    code: 'DEVICES_HELD',
    sentence: `No connected device of the pool "${automation.poolName}" takes work: ${states.slice(0, 5).join(', ')}. Resume one.`,
    facts: { ...about(automation), deviceIds: idsOf(devices) },
  };
}

function labelMissing(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const { labels, poolName } = automation;
  const found = labels.filter((label) => devices.some((device) => device.labels.includes(label)));
  const nowhere = labels.filter((label) => !found.includes(label));
  const wanted = nowhere.length > 0 ? nowhere : labels;
  const together = nowhere.length > 0 || labels.length === 1 ? '' : ' together';
  return {
    code: 'NO_DEVICE_WITH_LABELS',
    sentence: `No connected device of the pool "${poolName}" has the ${wanted.length === 1 ? 'label' : 'labels'} ${names(wanted)}${together}. Give ${wanted.length === 1 ? 'it' : 'them'} to a device, or start one that has.`,
    facts: { ...about(automation), labels: wanted, deviceIds: idsOf(devices) },
  };
}

function botUnknown(automation: AutomationFacts, devices: readonly DeviceFacts[]): Reason {
  const { botName, poolName } = automation;
  return {
    code: 'NO_DEVICE_WITH_BOT',
    sentence: `No device of the pool "${poolName}" that is connected and fits knows the bot "${botName}". Add it to the configuration of an agent.`,
    facts: { ...about(automation), botName, deviceIds: idsOf(devices) },
  };
}

function about({ id, name, poolId, poolName }: AutomationFacts) {
  return { automationId: id, automationName: name, poolId, poolName };
}

function lacks({ labels }: DeviceFacts, wanted: readonly string[]): string[] {
  return wanted.filter((label) => !labels.includes(label));
}

function knows({ bots }: DeviceFacts, botName: string): boolean {
  return bots.includes(botName);
}

function idsOf(devices: readonly DeviceFacts[]) {
  return devices.slice(0, 100).map(({ id }) => id);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
