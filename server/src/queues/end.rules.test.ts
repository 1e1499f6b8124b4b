import { expect, test } from 'vitest';
import type { Totals } from '../journal/counters.ts';
import { expectedEnd } from './statistics.ts';

const now = new Date('2026-03-02T08:00:00.000Z');
const minute = 60_000;
/** Counters after twenty items were finished that took a minute each. */
const totals = (NEW: number, IN_PROGRESS: number, more: Partial<Totals> = {}): Totals => ({
  counts: { NEW, IN_PROGRESS, COMPLETE: 0, FAILED: 0, DEFERRED: 0 },
  inBackOff: 0,
  inDoubt: 0,
  arrived: 0,
  finishedComplete: 15,
  finishedFailed: 5,
  handlingMilliseconds: 20 * minute,
  ...more,
});
const minutes = (of: Totals) => {
  const end = expectedEnd(of, now, 15);
  return end && (end.getTime() - now.getTime()) / minute;
};

test('What waits is done in turns of as many as are worked on at once', () => {
  expect(minutes(totals(10, 5))).toBeCloseTo(9.5 / 5 + 1);
  // Eighty were worked on at once lately, so that seventy-nine are free.
  expect(minutes(totals(10, 1, { handlingMilliseconds: 1200 * minute }))).toBeCloseTo(60);
});

test('What waits while nobody works is done as lately, by one at least', () => {
  expect(minutes(totals(3, 0, { handlingMilliseconds: 10 * minute }))).toBeCloseTo(1.5 * 0.5 + 0.5);
  expect(minutes(totals(1, 0))).toBeCloseTo(1);
});

test('What is in progress is half done on average', () => {
  expect(minutes(totals(0, 3))).toBeCloseTo(0.5);
});

test('Nothing is expected of what waits for its retry, of nothing, or of too few that were finished', () => {
  expect(minutes(totals(4, 0, { inBackOff: 4 }))).toBeUndefined();
  expect(minutes(totals(0, 0))).toBeUndefined();
  expect(minutes(totals(4, 2, { finishedComplete: 4 }))).toBeUndefined();
});
