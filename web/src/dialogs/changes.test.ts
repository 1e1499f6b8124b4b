import { ExactNumber } from '@millrace/api';
import { expect, test } from 'vitest';
import { applied, changesBetween, clashing } from './changes.ts';

const base = { number: 'R-1', amount: new ExactNumber('9007199254740993.125'), tags: ['a'] };

test('Changes of two people come together by member, and where both changed one it is said', () => {
  const mine = changesBetween(base, { ...base, number: 'R-2', due: '2026-03-01' });
  const theirs = changesBetween(base, { ...base, number: 'R-3', amount: 5 });
  expect(mine.map(({ name }) => name)).toEqual(['number', 'due']);
  expect(applied(mine, { ...base, number: 'R-3', amount: 5 })).toEqual({
    number: 'R-2',
    amount: 5,
    tags: ['a'],
    due: '2026-03-01',
  });
  expect(clashing(mine, theirs)).toEqual(['number']);
});

test('Numbers are the same when all their digits are', () => {
  expect(changesBetween({ a: new ExactNumber('1.50') }, { a: new ExactNumber('1.50') })).toEqual([]);
  expect(changesBetween({ a: new ExactNumber('1.50') }, { a: new ExactNumber('1.5') })).toHaveLength(1);
});
