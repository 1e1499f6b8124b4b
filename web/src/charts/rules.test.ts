import { expect, test } from 'vitest';
import {
  endsOf,
  gapsOf,
  joined,
  labelledOf,
  marksIn,
  roundedUp,
  stepFrom,
  stretchesOf,
  ticksTo,
  unitFor,
} from './rules.ts';

test.each([
  [0, 1],
  [1, 1],
  [3, 5],
  [412, 500],
  [0.13, 0.2],
  [Number.NaN, 1],
])('The scale for values up to %d ends at %d', (value, top) => {
  expect(roundedUp(value)).toBeCloseTo(top);
});

test('A scale of what comes whole has whole places only', () => {
  expect(ticksTo(500, true)).toEqual([0, 125, 250, 375, 500]);
  expect(ticksTo(5, true)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(ticksTo(1, true)).toEqual([0, 1]);
  expect(ticksTo(1, false)).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test('A line is broken where nothing is known, and goes down to nothing where that is known', () => {
  expect(stretchesOf([undefined, 3, 0, undefined, undefined, 2])).toEqual([
    [
      [1, 3],
      [2, 0],
    ],
    [[5, 2]],
  ]);
  const span = (...values: (number | undefined)[]) => ({ from: new Date(), values });
  expect(gapsOf([span(undefined), span(undefined), span(0, undefined), span(undefined)])).toEqual([
    { at: 0, count: 2 },
    { at: 3, count: 1 },
  ]);
});

test('An axis has as many labels as there is room for', () => {
  expect(labelledOf(96, 6)).toEqual([0, 16, 32, 48, 64, 80]);
  expect(labelledOf(3, 6)).toEqual([0, 1, 2]);
  expect(labelledOf(3, 0)).toEqual([0]);
  expect(labelledOf(0, 6)).toEqual([]);
});

test.each([
  ['ArrowRight', 4, 5],
  ['ArrowRight', 9, 9],
  ['ArrowLeft', 0, 0],
  ['Home', 4, 0],
  ['End', 4, 9],
  ['x', 4, undefined],
])('%s leads from span %d to %s', (key, at, expected) => {
  expect(stepFrom(at, key, 10)).toBe(expected);
});

test('A stretch that was drawn backwards has the same ends', () => {
  expect([endsOf({ anchor: 2, head: 5 }), endsOf({ anchor: 5, head: 2 })]).toEqual([
    [2, 5],
    [2, 5],
  ]);
});

test('Several spans come to the sum of what adds up, and to the largest of what does not', () => {
  const from = new Date(0);
  const spans = [
    [1, 10, undefined],
    [2, undefined, undefined],
    [3, 7, undefined],
  ].map((values) => ({ from, values }));
  expect(joined(spans, [true, false, true])).toEqual([6, 10, undefined]);
});

test('A mark is in the span in which it happened, from its beginning to before its end', () => {
  const spans = [0, 60_000].map((time) => ({ from: new Date(time), values: [] }));
  const marks = [120_000, 60_000, 59_999, 0, -1].map((time) => ({ on: new Date(time), text: String(time) }));
  const textsIn = (some: typeof spans) => marksIn(marks, some, 60).map(({ text }) => text);
  expect(textsIn(spans.slice(0, 1))).toEqual(['0', '59999']);
  expect(textsIn(spans)).toEqual(['0', '59999', '60000']);
  expect(textsIn([])).toEqual([]);
});

test.each([
  [Number.NaN, 'second'],
  [0.4, 'second'],
  [119, 'second'],
  [120, 'minute'],
  [5 * 3600, 'hour'],
  [2 * 86_400, 'day'],
])('A scale of times up to %d seconds counts by the %s', (seconds, name) => {
  expect(unitFor(seconds).name).toBe(name);
});
