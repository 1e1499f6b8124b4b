import { describe, expect, it } from 'vitest';
import type { AutomationFacts, QueueFacts } from './facts.ts';
import {
  bare,
  codes,
  device,
  later,
  measured,
  ofItem,
  ofQueue,
  queue,
  competitor,
  sentence,
  withAutomation,
  withDevice,
} from './facts.fixture.ts';

const paced: QueueFacts = { ...queue, pace: measured };
const user = (name: string, isDisabled = false) => ({ name, isDisabled });
const busyUser = { ...user('robot'), run: { itemId: 12, automationName: 'Other' } };

/** The number of items at once in the answer's calculation. */
function atOnce(more: Partial<AutomationFacts>, facts: Partial<QueueFacts> = {}) {
  const explained = ofQueue({ ...paced, ...withAutomation(more), ...facts });
  return explained.reasons[0]?.facts?.['atOnce'];
}

describe('the expected start of an item', () => {
  it('comes from what is before it, measured handling times and what runs at once', () => {
    const explained = ofItem({ ahead: 12 }, paced);
    expect(explained.expectedStartOn).toEqual(later(120));
    expect(sentence(explained)).toBe(
      '12 items are to start before this one. At the pace of the last 15 minutes it starts in about 2 minutes.',
    );
  });

  it('counts the turn of those at work while all are busy, be they at work for other queues', () => {
    const taken = { ...withAutomation({ runAsUsers: [busyUser] }), pace: measured };
    expect(ofItem({ ahead: 0 }, taken).expectedStartOn).toEqual(later(20));
    expect(ofItem({ ahead: 2 }, taken).expectedStartOn).toEqual(later(60));
    const full = { ...withDevice({ busySlots: 2 }), pace: measured };
    expect(ofItem({ ahead: 2 }, full).expectedStartOn).toEqual(later(30));
  });

  it('does not count a turn while a slot is free, though items of the queue run', () => {
    const half = { ...withDevice({ busySlots: 1 }), running: 1, runningOnDevices: 1, pace: measured };
    expect(ofItem({ ahead: 0 }, half).expectedStartOn).toEqual(later(0));
    expect(ofQueue(half).expectedStartOn).toEqual(later(20));
  });

  it('is left out while something else than time holds the item up, and when nothing was measured', () => {
    const stopped = ofItem({ ahead: 2 }, { ...withAutomation({ status: 'STOPPED' }), pace: measured });
    expect(codes(stopped)).toEqual(['AUTOMATION_STOPPED', 'BEHIND']);
    expect(stopped.expectedStartOn).toBeUndefined();
    expect(stopped.reasons[1]?.sentence).toBe('2 items are to start before this one.');
    expect(ofItem({ ahead: 2 }).expectedStartOn).toBeUndefined();
  });

  it('is the end of its back-off, or of its deferral, when that is later', () => {
    expect(ofItem({ notBefore: later(30) }, paced).expectedStartOn).toEqual(later(30));
    expect(ofItem({ notBefore: later(30), ahead: 12 }, paced).expectedStartOn).toEqual(later(120));
    expect(ofItem({ status: 'DEFERRED', notBefore: later(30) }).expectedStartOn).toEqual(later(30));
    expect(ofItem({ status: 'DEFERRED' }).expectedStartOn).toBeUndefined();
  });

  it('is a lower bound in words only, when more are before it than anybody counts', () => {
    const explained = ofItem({ ahead: 10_001 }, paced);
    expect(sentence(explained)).toBe(
      'More than 10,000 items are to start before this one. At the pace of the last 15 minutes it starts in more than 28 hours.',
    );
    expect(explained.reasons[0]?.facts).toMatchObject({ aheadMoreThan: 10_000 });
    expect(explained.expectedStartOn).toBeUndefined();
    expect(ofItem({ ahead: 10_001, notBefore: later(30) }, paced).expectedStartOn).toBeUndefined();
    expect(sentence(ofItem({ ahead: 10_000 }, paced))).toMatch(/^10,000 items are /);
  });

  it('goes by the devices at work while a threshold in per cent keeps others off, and puts the place first', () => {
    const narrow = {
      ...paced,
      running: 1,
      runningOnDevices: 1,
      reactivation: { unit: 'PERCENT', threshold: 20, waiting: 3, started: 1 } as const,
    };
    const explained = ofItem({ ahead: 2 }, narrow);
    expect(codes(explained)).toEqual(['BEHIND', 'THRESHOLD']);
    expect(explained.expectedStartOn).toEqual(later(60));
    const counting = {
      ...narrow,
      reactivation: { unit: 'COUNT', threshold: 5, waiting: 3, started: 0 } as const,
    };
    expect(codes(ofItem({ ahead: 2 }, counting))).toEqual(['THRESHOLD', 'BEHIND']);
    expect(ofItem({ ahead: 2 }, counting).expectedStartOn).toBeUndefined();
  });
});

describe('how many items run at once', () => {
  const small = { ...competitor, weight: 3 };

  it.each([
    ['all slots of the devices that fit', {}, 2],
    ['no more than there are run-as users', { runAsUsers: [user('robot')] }, 1],
    ['no more than those of them that are not disabled', { runAsUsers: [user('a'), user('b', true)] }, 1],
    ['the share by weight of a FAIR pool', { competing: [small] }, 0.5],
    ['all when the others cannot use the device', { competing: [{ ...small, labels: ['us'] }] }, 2],
    ['equal turns in a ROUND_ROBIN pool', { scheme: 'ROUND_ROBIN', competing: [small, competitor] }, 0.67],
    [
      'all before those of a lower priority',
      { scheme: 'PRIORITY', competing: [{ ...small, priority: 1 }] },
      2,
    ],
    ['the share by weight among equal priorities', { scheme: 'PRIORITY', competing: [small] }, 0.5],
    [
      'half of a device that another pool needs as well',
      { devices: [{ ...device, poolIds: [6, 8] }], competing: [{ ...small, poolId: 8 }] },
      1,
    ],
    [
      'the sum over devices, each shared in its own way',
      {
        devices: [device, { ...device, labels: [...device.labels, 'us'] }],
        competing: [{ ...competitor, labels: ['us'] }],
      },
      3,
    ],
  ] as [string, Partial<AutomationFacts>, number][])('is %s', (_, more, expected) => {
    expect(atOnce(more)).toBe(expected);
  });

  it('is nothing to count on while others of a higher priority have work', () => {
    const facts = withAutomation({ scheme: 'PRIORITY', competing: [{ ...competitor, priority: 9 }] });
    expect(ofItem({ ahead: 1 }, { ...facts, pace: measured }).expectedStartOn).toBeUndefined();
    expect(ofItem({ ahead: 1 }, { ...facts, pace: measured }).reasons[0]?.facts).toMatchObject({ atOnce: 0 });
  });

  it('adds what consumers hold by themselves, and without an automation is that alone', () => {
    expect(atOnce({}, { running: 3, runningOnDevices: 1 })).toBe(4);
    const claimed = { ...bare, isClaimedFrom: true, pace: measured };
    expect(ofItem({ ahead: 5 }, { ...claimed, running: 3 }).expectedStartOn).toEqual(later(40));
    expect(ofItem({ ahead: 6 }, claimed).expectedStartOn).toEqual(later(120));
  });
});

describe('the expected start of the last item of a queue', () => {
  it('counts the turn of those at work only when all are busy', () => {
    const full = { ...withDevice({ busySlots: 2 }), running: 2, runningOnDevices: 2, pace: measured };
    expect(ofQueue(full).expectedStartOn).toEqual(later(30));
    expect(ofQueue(paced).expectedStartOn).toEqual(later(20));
  });
});
