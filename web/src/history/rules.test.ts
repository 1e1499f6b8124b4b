import { expect, test } from 'vitest';
import {
  addedUp,
  backlogIn,
  beginningOf,
  flowIn,
  handlingIn,
  largest,
  oldestIn,
  rangeIn,
  spansOf,
  totalsOf,
} from './rules.ts';

const counts = { NEW: 3, IN_PROGRESS: 1, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
const entry = (hour: number, more = {}) => ({
  from: `2026-03-02T0${hour}:00:00.000Z`,
  ...{ arrived: 0, complete: 0, failed: 0, counts },
  ...more,
});
const list = [
  entry(1),
  entry(2, {
    arrived: 4,
    complete: 3,
    failed: 1,
    averageHandlingSeconds: 10,
    p50HandlingSeconds: 8,
    p95HandlingSeconds: 15,
  }),
  entry(3, { arrived: 4, complete: 1, averageHandlingSeconds: 30 }),
];
const frame = { queueId: 7, step: 3600, from: list[0]?.from ?? '', to: '2026-03-02T03:30:00.000Z' };
const history = { ...frame, percentileError: 0.05, list };
const valuesOf = (spans: readonly { readonly values: unknown }[]) => spans.map(({ values }) => values);

test('A range begins at a whole span, and an unknown one is that of a day', () => {
  const now = Date.parse('2026-03-02T08:07:00.000Z');
  expect(beginningOf('24h', now)).toEqual({ from: '2026-03-01T08:15:00.000Z', step: 900 });
  expect(beginningOf('7d', now)).toEqual({ from: '2026-02-23T09:00:00.000Z', step: 3600 });
  expect([rangeIn('12mo'), rangeIn('toString'), rangeIn(undefined)]).toEqual(['12mo', '24h', '24h']);
});

test('Spans from before the queue was made have no values, and those in which nothing happened have nothing', () => {
  const since = '2026-03-02T02:20:00.000Z';
  expect(valuesOf(spansOf(history, since, flowIn))).toEqual([
    [undefined, undefined, undefined],
    [3, 1, 4],
    [1, 0, 4],
  ]);
  expect(valuesOf(spansOf(history, undefined, flowIn))[0]).toEqual([0, 0, 0]);
  expect(valuesOf(spansOf(history, undefined, handlingIn))).toEqual([
    [undefined, undefined, undefined],
    [8, 15, 10],
    [undefined, undefined, 30],
  ]);
});

test('The mean of a time counts each item that was finished', () => {
  expect(totalsOf(list)).toEqual({ arrived: 8, complete: 4, failed: 1, mean: 14 });
  expect(totalsOf([entry(1)]).mean).toBeUndefined();
});

test('The largest span is the last of those that are equal', () => {
  expect(largest(list, ({ arrived }) => arrived)?.from).toBe(list[2]?.from);
  expect(largest([], ({ arrived }) => arrived)).toBeUndefined();
  expect(largest([entry(1)], ({ averageHandlingSeconds }) => averageHandlingSeconds)).toBeUndefined();
});

test('Histories add up span by span, where one of them is known', () => {
  const younger = { history, since: '2026-03-02T03:10:00.000Z' };
  const older = { history, since: '2026-03-02T02:10:00.000Z' };
  expect(valuesOf(addedUp([younger, older], backlogIn))).toEqual([
    [undefined, undefined],
    [3, 1],
    [6, 2],
  ]);
});

test('The age of the oldest item is nothing where none waits, and not known where one waits that nobody looked at', () => {
  const none = { ...counts, NEW: 0 };
  const all = [entry(1, { oldestWaitingSeconds: 74 }), entry(2), entry(3, { counts: none })];
  expect(all.map(oldestIn)).toEqual([[74], [undefined], [0]]);
  expect(oldestIn(entry(1, { counts: none, oldestWaitingSeconds: 9 }))).toEqual([9]);
});
