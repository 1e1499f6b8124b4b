import { expect, test } from 'vitest';
import { lengthOf, overlap, union, without } from './spans.ts';

const spans = (...pairs: [number, number][]) => pairs.map(([from, to]) => ({ from, to }));

test('the union joins what overlaps or touches, and forgets what is empty', () => {
  expect(union(spans([5, 7], [0, 2], [1, 3], [3, 4], [9, 9]))).toEqual(spans([0, 4], [5, 7]));
});

test('the overlap is what both cover', () => {
  expect(overlap(spans([0, 4], [6, 9]), spans([2, 7], [8, 12]))).toEqual(spans([2, 4], [6, 7], [8, 9]));
  expect(overlap(spans([0, 4]), [])).toEqual([]);
});

test('what is taken away leaves what lies before, between and after', () => {
  expect(without(spans([0, 10]), spans([2, 3], [5, 7]))).toEqual(spans([0, 2], [3, 5], [7, 10]));
  expect(without(spans([0, 10]), [])).toEqual(spans([0, 10]));
  expect(without(spans([2, 3]), spans([0, 10]))).toEqual([]);
});

test('the length counts no moment twice', () => {
  expect(lengthOf(spans([0, 4], [2, 5], [7, 8]))).toBe(6);
});
