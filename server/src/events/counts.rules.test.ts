import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countIn, gridOf, sampled } from './counts.ts';

const now = new Date('2026-03-02T08:15:30.000Z');
const at = (text: string) => Date.parse(text);

describe('The spans of counts', () => {
  test('are those of the last day unless told otherwise, and begin at whole multiples of their length', () => {
    const { step, until, starts } = gridOf({}, now);
    expect([step, until, starts.length]).toEqual([900, now, 98 - 1]);
    expect([starts[0], starts.at(-1)]).toEqual([at('2026-03-01T08:15:00Z'), at('2026-03-02T08:15:00Z')]);
  });

  test('cover the range, as short as so many allow, and no more than the range', () => {
    const seconds = fc.integer({ min: 1, max: 800 * 86_400 });
    fc.assert(
      fc.property(seconds, fc.nat(86_400_000), (length, back) => {
        const until = new Date(now.getTime() - back);
        const from = new Date(until.getTime() - length * 1000);
        const { step, starts } = gridOf({ from: from.toISOString(), until: until.toISOString() }, now);
        expect(starts.length).toBeLessThanOrEqual(120);
        expect(starts.every((start) => start % (1000 * step) === 0)).toBe(true);
        const [first = 0, last = 0] = [starts[0], starts.at(-1)];
        expect(first <= from.getTime() && from.getTime() < first + 1000 * step).toBe(true);
        expect(last < until.getTime() && until.getTime() <= last + 1000 * step).toBe(true);
      }),
    );
  });

  test('end now, however far the range goes', () => {
    expect(gridOf({ until: '2030-01-01T00:00:00Z' }, now).until).toEqual(now);
  });

  test('are refused of a range that has not begun, and of one that is too long', () => {
    expect(() => gridOf({ from: '2026-03-02T08:15:30Z' }, now)).toThrow(
      'from must be before 2026-03-02T08:15:30',
    );
    expect(() => gridOf({ from: '2023-03-02T08:15:30Z' }, now)).toThrow('from must be within 800 days');
  });
});

describe('The count of a span', () => {
  test('is what matched, where all of it was looked through', () => {
    expect(countIn({ looked: sampled - 1, matched: 7, first: 1, last: 5000, end: 5000 })).toEqual({
      count: 7,
    });
    expect(countIn({ looked: 0, matched: 0, end: 12 })).toEqual({ count: 0 });
  });

  test('is estimated by how far the ids of the rest reach, where a part was', () => {
    const sample = { looked: sampled, matched: sampled / 2, first: 1001, last: 1000 + 2 * sampled };
    expect(countIn({ ...sample, end: 1000 + 20 * sampled })).toEqual({
      count: 5 * sampled,
      isEstimated: true,
    });
    // An event of the next span may have a lower id.
    expect(countIn({ ...sample, end: 900 })).toEqual({ count: sampled / 2, isEstimated: true });
  });
});
