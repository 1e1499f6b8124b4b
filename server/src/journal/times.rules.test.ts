import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { added, bucketOf, largestError, percentileOf, timesOf } from './times.rules.ts';

/** The time in milliseconds that a share of all did not exceed, by nearest rank. */
function exactly(all: readonly number[], share: number): number {
  const sorted = all.toSorted((one, other) => one - other);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}

const someTimes = fc.array(fc.oneof(fc.nat(50), fc.nat(100_000), fc.nat(1_000_000_000)), {
  minLength: 1,
  maxLength: 300,
});

describe('Percentiles of counted times', () => {
  test('are off by no more than they say, or a millisecond, whatever the times are', () => {
    fc.assert(
      fc.property(someTimes, fc.constantFrom(0.5, 0.95), (all, share) => {
        const wanted = exactly(all, share);
        const told = percentileOf(timesOf(all) ?? {}, share) * 1000;
        // Four digits are told.
        expect(Math.abs(told - wanted)).toBeLessThanOrEqual(Math.max(1, wanted * (largestError + 0.0005)));
      }),
    );
  });

  test('are the same of times that were counted in parts', () => {
    fc.assert(
      fc.property(someTimes, someTimes, (some, others) => {
        expect(added([timesOf(some), undefined, timesOf(others)])).toEqual(timesOf([...some, ...others]));
      }),
    );
  });

  test('of times of which none was counted are unknown', () => {
    expect([timesOf([]), added([]), added([undefined])]).toEqual([undefined, undefined, undefined]);
  });

  test('take a time that clocks have made negative for none', () => {
    expect([bucketOf(-5), bucketOf(0), bucketOf(1), bucketOf(2)]).toEqual([0, 0, 0, 7]);
  });
});
