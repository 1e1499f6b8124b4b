import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manualSecondsOf, savingsOf, timeOf } from './savings.ts';

describe('manualSecondsOf', () => {
  test.for<[number | undefined, string | undefined, number | undefined]>([
    [5, 'SECONDS', 5],
    [5, 'MINUTES', 300],
    [5, undefined, 300],
    [2, 'hours', 7200],
    [1, 'DAYS', 86_400],
    [0, 'MINUTES', undefined],
    [undefined, 'MINUTES', undefined],
  ])('%s %s are %s seconds', ([time, unit, seconds]) => {
    const queue = {
      ...(time !== undefined && { manualProcessingTime: time }),
      ...(unit !== undefined && { manualProcessingTimeUnit: unit }),
    };
    expect(manualSecondsOf(queue)).toBe(seconds);
  });
});

describe('timeOf', () => {
  const now = new Date('2026-11-30T10:20:30Z');
  const of = (query: Parameters<typeof timeOf>[0]) => {
    const { from, to } = timeOf(query, now);
    return [from.toISOString(), to.toISOString()];
  };

  test('is thirty days until now unless told otherwise, from a whole hour', () => {
    expect(of({})).toEqual(['2026-10-31T10:00:00.000Z', now.toISOString()]);
  });

  test('begins with a whole day where hours are not kept any more, and ends now at the latest', () => {
    expect(of({ from: '2026-01-01T10:20:00Z', to: '2099-01-01T00:00:00Z' })).toEqual([
      '2026-01-01T00:00:00.000Z',
      now.toISOString(),
    ]);
  });

  test('ends with a whole hour, or a whole day where hours are not kept any more, unless it ends now', () => {
    expect(of({ from: '2026-11-29T10:20:00Z', to: '2026-11-30T09:59:59Z' })).toEqual([
      '2026-11-29T10:00:00.000Z',
      '2026-11-30T09:00:00.000Z',
    ]);
    expect(of({ from: '2026-01-01T10:20:00Z', to: '2026-03-01T13:00:00Z' })).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ]);
    expect(of({ from: '2026-11-30T10:00:00Z', to: '2026-11-30T10:20:30Z' })[1]).toBe(now.toISOString());
  });

  test.for([
    { from: '2026-11-29T10:10:00Z', to: '2026-11-29T10:50:00Z' },
    { from: '2099-01-01T00:00:00Z' },
    { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
    { from: '1999-01-01T00:00:00Z' },
  ])('refuses %j', (query) => {
    expect(() => timeOf(query, now)).toThrow('from must be');
  });
});

describe('savingsOf', () => {
  const counted = { complete: 960, failed: 40, repairs: 52, repairSeconds: 9000 };

  test('takes what failed and what people took to mend from what was worked', () => {
    expect(savingsOf(counted, { manualSeconds: 360, hourlyCost: 42, currency: 'EUR' })).toMatchObject({
      hours: { worked: 100, failed: 4, repairs: 2.5, saved: 93.5 },
      money: { currency: 'EUR', hourlyCost: 42, saved: 3927 },
    });
  });

  test('says no hours where nobody said how long a person needs, and no money without a cost', () => {
    expect(savingsOf(counted, { manualSeconds: undefined })).not.toHaveProperty('hours');
    expect(savingsOf(counted, { manualSeconds: 60 })).not.toHaveProperty('money');
  });

  test('adds up to what is left, whatever was counted', () => {
    const number = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(
        number,
        number,
        number,
        fc.integer({ min: 1, max: 86_400 }),
        (complete, failed, repairSeconds, manualSeconds) => {
          const { hours } = savingsOf({ complete, failed, repairs: 1, repairSeconds }, { manualSeconds });
          const { worked = 0, failed: inVain = 0, repairs = 0, saved = 0 } = hours ?? {};
          expect(Math.abs(worked - inVain - repairs - saved)).toBeLessThan(0.03);
        },
      ),
    );
  });
});
