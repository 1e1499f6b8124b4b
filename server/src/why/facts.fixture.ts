import { explainItemFacts, explainQueueFacts, type Explanation } from './explain.rules.ts';
import type { AutomationFacts, CompetingAutomation, DeviceFacts, ItemFacts, QueueFacts } from './facts.ts';

export const now = new Date('2026-03-02T08:20:00Z');
export const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);

export const device: DeviceFacts = {
  id: 3,
  name: 'bot-pc-1',
  isConnected: true,
  state: 'ACTIVE',
  labels: ['sap', 'eu'],
  bots: ['book'],
  slots: 2,
  busySlots: 0,
  poolIds: [6],
};

export const automation: AutomationFacts = {
  id: 5,
  name: 'Booking',
  botName: 'book',
  status: 'ACTIVE',
  labels: ['sap'],
  priority: 5,
  weight: 1,
  poolId: 6,
  poolName: 'Finance',
  scheme: 'FAIR',
  runAsUsers: [],
  devices: [device],
  competing: [],
};

/** Three items wait, and the automation has a free device for them. */
export const queue: QueueFacts = {
  queueId: 7,
  status: 'ACTIVE',
  waiting: 3,
  backOff: { items: 0 },
  deferred: { items: 0 },
  running: 0,
  pace: { minutes: 15, finished: 0 },
  automation,
  isClaimedFrom: false,
  consumerRoles: 1,
  reactivation: { unit: 'PERCENT', threshold: 100, waiting: 3, started: 0 },
  runningOnDevices: 0,
  mayProcess: true,
};

/** The same without an automation. */
export const bare: QueueFacts = { ...queue, automation: undefined };

/** The same without waiting items. */
export const idle: QueueFacts = {
  ...queue,
  waiting: 0,
  reactivation: { ...queue.reactivation, waiting: 0 },
};

export const item: ItemFacts = {
  id: 9,
  status: 'NEW',
  retryCount: 0,
  retryLimit: 2,
  lapseLimit: 5,
  ahead: 0,
};

export const competitor: CompetingAutomation = {
  poolId: 6,
  botName: 'book',
  labels: [],
  priority: 5,
  weight: 1,
};

/** Items take twenty seconds. */
export const measured = { minutes: 15, finished: 10, handlingSeconds: 20 };

export const withAutomation = (more: Partial<AutomationFacts>): QueueFacts => ({
  ...queue,
  automation: { ...automation, ...more },
});

export const withDevice = (more: Partial<DeviceFacts>): QueueFacts =>
  withAutomation({ devices: [{ ...device, ...more }] });

export const ofQueue = (facts: QueueFacts): Explanation => explainQueueFacts(facts, now);

export const ofItem = (more: Partial<ItemFacts>, facts = queue): Explanation =>
  explainItemFacts({ ...item, ...more }, facts, now);

export const codes = ({ reasons }: Explanation) => reasons.map(({ code }) => code);

export const sentence = ({ reasons }: Explanation) => reasons[0]?.sentence;
