import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedLine, type Bound } from './forecast.rules.ts';

const minute = 60_000;
const now = Date.parse('2026-11-30T10:00:00Z');

const times = fc.oneof(
  fc.integer({ min: -20_000, max: 20_000 }).map((minutes) => now + minutes * minute),
  // Items may be deferred for thousands of years.
  fc.integer({ min: 0, max: 4_000_000_000 }).map((minutes) => now + minutes * minute),
  fc.constant(Infinity),
);
const groups = fc.record({
  state: fc.constantFrom('RUNNING' as const, 'READY' as const, 'LATER' as const),
  comesOn: fc.integer({ min: 0, max: 4_000_000_000 }).map((minutes) => now + minutes * minute),
  since: fc.integer({ min: 0, max: 100_000 }).map((minutes) => now - minutes * minute),
  dueOn: times,
  items: fc.integer({ min: 1, max: 500 }),
});
const lines = fc.array(groups, { minLength: 700, maxLength: 3000, size: 'max' });
const total = (line: readonly Bound[]) => line.reduce((all, { items }) => all + items, 0);
const earliest = (line: readonly Bound[]) =>
  line.reduce((time, { dueOn }) => Math.min(time, dueOn), Infinity);

describe('boundedLine', () => {
  test('has at most five hundred groups with all the items, none of which is due later than it was', () => {
    fc.assert(
      fc.property(lines, (line) => {
        const bounded = boundedLine(line, now);
        expect(bounded.length).toBeLessThanOrEqual(500);
        for (const state of ['RUNNING', 'READY', 'LATER'] as const) {
          const ofState = (list: readonly Bound[]) => list.filter((group) => group.state === state);
          expect(total(ofState(bounded))).toBe(total(ofState(line)));
          expect(earliest(ofState(bounded))).toBe(earliest(ofState(line)));
        }
        const isLate = ({ dueOn }: Bound) => dueOn < now;
        expect(total(bounded.filter(isLate))).toBe(total(line.filter(isLate)));
        for (const by of [now, now + 600 * minute, now + 9000 * minute])
          expect(total(bounded.filter(({ dueOn }) => dueOn <= by))).toBeGreaterThanOrEqual(
            total(line.filter(({ dueOn }) => dueOn <= by)),
          );
      }),
      { numRuns: 20 },
    );
  });

  test('leaves a short line as it is', () => {
    const group = { state: 'READY' as const, comesOn: now, since: now, dueOn: now + minute, items: 1 };
    const line = [group, { ...group, dueOn: now }, { ...group, dueOn: now + 2 * minute }];
    expect(boundedLine(line, now)).toMatchObject(line);
  });
});
