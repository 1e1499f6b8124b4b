import { expect, test } from 'vitest';
import type { DeviceFacts } from './facts.ts';
import { explainDeviceFacts, judgeDevices, type FleetFacts, type NamedAutomation } from './fleet.ts';

const device = (more: Partial<DeviceFacts> = {}): DeviceFacts => ({
  id: 1,
  name: 'runner',
  isConnected: true,
  state: 'ACTIVE',
  labels: [],
  bots: ['bot'],
  slots: 2,
  busySlots: 0,
  poolIds: [8],
  ...more,
});

const automation = (more: Partial<NamedAutomation> = {}): NamedAutomation => ({
  id: 5,
  poolId: 8,
  queueId: 7,
  botName: 'bot',
  labels: [],
  priority: 0,
  weight: 1,
  virtualTime: 0,
  runAsUserIds: [],
  running: 0,
  claimable: 1,
  reactivation: { unit: 'PERCENT', threshold: 100, waiting: 1, started: 0 },
  isQueueActive: true,
  names: { automation: 'Post', queue: 'Invoices', pool: 'Office' },
  ...more,
});

const facts = (automations: NamedAutomation[], takenUserIds: number[] = []): FleetFacts => ({
  automations,
  candidates: {
    now: new Date(0),
    pools: [{ id: 8, scheme: 'FAIR', timeSliceSeconds: 60, virtualTime: 0 }],
    automations: automations.filter(({ isQueueActive }) => isQueueActive),
    takenUserIds: new Set(takenUserIds),
  },
});

const codesOf = (one: DeviceFacts, known: FleetFacts) =>
  explainDeviceFacts(one, known).map(({ code }) => code);

test('a device gets the next item when it is free, suits, and there is one', () => {
  expect(explainDeviceFacts(device(), facts([automation()]))).toEqual([
    {
      code: 'NEXT',
      sentence: 'It gets the next item of the queue "Invoices", by the automation "Post".',
      facts: { automationId: 5, automationName: 'Post', queueId: 7, queueName: 'Invoices' },
    },
  ]);
});

test.each([
  ['NOTHING_WAITS', { claimable: 0 }],
  ['QUEUE_PAUSED', { isQueueActive: false }],
  ['THRESHOLD', { reactivation: { unit: 'COUNT', threshold: 5, waiting: 1, started: 0 } }],
  ['RUN_AS_USERS_TAKEN', { runAsUserIds: [21] }],
  ['WITHOUT_BOT', { botName: 'other' }],
  ['WITHOUT_LABELS', { labels: ['sap'] }],
] as const)('a device gets nothing for the reason %s', (code, more) => {
  expect(codesOf(device(), facts([automation(more as Partial<NamedAutomation>)], [21]))).toEqual([code]);
});

test.each([
  ['QUARANTINED', { state: 'QUARANTINED' as const, isConnected: false }],
  ['DRAINING', { state: 'DRAINING' as const }],
  ['DISCONNECTED', { isConnected: false, busySlots: 2 }],
  ['SLOTS_BUSY', { busySlots: 2 }],
])('what keeps a device from all work comes first: %s', (code, more) => {
  expect(codesOf(device(more), facts([automation({ claimable: 0 })]))).toEqual([code, 'NOTHING_WAITS']);
});

test('automations that a device could work for come before those that it never will', () => {
  const known = facts([automation({ labels: ['sap'] }), automation({ id: 6, claimable: 0 })]);
  expect(codesOf(device(), known)).toEqual(['NOTHING_WAITS', 'WITHOUT_LABELS']);
});

test('a device that waits for an automation without free run-as users is free, and takes no item', () => {
  const own = automation({ runAsUserIds: [21] });
  const [verdict] = judgeDevices(own, [device()], facts([own], [21]));
  expect(verdict).toMatchObject({ code: 'FREE', sentence: 'It is free, and waits for the automation.' });
});
