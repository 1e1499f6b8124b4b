import { describe, expect, it } from 'vitest';
import type { AutomationFacts, DeviceFacts, ItemFacts, QueueFacts } from './facts.ts';
import { explainItemFacts, explainQueueFacts, type Explanation } from './item.rules.ts';

const now = new Date('2026-03-02T08:20:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);

const device: DeviceFacts = {
  id: 3,
  name: 'bot-pc-1',
  isConnected: true,
  state: 'ACTIVE',
  labels: ['sap', 'eu'],
  bots: ['book'],
  slots: 2,
  busySlots: 0,
};
const automation: AutomationFacts = {
  id: 5,
  name: 'Booking',
  botName: 'book',
  status: 'ACTIVE',
  labels: ['sap'],
  poolId: 6,
  poolName: 'Finance',
  runAsUsers: 0,
  freeRunAsUsers: 0,
  devices: [device],
};
const queue: QueueFacts = {
  queueId: 7,
  status: 'ACTIVE',
  waiting: 3,
  running: 0,
  pace: { minutes: 15, finished: 0 },
  automation,
  isClaimedFrom: false,
  consumerRoles: 1,
  reactivation: { unit: 'PERCENT', threshold: 100, waiting: 3, started: 0 },
  runningOnDevices: 0,
  mayProcess: true,
};
const item: ItemFacts = { id: 9, status: 'NEW', retryCount: 0, retryLimit: 2, lapseLimit: 5, ahead: 0 };

const withAutomation = (more: Partial<AutomationFacts>) => ({
  ...queue,
  automation: { ...automation, ...more },
});
const withDevice = (more: Partial<DeviceFacts>) => withAutomation({ devices: [{ ...device, ...more }] });
const ofItem = (more: Partial<ItemFacts>, facts = queue) =>
  explainItemFacts({ ...item, ...more }, facts, now);
const codes = ({ reasons }: Explanation) => reasons.map(({ code }) => code);
const sentence = ({ reasons }: Explanation) => reasons[0]?.sentence;

describe('what holds up a queue', () => {
  const { automation: _, ...bare } = queue;
  const cases: [code: string, facts: QueueFacts, sentence: string][] = [
    [
      'QUEUE_ARCHIVED',
      { ...queue, archivedOn: now, status: 'INACTIVE' },
      'The queue is archived since 2026-03-02T08:20:00Z and grants nothing. Restore it first.',
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
      'DEVICES_HELD',
      withDevice({ state: 'QUARANTINED', stateReason: 'wrong version' }),
      'No connected device of the pool "Finance" takes work: bot-pc-1 is QUARANTINED (wrong version). Resume one.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ labels: ['sap', 'us'] }),
      'No connected device of the pool "Finance" has the label "us". Give it to a device, or start one that has.',
    ],
    [
      'NO_DEVICE_WITH_LABELS',
      withAutomation({ labels: ['sap', 'us'], devices: [device, { ...device, labels: ['us'] }] }),
      'No connected device of the pool "Finance" has the labels "sap", "us" together. Give them to a device, or start one that has.',
    ],
    [
      'NO_DEVICE_WITH_BOT',
      withDevice({ bots: ['other'] }),
      'No device of the pool "Finance" that is connected and fits knows the bot "book". Add it to the configuration of an agent.',
    ],
    [
      'SLOTS_BUSY',
      withDevice({ busySlots: 2 }),
      'All 2 slots of the device that can run it are busy. The next item starts when one is free.',
    ],
    [
      'RUN_AS_USERS_TAKEN',
      withAutomation({ runAsUsers: 2, freeRunAsUsers: 0 }),
      'All run-as users of the automation "Booking" (2) are at work. The next item starts when one of them is free.',
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
      'The reactivation threshold of the queue is less than 50 % of the pass waiting: the devices at work must take 1 more item before another device is started on it.',
    ],
  ];
  for (const [code, facts, expected] of cases) {
    it(`${code}: ${expected}`, () => {
      const explained = explainQueueFacts(facts, now);
      expect(codes(explained)[0]).toBe(code);
      expect(sentence(explained)).toBe(expected);
    });
  }

  it('is told with the next item before it comes, but busy slots are not', () => {
    const paused = { ...queue, waiting: 0, status: 'INACTIVE' as const };
    expect(codes(explainQueueFacts(paused, now))).toEqual(['EMPTY', 'QUEUE_PAUSED']);
    expect(codes(explainQueueFacts({ ...withDevice({ busySlots: 2 }), waiting: 0 }, now))).toEqual(['EMPTY']);
  });

  it('is nothing while consumers claim by themselves, whatever the automation does', () => {
    const stopped = { ...withAutomation({ status: 'STOPPED' }), isClaimedFrom: true, running: 2 };
    expect(codes(explainQueueFacts(stopped, now))).toEqual(['WORKING']);
  });

  it('names every reason, the most decisive first, and last what the caller lacks', () => {
    const facts = {
      ...withAutomation({ status: 'STOPPED' }),
      status: 'INACTIVE' as const,
      mayProcess: false,
    };
    expect(codes(explainQueueFacts(facts, now))).toEqual([
      'QUEUE_PAUSED',
      'AUTOMATION_STOPPED',
      'MISSING_PERMISSION',
    ]);
  });

  it('ends when the last item is expected to start, by handling time and what runs at once', () => {
    const facts = {
      ...withDevice({ busySlots: 2 }),
      running: 2,
      pace: { minutes: 15, finished: 10, handlingSeconds: 20 },
    };
    const { expectedStartOn } = explainQueueFacts(facts, now);
    expect(expectedStartOn).toEqual(later(30));
  });
});

describe('why an item is as it is', () => {
  const cases: [code: string, facts: Partial<ItemFacts>, sentence: string][] = [
    [
      'RUNNING',
      {
        status: 'IN_PROGRESS',
        startedOn: now,
        leaseExpiresOn: later(60),
        deviceName: 'bot-pc-1',
        cancelRequestedOn: later(5),
      },
      'It is being processed on bot-pc-1 since 2026-03-02T08:20:00Z. It was asked to stop at 2026-03-02T08:20:05Z. Unless its holder gives a sign of life it is taken back at 2026-03-02T08:21:00Z.',
    ],
    [
      'DONE',
      { status: 'COMPLETE', endedOn: now, changedByName: 'runner' },
      'It is done since 2026-03-02T08:20:00Z by runner.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'BUSINESS', error: 'The vendor is blocked.\nat line 5' },
      'It failed on business grounds: The vendor is blocked. It is not tried again. Correct it and restart it, or leave it.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'SYSTEM', retryCount: 2, error: 'time-out' },
      'It failed on technical grounds after 3 tries: time-out. No retry is left. Restart it when the cause is mended.',
    ],
    [
      'FAILED',
      {
        status: 'FAILED',
        failureKind: 'SYSTEM',
        lapseCount: 5,
        error: 'The lease ran out 5 times in a row.',
      },
      'It failed on technical grounds: The lease ran out 5 times in a row. No other device gets it. Restart it when the cause is mended.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'DATA_ERROR' },
      'It failed because of its data. It is not tried again. Correct it and restart it, or leave it.',
    ],
    [
      'EXPIRED',
      { status: 'FAILED', failureKind: 'EXPIRED', error: 'expired on 2026-03-01' },
      'Nobody took it in time: expired on 2026-03-01. Restart it if it is still wanted.',
    ],
    [
      'IN_DOUBT',
      { status: 'FAILED', failureKind: 'IN_DOUBT', deviceName: 'bot-pc-1', pointOfNoReturnOn: now },
      'The device bot-pc-1 passed the point of no return at 2026-03-02T08:20:00Z and then fell silent: the work may have been done. Find out, and answer with done, not done or partly.',
    ],
    [
      'DEFERRED',
      {
        status: 'DEFERRED',
        notBefore: later(3600),
        changedByName: 'anna',
        changeReason: 'waits for the vendor',
      },
      'It was put aside until 2026-03-02T09:20:00Z by anna: waits for the vendor. Then it waits like the others.',
    ],
    ['DEFERRED', { status: 'DEFERRED' }, 'It was put aside without an end. Release it to go on.'],
    [
      'BACK_OFF',
      { notBefore: later(30), retryCount: 1, error: 'no answer' },
      'It waits until 2026-03-02T08:20:30Z before try 2 of at most 3. It failed: no answer.',
    ],
    ['NEXT', {}, 'It is the next item of the queue to be granted, as soon as somebody is free to take it.'],
    ['BEHIND', { ahead: 1 }, '1 item is to start before this one.'],
  ];
  for (const [code, facts, expected] of cases) {
    it(`${code}: ${expected}`, () => {
      const explained = ofItem(facts);
      expect(codes(explained)).toEqual([code]);
      expect(sentence(explained)).toBe(expected);
    });
  }

  const measured = { minutes: 15, finished: 10, handlingSeconds: 20 };

  it('expects the start by what is before it, measured handling times and what runs at once', () => {
    const explained = ofItem({ ahead: 12 }, { ...queue, pace: measured });
    expect(explained.expectedStartOn).toEqual(later(120));
    expect(sentence(explained)).toBe(
      '12 items are to start before this one. At the pace of the last 15 minutes it starts in about 2 minutes.',
    );
  });

  it('counts the turn of those at work while all are busy, and only as many as there are run-as users', () => {
    const busy = withAutomation({ runAsUsers: 1, freeRunAsUsers: 0 });
    const explained = ofItem({ ahead: 2 }, { ...busy, running: 1, pace: measured });
    expect(codes(explained)).toEqual(['BEHIND', 'RUN_AS_USERS_TAKEN']);
    expect(explained.expectedStartOn).toEqual(later(60));
  });

  it('expects no start while something else than time holds it up', () => {
    const explained = ofItem({ ahead: 2 }, { ...withAutomation({ status: 'STOPPED' }), pace: measured });
    expect(codes(explained)).toEqual(['AUTOMATION_STOPPED', 'BEHIND']);
    expect(explained.expectedStartOn).toBeUndefined();
  });

  it('expects no start before a back-off or a deferral is over', () => {
    expect(ofItem({ notBefore: later(30) }).expectedStartOn).toEqual(later(30));
    expect(ofItem({ status: 'DEFERRED', notBefore: later(30) }).expectedStartOn).toEqual(later(30));
    expect(ofItem({ status: 'DEFERRED' }).expectedStartOn).toBeUndefined();
  });
});
