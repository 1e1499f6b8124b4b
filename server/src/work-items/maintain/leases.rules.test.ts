import { describe, expect, test } from 'vitest';
import { itemIn, now, states } from '../../testing/items.ts';
import { isExhausted } from '../lease/rules.ts';
import { exhaustion, leaseExpiry } from './leases.ts';

const silent = (lapseCount?: number) => itemIn('IN_PROGRESS', lapseCount === undefined ? {} : { lapseCount });

describe('isExhausted', () => {
  test.each([
    [undefined, 1, true],
    [undefined, 2, false],
    [1, 2, true],
    [7, 2, true],
    [99, 0, false],
  ])(
    'of an item whose leases expired %s times before, with the limit %i, is %s',
    (expiries, limit, expected) => {
      expect(isExhausted(silent(expiries), limit)).toBe(expected);
    },
  );

  test.each(['cancelled', 'past the point of no return'])('is not for an item that is %s', (state) => {
    expect(isExhausted({ ...itemIn('IN_PROGRESS'), ...states[state], lapseCount: 9 }, 1)).toBe(false);
  });
});

test('an item whose lease expires says until when its holder was heard of', () => {
  expect(leaseExpiry(silent())).toEqual({
    transition: 'lapse',
    reason: `no sign of life until ${now.toISOString()}`,
  });
});

test('an item whose leases expired once too often tells where and when its holders fell silent, and nothing of earlier rows', () => {
  const startedOn = '2026-03-01T09:00:00.000Z';
  const expired = { actorId: 7, startedOn, outcome: 'LAPSED' } as const;
  const attempts = [
    { ...expired, number: 1, deviceId: 11, endedOn: '2026-03-01T09:01:00.000Z' },
    { ...expired, number: 2, deviceId: 12, endedOn: '2026-03-01T09:02:00.000Z' },
    {
      ...expired,
      number: 3,
      outcome: 'TAKEN_BACK' as const,
      deviceId: 13,
      endedOn: '2026-03-01T09:03:00.000Z',
    },
    { number: 4, actorId: 8, startedOn },
  ];
  expect(exhaustion(silent(1), attempts)).toEqual({
    transition: 'exhaust',
    reason:
      'The lease ran out 2 times in a row, without a sign of life: on device 12 until 2026-03-01T09:02:00.000Z; ' +
      `with user 8 until ${now.toISOString()}. The item may bring down whoever processes it.`,
  });
  expect(exhaustion(silent(), attempts).reason).toContain(
    'The lease ran out, without a sign of life: with user 8',
  );
});

test('an item whose leases expired very often tells of the last ten times, and how often it was', () => {
  const attempts = Array.from({ length: 40_000 }, (_, index) => ({
    number: index + 1,
    actorId: 7,
    deviceId: index + 1,
    startedOn: '2026-03-01T09:00:00.000Z',
    ...(index < 39_999 && { endedOn: '2026-03-01T09:01:00.000Z', outcome: 'LAPSED' as const }),
  }));
  const { reason } = exhaustion(silent(32_767), attempts);
  expect(reason).toContain(
    'The lease ran out 32767 times in a row, without a sign of life, at last 10 times: on device 39991',
  );
  expect(reason.length).toBeLessThan(1000);
});
