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

test('A set that was unticked and ticked again is unchanged, and of two people’s changes both stay', () => {
  const [roles, lists] = [['a', 'b', 'c'], { roles: 'set' } as const];
  expect(changesBetween({ roles }, { roles: ['b', 'c', 'a'] }, lists)).toEqual([]);
  const mine = changesBetween({ roles }, { roles: ['b', 'c', 'mine', 'both'] }, lists);
  const others = { roles: ['a', 'c', 'both', 'theirs'] };
  expect(applied(mine, others)).toEqual({ roles: ['c', 'both', 'theirs', 'mine'] });
  expect(clashing(mine, changesBetween({ roles }, others, lists))).toEqual([]);
});

test('An order changes with the places of what both have, and only then takes the place of another’s', () => {
  const [order, lists] = [[1, 2, 3], { order: 'order' } as const];
  expect(changesBetween({ order }, { order: [1, 3, 4] }, lists)).toEqual([]);
  const theirs = changesBetween({ order }, { order: [3, 1, 2] }, lists);
  expect(clashing(changesBetween({ order }, { order: [3, 1, 2, 4] }, lists), theirs)).toEqual([]);
  expect(clashing(changesBetween({ order }, { order: [1, 3, 2] }, lists), theirs)).toEqual(['order']);
});
