import { describe, expect, it } from 'vitest';
import type { QueueFacts } from './facts.ts';
import { codes, device, ofQueue, sentence, withAutomation, withDevice } from './facts.fixture.ts';

const lost = { ...device, id: 4, name: 'bot-pc-2', isConnected: false };
const held = { ...device, id: 5, name: 'bot-pc-3', state: 'QUARANTINED' as const };
const plain = { ...device, labels: ['eu'] };

describe('why no device runs the items', () => {
  const cases: [code: string, facts: QueueFacts, sentence: string][] = [
    [
      'NO_DEVICE',
      withAutomation({ devices: [] }),
      'The pool "Finance" of the automation "Booking" has no devices. Add some to it.',
    ],
    [
      'NO_DEVICE_CONNECTED',
      withDevice({ isConnected: false }),
      'No device of the pool "Finance" is connected. Start the agent on "bot-pc-1".',
    ],
    [
      'NO_DEVICE_CONNECTED',
      withAutomation({ devices: [lost, { ...lost, labels: [], name: 'without the label' }] }),
      'No device of the pool "Finance" is connected. Start the agent on "bot-pc-2".',
    ],
    [
      'NO_DEVICE_CONNECTED',
      withAutomation({
        devices: Array.from({ length: 7 }, (_, index) => ({ ...lost, name: `pc-${index}` })),
      }),
      'No device of the pool "Finance" is connected. Start the agent on one of "pc-0", "pc-1", "pc-2", "pc-3", "pc-4" and 2 more.',
    ],
    [
      'DEVICES_HELD',
      withDevice({ state: 'QUARANTINED', stateReason: 'wrong version' }),
      'No connected device of the pool "Finance" takes work: bot-pc-1 is quarantined (wrong version). Resume it.',
    ],
    [
      'DEVICES_HELD',
      withAutomation({ devices: [held, { ...device, state: 'DRAINING' }] }),
      'No connected device of the pool "Finance" takes work: bot-pc-3 is quarantined, bot-pc-1 is draining. Resume one.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ labels: ['sap', 'us'] }),
      'No connected device of the pool "Finance" that takes work has the label "us". Give it to a device, or add one that has it.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ labels: ['sap', 'us'], devices: [device, { ...device, labels: ['us'] }] }),
      'No connected device of the pool "Finance" that takes work has the labels "sap", "us" together. Give them to a device, or add one that has them.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ devices: [plain, lost] }),
      'No connected device of the pool "Finance" that takes work has the label "sap". Start the agent on "bot-pc-2", which has it.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ devices: [plain, lost, { ...lost, name: 'bot-pc-4' }, held] }),
      'No connected device of the pool "Finance" that takes work has the label "sap". Start the agent on one of "bot-pc-2", "bot-pc-4", which has it, or resume "bot-pc-3", which has it.',
    ],
    [
      'NO_DEVICE_WITH_BOT',
      withDevice({ bots: ['other'] }),
      'No device of the pool "Finance" that is connected and fits knows the bot "book". Add it to the configuration of an agent.',
    ],
    [
      'NO_DEVICE_WITH_BOT',
      withAutomation({
        devices: [{ ...device, bots: [] }, lost, { ...lost, labels: [], name: 'does not fit' }],
      }),
      'No device of the pool "Finance" that is connected and fits knows the bot "book". Start the agent on "bot-pc-2", which knows it.',
    ],
  ];
  for (const [code, facts, expected] of cases) {
    it(`${code}: ${expected}`, () => {
      const explained = ofQueue(facts);
      expect(codes(explained)).toEqual([code]);
      expect(sentence(explained)).toBe(expected);
    });
  }

  it('is nothing as soon as one of them can, whatever the others lack', () => {
    const devices = [lost, held, plain, { ...device, busySlots: 2 }, device];
    expect(codes(ofQueue(withAutomation({ devices })))).toEqual(['WORKING']);
  });
});
