import { describe, expect, it } from 'vitest';
import type { Explanation } from './explain.rules.ts';
import type { Delayed, QueueFacts } from './facts.ts';
import {
  bare,
  codes,
  device,
  idle,
  later,
  measured,
  now,
  ofItem,
  ofQueue,
  queue,
  sentence,
  withAutomation,
  withDevice,
} from './facts.fixture.ts';

const none: Delayed = { items: 0 };
const retried: Delayed = { items: 2, nextOn: later(30) };
const putAside: Delayed = { items: 4, nextOn: later(3600) };
const paused = { status: 'INACTIVE' } as const;
const archived = { status: 'INACTIVE', archivedOn: now } as const;

describe('a queue that nothing holds up', () => {
  it('says how many wait and run', () => {
    expect(sentence(ofQueue({ ...queue, running: 1 }))).toBe(
      'Nothing holds the queue up: 3 items wait, 1 item is being processed.',
    );
    expect(sentence(ofQueue({ ...queue, pace: measured, waiting: 1, running: 2 }))).toBe(
      'Nothing holds the queue up: 1 item waits, 2 items are being processed.',
    );
  });

  it('says when the last of them starts', () => {
    const pace = ' At the pace of the last 15 minutes the last of them starts in about 20 seconds.';
    expect(sentence(ofQueue({ ...queue, pace: measured }))).toContain(pace);
    const claimed = { ...bare, isClaimedFrom: true, pace: measured, waiting: 1, running: 1 };
    expect(sentence(ofQueue(claimed))).toMatch(/ it starts in about 20 seconds\.$/);
  });

  it('says that nothing waits', () => {
    expect(sentence(ofQueue(idle))).toBe('Nothing waits and nothing runs.');
    expect(sentence(ofQueue({ ...idle, running: 1 }))).toBe('Nothing waits; 1 item is being processed.');
    expect(sentence(ofQueue({ ...idle, running: 2 }))).toBe('Nothing waits; 2 items are being processed.');
  });
});

describe('a queue of items that wait for a time', () => {
  const cases: [what: string, facts: QueueFacts, codes: string[], sentence: string][] = [
    [
      'one item in back-off',
      { ...idle, backOff: { items: 1, nextOn: later(30) } },
      ['BACK_OFF'],
      '1 item waits until 2026-03-02T08:20:30Z before its next try.',
    ],
    [
      'some in back-off',
      { ...idle, backOff: retried, running: 3 },
      ['BACK_OFF'],
      '2 items wait for their next tries, the first until 2026-03-02T08:20:30Z.',
    ],
    [
      'one put aside',
      { ...idle, deferred: { items: 1, nextOn: later(30) } },
      ['DEFERRED'],
      '1 item is put aside until 2026-03-02T08:20:30Z.',
    ],
    [
      'some put aside',
      { ...idle, deferred: putAside },
      ['DEFERRED'],
      '4 items are put aside, the next until 2026-03-02T09:20:00Z.',
    ],
    [
      'one put aside for ever',
      { ...idle, deferred: { items: 1 } },
      ['DEFERRED'],
      '1 item is put aside without an end. Release it to go on.',
    ],
    [
      'some put aside for ever',
      { ...idle, deferred: { items: 4 } },
      ['DEFERRED'],
      '4 items are put aside without an end. Release them to go on.',
    ],
    [
      'some put aside while others run',
      { ...idle, deferred: putAside, running: 2 },
      ['EMPTY', 'DEFERRED'],
      'Nothing waits; 2 items are being processed.',
    ],
    [
      'both',
      { ...idle, backOff: retried, deferred: putAside },
      ['BACK_OFF', 'DEFERRED'],
      '2 items wait for their next tries, the first until 2026-03-02T08:20:30Z.',
    ],
    [
      'both beside those that could start',
      { ...queue, backOff: retried, deferred: putAside },
      ['WORKING', 'BACK_OFF', 'DEFERRED'],
      'Nothing holds the queue up: 3 items wait, 0 items are being processed.',
    ],
    [
      'both beside those that wait for a slot',
      { ...withDevice({ busySlots: 2 }), backOff: retried, deferred: putAside },
      ['SLOTS_BUSY', 'BACK_OFF', 'DEFERRED'],
      'All 2 slots of the device that can run it are busy. The next item starts when one is free.',
    ],
  ];
  for (const [what, facts, expectedCodes, expected] of cases) {
    it(`says of ${what}: ${expected}`, () => {
      expect(codes(ofQueue(facts))).toEqual(expectedCodes);
      expect(sentence(ofQueue(facts))).toBe(expected);
    });
  }

  it('expects the first of them to start at its time, unless something else holds it up', () => {
    expect(ofQueue({ ...idle, backOff: retried, deferred: putAside }).expectedStartOn).toEqual(later(30));
    expect(ofQueue({ ...idle, deferred: putAside }).expectedStartOn).toEqual(later(3600));
    expect(ofQueue({ ...idle, backOff: retried, ...paused }).expectedStartOn).toBeUndefined();
    expect(ofQueue({ ...idle, deferred: { items: 4 } }).expectedStartOn).toBeUndefined();
  });

  it('tells what is in the way of the next try first, but after what is put aside, as that does not even wait', () => {
    expect(codes(ofQueue({ ...idle, backOff: retried, ...paused }))).toEqual(['QUEUE_PAUSED', 'BACK_OFF']);
    expect(codes(ofQueue({ ...idle, deferred: putAside, ...paused }))).toEqual(['DEFERRED', 'QUEUE_PAUSED']);
    expect(codes(ofQueue({ ...idle, ...paused }))).toEqual(['EMPTY', 'QUEUE_PAUSED']);
    expect(codes(ofQueue({ ...idle, deferred: putAside, ...archived }))).toEqual([
      'QUEUE_ARCHIVED',
      'DEFERRED',
    ]);
  });
});

describe('an item that waits', () => {
  it.each([
    [
      'BACK_OFF',
      { notBefore: later(30), retryCount: 1, error: 'no answer' },
      'It waits until 2026-03-02T08:20:30Z before try 2 of at most 3. It failed: no answer.',
    ],
    ['NEXT', {}, 'It is the next item of the queue to be granted, as soon as somebody is free to take it.'],
    ['BEHIND', { ahead: 1 }, '1 item is to start before this one.'],
  ])('says %s', (code, facts, expected) => {
    expect(codes(ofItem(facts))).toEqual([code]);
    expect(sentence(ofItem(facts))).toBe(expected);
  });

  it('says how many of its holders fell silent', () => {
    expect(codes(ofItem({ lapseCount: 2 }))).toEqual(['NEXT', 'LAPSED']);
    expect(ofItem({ lapseCount: 2 }).reasons[1]?.sentence).toBe(
      'Its last 2 holders, one after the other, fell silent, so it was started and came back. At 5 in a row it fails.',
    );
  });

  it('names what lasts before its place, and what passes after it', () => {
    expect(codes(ofItem({ ahead: 2 }, { ...queue, ...paused }))).toEqual(['QUEUE_PAUSED', 'BEHIND']);
    expect(codes(ofItem({ ahead: 2 }, withDevice({ busySlots: 2 })))).toEqual(['BEHIND', 'SLOTS_BUSY']);
  });

  it('tells that it is put aside before what is in its way afterwards, unless nobody could release it', () => {
    const deferred = { status: 'DEFERRED' } as const;
    expect(codes(ofItem(deferred, { ...queue, ...paused }))).toEqual(['DEFERRED', 'QUEUE_PAUSED']);
    expect(codes(ofItem(deferred, { ...queue, ...archived }))).toEqual(['QUEUE_ARCHIVED', 'DEFERRED']);
  });
});

describe('every combination of facts', () => {
  const robot = { name: 'robot', isDisabled: false };
  const supplies: QueueFacts[] = [
    bare,
    { ...bare, consumerRoles: 0 },
    { ...bare, isClaimedFrom: true },
    withAutomation({ status: 'STOPPED' }),
    withAutomation({ devices: [] }),
    withDevice({ isConnected: false }),
    withDevice({ state: 'DRAINING' }),
    withDevice({ labels: [] }),
    withDevice({ bots: [] }),
    withDevice({ busySlots: 2 }),
    withAutomation({ runAsUsers: [{ ...robot, isDisabled: true }] }),
    withAutomation({ runAsUsers: [{ ...robot, run: {} }], devices: [{ ...device, busySlots: 2 }] }),
    queue,
  ];
  const thresholds: QueueFacts['reactivation'][] = [
    queue.reactivation,
    { unit: 'COUNT', threshold: 99, waiting: 3, started: 0 },
    { unit: 'PERCENT', threshold: 10, waiting: 3, started: 1 },
  ];
  const all = supplies.flatMap((supply) =>
    thresholds.flatMap((reactivation) =>
      [{}, paused, archived].flatMap((state) =>
        [0, 3].flatMap((waiting) =>
          [none, retried].flatMap((backOff) =>
            [none, putAside, { items: 1 }].flatMap((deferred) =>
              [0, 2].map((running): QueueFacts => {
                const some = waiting > 0 || backOff.items > 0;
                const counts = { waiting, backOff, deferred, running, runningOnDevices: running };
                return {
                  ...supply,
                  ...state,
                  ...counts,
                  pace: measured,
                  reactivation: { ...reactivation, waiting: some ? 3 : 0 },
                };
              }),
            ),
          ),
        ),
      ),
    ),
  );
  const calm = ['WORKING', 'EMPTY', 'BACK_OFF', 'DEFERRED', 'MISSING_PERMISSION', 'NEXT', 'BEHIND'];
  const passing = ['SLOTS_BUSY', 'RUN_AS_USERS_TAKEN'];

  const isLasting = (code: string, { reactivation }: QueueFacts) => {
    if (code === 'THRESHOLD') return reactivation.unit === 'COUNT';
    return ![...calm, ...passing].includes(code);
  };

  /** The flaws of an explanation, of a queue or of an item. */
  const flawsOf = ({ reasons, expectedStartOn }: Explanation, facts: QueueFacts) => {
    const found: string[] = reasons.map(({ code }) => code);
    const illegible = /undefined|NaN|Infinity|""|  |\.\.| \./;
    const isLegible = reasons.every(
      (one) => /^[A-Z0-9].*\.$/.test(one.sentence) && !illegible.test(one.sentence),
    );
    return [
      ...(found.length > 0 && new Set(found).size === found.length ? [] : ['none, or one twice']),
      ...(isLegible ? [] : ['illegible']),
      ...(facts.archivedOn && found[0] !== 'QUEUE_ARCHIVED' ? ['archived, but not first'] : []),
      ...(expectedStartOn && found.some((code) => isLasting(code, facts)) ? ['expects a start'] : []),
    ];
  };

  it(`is explained, of ${all.length} queues`, () => {
    const flawed = all.flatMap((facts) => {
      const { waiting, running, backOff, deferred } = facts;
      const explained = ofQueue(facts);
      const found = codes(explained);
      const isHeld = found.some((code) => isLasting(code, facts));
      const isFree = found.every((code) => calm.includes(code));
      const isEmpty = waiting + backOff.items === 0 && (deferred.items === 0 || running > 0);
      const flaws = [
        ...flawsOf(explained, facts),
        ...(found.includes('WORKING') === (waiting > 0 && isFree) ? [] : ['WORKING']),
        ...(found.includes('EMPTY') === isEmpty ? [] : ['EMPTY']),
        ...(found.includes('DEFERRED') === deferred.items > 0 ? [] : ['DEFERRED']),
        ...(found.includes('BACK_OFF') === backOff.items > 0 ? [] : ['BACK_OFF']),
        ...(waiting > 0 && !isHeld && !explained.expectedStartOn ? ['expects no start'] : []),
      ];
      return flaws.length > 0 ? [{ flaws, found, facts }] : [];
    });
    expect(flawed).toEqual([]);
  });

  const items = [{}, { ahead: 2 }, { notBefore: later(30) }, { status: 'DEFERRED' as const }];
  it.each(items)('is explained, of an item with %j in each of them', (more) => {
    const isDeferred = 'status' in more;
    const flawed = all.flatMap((facts) => {
      const explained = ofItem(more, facts);
      const found = codes(explained);
      const isHeld = found.some((code) => isLasting(code, facts));
      const leads = isDeferred
        ? facts.archivedOn || found[0] === 'DEFERRED'
        : isHeld || calm.includes(found[0] ?? '');
      const flaws = [
        ...flawsOf(explained, facts),
        ...(leads ? [] : ['not the most decisive first']),
        ...(!isDeferred && !isHeld && !explained.expectedStartOn ? ['expects no start'] : []),
      ];
      return flaws.length > 0 ? [{ flaws, found, facts }] : [];
    });
    expect(flawed).toEqual([]);
  });
});
