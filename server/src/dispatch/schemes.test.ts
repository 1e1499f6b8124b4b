import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { automation, automationIds, candidates, ended, later, noon, offer, pool } from './rules.fixture.ts';
import { decideGrants, granted, type Candidates } from './rules.ts';

/** Grants one after the other to one slot whose item ends before the next decision. */
function serve(from: Candidates, count: number, at: (turn: number) => Date = () => noon): number[] {
  const served: number[] = [];
  let now = from;
  for (let turn = 0; turn < count; turn += 1) {
    const [grant] = decideGrants({ ...now, now: at(turn) }, [offer()]);
    if (!grant) break;
    now = ended(granted({ ...now, now: at(turn) }, grant), automationIds([grant]));
    served.push(...automationIds([grant]));
  }
  return served;
}

describe('decideGrants in a pool with FAIR', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 5 });

  test('gives turns by weight where there is one slot', () => {
    fc.assert(
      fc.property(weights, (list) => {
        const all = list.map((weight, index) => automation(index + 1, { weight }));
        const served = serve(candidates(all), 200);
        const turns = list.map((weight, index) => served.filter((id) => id === index + 1).length / weight);
        expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1 + 1e-6);
      }),
    );
  });

  test('fills many slots by weight, whatever has been running', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 40 }), (list, slots) => {
        const all = list.map((weight, index) => automation(index + 1, { weight }));
        const total = list.reduce((sum, weight) => sum + weight, 0);
        const ids = automationIds(decideGrants(candidates(all), [offer({ slots })]));
        for (const [index, weight] of list.entries())
          expect(ids.filter((id) => id === index + 1).length).toBeLessThanOrEqual(
            Math.ceil((slots * weight) / total),
          );
      }),
    );
  });

  test('starves no queue, however long the items of others take', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 6 }), (list, slots) => {
        let now = candidates(list.map((_, index) => automation(index + 1)));
        const running: { id: number; until: number }[] = [];
        const waited = list.map(() => 0);
        for (let tick = 0; tick < 200; tick += 1) {
          const over = running.filter(({ until }) => until <= tick).map(({ id }) => id);
          now = ended(now, over);
          running.splice(0, running.length, ...running.filter(({ until }) => until > tick));
          const grants = decideGrants(now, [offer({ slots: slots - running.length })]);
          for (const grant of grants) {
            const [id = 0] = automationIds([grant]);
            now = granted(now, grant);
            running.push({ id, until: tick + (list[id - 1] ?? 1) });
          }
          for (const index of waited.keys()) {
            const isServed = running.some(({ id }) => id === index + 1);
            waited[index] = isServed ? 0 : (waited[index] ?? 0) + 1;
          }
          // The longest wait is one item of each other automation.
          expect(Math.max(...waited)).toBeLessThanOrEqual(list.reduce((sum, ticks) => sum + ticks, 0));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('lets a queue that was idle join in, without making up for the time', () => {
    const idle = automation(2, { claimable: 0 });
    let now = candidates([automation(1), idle]);
    for (let turn = 0; turn < 50; turn += 1) {
      const [grant] = decideGrants(now, [offer()]);
      now = grant ? ended(granted(now, grant), [1]) : now;
    }
    const joined = { ...now, automations: now.automations.map((one) => ({ ...one, claimable: 100 })) };
    const served = serve(joined, 10);
    expect(served.filter((id) => id === 2)).toHaveLength(5);
  });
});

describe('decideGrants in a pool with ROUND_ROBIN', () => {
  const turns = { pools: [pool({ scheme: 'ROUND_ROBIN', timeSliceSeconds: 10 })] };
  const three = [automation(1), automation(2), automation(3)];

  test('stays with a queue for its time slice and then goes on to the next, in the order of ids and round again', () => {
    const served = serve(candidates(three, turns), 40, (turn) => later(turn));
    const round = [1, 2, 3, 1].flatMap((id) => Array.from({ length: 10 }, () => id));
    expect(served).toEqual(round);
  });

  test('goes on at once when the queue has nothing more, with a slice of its own for the next', () => {
    const [, second, third] = three as [unknown, (typeof three)[0], (typeof three)[0]];
    const served = serve(candidates([automation(1, { claimable: 4 }), second, third], turns), 15, (turn) =>
      later(turn),
    );
    expect(served).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
  });

  test('begins a new slice when nobody else has work', () => {
    const alone = [automation(1), automation(2, { claimable: 0 })];
    expect(serve(candidates(alone, turns), 25, (turn) => later(turn))).toEqual(
      Array.from({ length: 25 }, () => 1),
    );
  });

  test('keeps the slice of a queue that the device cannot serve, and gives the device another', () => {
    const picky = automation(1, { labels: ['sap'] });
    const slice = { currentAutomationId: 1, sliceStartedOn: noon };
    const from = candidates([picky, automation(2)], { pools: [pool({ scheme: 'ROUND_ROBIN', ...slice })] });
    const grants = decideGrants(from, [offer(), offer({ deviceId: 2, labels: ['sap'] })]);
    expect(automationIds(grants)).toEqual([2, 1]);
    expect(grants.reduce(granted, from).pools[0]).toMatchObject(slice);
  });
});

describe('decideGrants in a pool with PRIORITY', () => {
  const byPriority = { pools: [pool({ scheme: 'PRIORITY' })] };

  test('takes the highest first, and shares fairly between equals', () => {
    const all = [
      automation(1, { priority: 3 }),
      automation(2, { priority: 7, claimable: 6, weight: 2 }),
      automation(3, { priority: 7, claimable: 3 }),
    ];
    const ids = automationIds(decideGrants(candidates(all, byPriority), [offer({ slots: 12 })]));
    expect(ids.slice(0, 9).filter((id) => id === 2)).toHaveLength(6);
    expect(ids.slice(0, 9).filter((id) => id === 3)).toHaveLength(3);
    expect(ids.slice(0, 6).filter((id) => id === 3)).toHaveLength(2);
    expect(ids.slice(9)).toEqual([1, 1, 1]);
  });
});

describe('decideGrants for several pools and devices', () => {
  const pools = { pools: [pool(), pool({ id: 2 })] };

  test('lets the pools of a device take turns', () => {
    const from = candidates(
      [automation(1), automation(2, { poolId: 2 }), automation(3, { poolId: 2 })],
      pools,
    );
    const ids = automationIds(decideGrants(from, [offer({ poolIds: [1, 2], slots: 8 })]));
    expect(ids).toEqual([1, 2, 1, 3, 1, 2, 1, 3]);
  });

  test('gives each device one item before one gets its second', () => {
    const list = [offer({ slots: 5 }), offer({ deviceId: 2, slots: 5 }), offer({ deviceId: 3, slots: 5 })];
    const grants = decideGrants(candidates([automation(1, { claimable: 5 })]), list);
    expect(grants.map((grant) => grant.offer)).toEqual([0, 1, 2, 0, 1]);
  });

  test('starts one device on a queue, and further ones when the share of the reactivation cycle that waits is below the threshold', () => {
    const devices = [offer({ deviceId: 1 }), offer({ deviceId: 2 }), offer({ deviceId: 3 })];
    const inCycle = (waiting: number, begun: number, running: number) =>
      automation(1, {
        running,
        claimable: waiting,
        reactivation: { unit: 'PERCENT', threshold: 50, waiting, started: begun },
      });
    expect(decideGrants(candidates([inCycle(4, 0, 0)]), devices)).toHaveLength(1);
    expect(decideGrants(candidates([inCycle(2, 2, 1)]), devices)).toHaveLength(0);
    expect(decideGrants(candidates([inCycle(2, 3, 1)]), devices)).toHaveLength(2);
  });
});
