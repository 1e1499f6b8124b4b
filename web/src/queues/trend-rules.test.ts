import { expect, test } from 'vitest';
import { pointsOf } from './trend-rules.ts';

test('a line has its largest value at the top', () => {
  expect(pointsOf([0, 5, 10], 96, 20)).toBe('0,20 48,10 96,0');
  expect(pointsOf([3], 96, 20)).toBe('0,0');
});
