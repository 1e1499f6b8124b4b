import { describe, expect, test } from 'vitest';
import { itemIn, now, states } from '../testing/items.ts';
import { exhaustion, isExhausted, lapse } from './lapse.rules.ts';

const silent = (lapseCount?: number) => itemIn('IN_PROGRESS', lapseCount === undefined ? {} : { lapseCount });

describe('isExhausted', () => {
  test.each([
    [undefined, 1, true],
    [undefined, 2, false],
    [1, 2, true],
    [7, 2, true],
    [99, 0, false],
  ])('of an item that has lapsed %s times before, with the limit %i, is %s', (lapses, limit, expected) => {
    expect(isExhausted(silent(lapses), limit)).toBe(expected);
  });

  test.each(['cancelled', 'past the point of no return'])('is not for an item that is %s', (state) => {
    expect(isExhausted({ ...itemIn('IN_PROGRESS'), ...states[state], lapseCount: 9 }, 1)).toBe(false);
  });
});

test('an item that lapses says until when its holder was heard of', () => {
  expect(lapse(silent())).toEqual({
    transition: 'lapse',
    reason: `no sign of life until ${now.toISOString()}`,
  });
});

test('an item that lapses once too often tells where and when its holders fell silent, and nothing of earlier rows', () => {
  const startedOn = '2026-03-01T09:00:00.000Z';
  const attempts = [
    { number: 1, actorId: 7, deviceId: 11, startedOn, endedOn: '2026-03-01T09:01:00.000Z' },
    { number: 2, actorId: 7, deviceId: 12, startedOn, endedOn: '2026-03-01T09:02:00.000Z' },
    { number: 3, actorId: 8, startedOn },
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
