import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { automation, candidates, offer, pool } from './rules.fixture.ts';
import {
  decideGrants,
  granted,
  isGuarded,
  isOpen,
  mayStart,
  suits,
  type Candidates,
  type Grant,
} from './rules.ts';

const flags = [false, true];

describe('suits', () => {
  const cases = flags.flatMap((inPool) =>
    flags.flatMap((hasBot) => flags.map((hasLabels) => ({ inPool, hasBot, hasLabels }))),
  );
  test.each(cases)('takes pool, bot and labels all together: %o', ({ inPool, hasBot, hasLabels }) => {
    const device = offer({
      poolIds: inPool ? [9, 1] : [9],
      bots: hasBot ? ['other', 'bot'] : ['other'],
      labels: hasLabels ? ['sap', 'germany', 'more'] : ['sap'],
    });
    const wanted = automation(1, { labels: ['sap', 'germany'] });
    expect(suits(device, wanted)).toBe(inPool && hasBot && hasLabels);
  });
});

describe('mayStart', () => {
  const started = (running: number, reactivation: { unit: 'PERCENT' | 'COUNT'; [name: string]: unknown }) =>
    mayStart(
      automation(1, { running, reactivation: { threshold: 0, waiting: 0, started: 0, ...reactivation } }),
    );

  test('PERCENT starts the first device always', () => {
    for (let threshold = 0; threshold <= 100; threshold += 1)
      expect(started(0, { unit: 'PERCENT', threshold, waiting: 50, started: 0 })).toBe(true);
  });

  test('PERCENT starts further devices when less than the threshold of the reactivation cycle waits', () => {
    for (let waiting = 1; waiting <= 9; waiting += 1) {
      const cycle = { unit: 'PERCENT', waiting, started: 10 - waiting } as const;
      for (let threshold = 0; threshold <= 100; threshold += 10)
        expect(started(1, { ...cycle, threshold }), `${waiting} of 10`).toBe(waiting * 10 < threshold);
    }
  });

  test('100 PERCENT never keeps a device from items that wait, nor does a COUNT of 1', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 50 }), fc.nat(50), (running, waiting, begun) => {
        const cycle = { waiting, started: begun };
        expect(started(running, { unit: 'PERCENT', threshold: 100, ...cycle })).toBe(true);
        expect(started(running, { unit: 'COUNT', threshold: 1, ...cycle })).toBe(true);
      }),
    );
    expect(isGuarded({ unit: 'PERCENT', threshold: 100 })).toBe(false);
    expect(isGuarded({ unit: 'COUNT', threshold: 1 })).toBe(false);
    expect(isGuarded({ unit: 'PERCENT', threshold: 99 })).toBe(true);
    expect(isGuarded({ unit: 'COUNT', threshold: 2 })).toBe(true);
  });

  test('COUNT starts a drained queue when so many items wait, and goes on until it is drained again', () => {
    for (let waiting = 1; waiting <= 10; waiting += 1) {
      expect(started(0, { unit: 'COUNT', threshold: 5, waiting, started: 0 })).toBe(waiting >= 5);
      expect(started(3, { unit: 'COUNT', threshold: 5, waiting, started: 0 })).toBe(waiting >= 5);
      expect(started(0, { unit: 'COUNT', threshold: 5, waiting, started: 1 })).toBe(true);
    }
  });
});

const labels = ['sap', 'germany'];
const someLabels = fc.subarray(labels);
const offers = fc.array(
  fc.record({
    poolIds: fc.subarray([1, 2]),
    labels: someLabels,
    bots: fc.subarray(['bot', 'other']),
    slots: fc.nat(3),
  }),
  { minLength: 1, maxLength: 6 },
);
const automations = fc.array(
  fc.record({
    poolId: fc.constantFrom(1, 2),
    botName: fc.constantFrom('bot', 'other'),
    labels: someLabels,
    priority: fc.nat(3),
    weight: fc.integer({ min: 1, max: 5 }),
    virtualTime: fc.nat(5),
    runAsUserIds: fc.subarray([31, 32, 33]),
    running: fc.nat(3),
    claimable: fc.nat(4),
    unit: fc.constantFrom('PERCENT' as const, 'COUNT' as const),
    threshold: fc.nat(100),
    begun: fc.nat(4),
  }),
  { minLength: 1, maxLength: 6 },
);
const schemes = fc.constantFrom('ROUND_ROBIN' as const, 'PRIORITY' as const, 'FAIR' as const);
const anyCandidates = fc
  .record({ automations, first: schemes, second: schemes, taken: fc.subarray([31, 32, 33]) })
  .map(({ first, second, taken, ...made }) => ({
    ...candidates(
      made.automations.map(({ unit, threshold, begun, ...one }, index) =>
        automation(index + 1, {
          ...one,
          reactivation: { unit, threshold, waiting: one.claimable, started: begun },
        }),
      ),
    ),
    pools: [pool({ scheme: first }), pool({ id: 2, scheme: second })],
    takenUserIds: new Set<number>(taken),
  }));
const situations = fc.tuple(
  anyCandidates,
  offers.map((list) => list.map((one, index) => offer({ deviceId: index + 1, ...one }))),
);

/** The candidates before each grant, and after the last. */
function replay(from: Candidates, grants: readonly Grant[]): Candidates[] {
  const seen = [from];
  for (const grant of grants) seen.push(granted(seen.at(-1) ?? from, grant));
  return seen;
}

describe('decideGrants, whatever the situation,', () => {
  test('gives a device nothing that it lacks a pool, label or bot for, and no more than its slots', () => {
    fc.assert(
      fc.property(situations, ([from, list]) => {
        const grants = decideGrants(from, list);
        for (const { offer: index, automation: one } of grants)
          expect(suits(list[index] ?? offer({ poolIds: [] }), one)).toBe(true);
        for (const [index, { slots }] of list.entries())
          expect(grants.filter((grant) => grant.offer === index).length).toBeLessThanOrEqual(slots);
      }),
    );
  });

  test('grants only what can be claimed, as users who are free, each once', () => {
    fc.assert(
      fc.property(situations, ([from, list]) => {
        const grants = decideGrants(from, list);
        const seen = replay(from, grants);
        for (const [
          index,
          {
            automation: { id },
            runAsUserId,
          },
        ] of grants.entries()) {
          const before = seen[index] ?? from;
          const one =
            before.automations.find((candidate) => candidate.id === id) ?? automation(0, { claimable: 0 });
          expect(isOpen(one, before.takenUserIds)).toBe(true);
          expect(runAsUserId !== undefined && before.takenUserIds.has(runAsUserId)).toBe(false);
          expect(
            one.runAsUserIds.length === 0
              ? runAsUserId === undefined
              : one.runAsUserIds.includes(runAsUserId ?? 0),
          ).toBe(true);
        }
      }),
    );
  });

  test('lets nothing wait while a device that suits has a slot', () => {
    fc.assert(
      fc.property(situations, ([from, list]) => {
        const grants = decideGrants(from, list);
        const { automations: after, takenUserIds } = replay(from, grants).at(-1) ?? from;
        const idle = list.filter(
          ({ slots }, index) => grants.filter((grant) => grant.offer === index).length < slots,
        );
        const waiting = after.filter((one) => isOpen(one, takenUserIds));
        expect(idle.flatMap((device) => waiting.filter((one) => suits(device, one)))).toEqual([]);
      }),
    );
  });

  test('passes over no automation of higher priority in a pool with PRIORITY', () => {
    fc.assert(
      fc.property(situations, ([from, list]) => {
        const grants = decideGrants(from, list);
        const seen = replay(from, grants);
        for (const [index, grant] of grants.entries()) {
          const { automations: all, takenUserIds, pools } = seen[index] ?? from;
          const { poolId, priority } = grant.automation;
          if (pools.find(({ id }) => id === poolId)?.scheme !== 'PRIORITY') continue;
          const device = list[grant.offer] ?? offer({ poolIds: [] });
          const open = all.filter(
            (one) => one.poolId === poolId && suits(device, one) && isOpen(one, takenUserIds),
          );
          expect(Math.max(...open.map((one) => one.priority))).toBe(priority);
        }
      }),
    );
  });
});
