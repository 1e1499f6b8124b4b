import { describe, expect, it } from 'vitest';
import type { QueueFacts } from './facts.ts';
import {
  bare,
  codes,
  device,
  later,
  now,
  ofQueue,
  queue,
  sentence,
  withAutomation,
  withDevice,
} from './facts.fixture.ts';
import { isClaimedFrom } from './hindrances.rules.ts';

const robot = { name: 'robot', isDisabled: false };
const atWork = { ...robot, run: { itemId: 12, queueId: 8, automationId: 5, automationName: 'Booking' } };

describe('what holds up a queue', () => {
  const cases: [code: string, facts: QueueFacts, sentence: string][] = [
    [
      'QUEUE_ARCHIVED',
      { ...queue, archivedOn: now, status: 'INACTIVE', pause: { byName: 'anna', reason: 'archived' } },
      'The queue is archived since 2026-03-02T08:20:00Z by anna and grants nothing. Restore it, and resume it then.',
    ],
    [
      'QUEUE_PAUSED',
      {
        ...queue,
        status: 'INACTIVE',
        pause: { by: 1, byName: 'anna', on: now, reason: 'month end.', until: later(60) },
      },
      'The queue is paused since 2026-03-02T08:20:00Z by anna: month end. It goes on by itself at 2026-03-02T08:21:00Z.',
    ],
    ['QUEUE_PAUSED', { ...queue, status: 'INACTIVE' }, 'The queue is paused. Resume it to go on.'],
    [
      'NO_AUTOMATION',
      bare,
      'No automation sends the items of this queue to devices, and nobody has claimed from it in the last 15 minutes. Create an automation, or start a consumer.',
    ],
    [
      'NO_AUTOMATION',
      { ...bare, consumerRoles: 0 },
      'No automation sends the items of this queue to devices, and no role may claim from it. Create an automation, or start a consumer.',
    ],
    [
      'AUTOMATION_STOPPED',
      withAutomation({
        status: 'STOPPED',
        statusReason: 'bot is broken',
        statusByName: 'anna',
        statusOn: now,
      }),
      'The automation "Booking" is stopped since 2026-03-02T08:20:00Z by anna: bot is broken. Activate it to go on.',
    ],
    [
      'AUTOMATION_PAUSED',
      withAutomation({ status: 'PAUSED' }),
      'The automation "Booking" is paused. Activate it to go on.',
    ],
    [
      'RUN_AS_USERS_DISABLED',
      withAutomation({ runAsUsers: [{ ...robot, isDisabled: true }] }),
      'The run-as user "robot" of the automation "Booking" is disabled. Enable this user, or give the automation another one.',
    ],
    [
      'RUN_AS_USERS_DISABLED',
      withAutomation({
        runAsUsers: [
          { ...robot, isDisabled: true },
          { ...atWork, name: 'other', isDisabled: true },
        ],
      }),
      'All run-as users of the automation "Booking" are disabled: "robot", "other". Enable one of them, or give the automation another one.',
    ],
    [
      'RUN_AS_USERS_TAKEN',
      withAutomation({ runAsUsers: [atWork] }),
      'The only run-as user of the automation "Booking" is at work: "robot" on item 12 (automation "Booking"). The next item starts when this user is free.',
    ],
    [
      'RUN_AS_USERS_TAKEN',
      withAutomation({
        runAsUsers: [
          atWork,
          { ...robot, name: 'hidden', run: {} },
          { ...robot, name: 'third', isDisabled: true },
        ],
      }),
      'All enabled run-as users of the automation "Booking" are at work: "robot" on item 12 (automation "Booking"), "hidden" for another automation. The next item starts when one of them is free. Disabled: "third".',
    ],
    [
      'SLOTS_BUSY',
      withDevice({ busySlots: 2 }),
      'All 2 slots of the device that can run it are busy. The next item starts when one is free.',
    ],
    [
      'THRESHOLD',
      { ...queue, reactivation: { unit: 'COUNT', threshold: 7, waiting: 3, started: 0 } },
      'The reactivation threshold of the queue is 7 waiting items: 4 more items must come before it starts again.',
    ],
    [
      'THRESHOLD',
      {
        ...queue,
        reactivation: { unit: 'PERCENT', threshold: 50, waiting: 3, started: 3 },
        runningOnDevices: 1,
      },
      'The reactivation threshold of the queue is less than 50 % of its reactivation cycle waiting: the devices at work must take 1 more item before another device is started on it.',
    ],
  ];
  for (const [code, facts, expected] of cases) {
    it(`${code}: ${expected}`, () => {
      const explained = ofQueue(facts);
      expect(codes(explained)).toEqual([code]);
      expect(sentence(explained)).toBe(expected);
    });
  }

  it('names every reason, the most decisive first, and last what the caller lacks', () => {
    const facts = {
      ...withAutomation({ status: 'STOPPED' }),
      status: 'INACTIVE' as const,
      mayProcess: false,
    };
    expect(codes(ofQueue(facts))).toEqual(['QUEUE_PAUSED', 'AUTOMATION_STOPPED', 'MISSING_PERMISSION']);
  });

  it('can be devices and run-as users at once', () => {
    const lost = { ...device, isConnected: false };
    const [all, gone] = [{ ...atWork }, { ...robot, isDisabled: true }];
    const disabled = withAutomation({ devices: [lost], runAsUsers: [gone] });
    expect(codes(ofQueue(disabled))).toEqual(['NO_DEVICE_CONNECTED', 'RUN_AS_USERS_DISABLED']);
    const full = withAutomation({ devices: [{ ...device, busySlots: 2 }], runAsUsers: [all] });
    expect(codes(ofQueue(full))).toEqual(['RUN_AS_USERS_TAKEN', 'SLOTS_BUSY']);
  });

  it('is nothing while consumers claim by themselves, whatever the automation and the threshold of devices', () => {
    const claimed = { isClaimedFrom: true, running: 2 };
    const reactivation = { unit: 'COUNT', threshold: 7, waiting: 3, started: 0 } as const;
    const stopped = { ...withAutomation({ status: 'STOPPED' }), ...claimed, reactivation };
    expect(codes(ofQueue(stopped))).toEqual(['WORKING']);
    expect(codes(ofQueue({ ...bare, ...claimed, reactivation }))).toEqual(['WORKING']);
  });
});

describe('whether consumers claim from a queue by themselves', () => {
  const ago = (seconds: number) => later(-seconds);
  it.each([
    ['while they hold items', { isHeld: true }, 0, true],
    ['while one waits for items, by whatever right', { isHeld: false, askedOn: ago(30) }, 0, true],
    ['not when nobody waits and no role may claim', { isHeld: false, askedOn: ago(60) }, 0, false],
    ['when one has asked recently and a role may claim', { isHeld: false, askedOn: ago(890) }, 1, true],
    ['not when nobody has asked for long', { isHeld: false, askedOn: ago(910) }, 1, false],
    ['not when nobody ever asked', { isHeld: false }, 1, false],
  ])('is so %s', (_, facts, consumerRoles, expected) => {
    expect(isClaimedFrom({ ...facts, consumerRoles }, { now, recentMinutes: 15 })).toBe(expected);
  });
});
