import { expect, test } from 'vitest';
import { SharedStrings } from './shared-strings.ts';

test('the shared texts of a workbook are bounded also where they are empty', () => {
  const most = 2000;
  const strings = new SharedStrings(most);
  for (let count = 0; count < most; count += 1) strings.add('');
  expect(strings.at(most - 1)).toBe('');
  expect(() => strings.add('')).toThrow('or 8 million texts');
});

test('the shared texts of a workbook that are too many for memory lie on disk, and are read in any order', () => {
  const strings = new SharedStrings(100_000, 0);
  const textOf = (index: number) =>
    `${index} ${'ü'.repeat(index % 97)}${index % 5000 === 0 ? '€'.repeat(32_000) : ''}`;
  for (let index = 0; index < 30_000; index += 1) strings.add(textOf(index));
  const order = Array.from({ length: 30_000 }, (_, index) => (index * 7919) % 30_000);
  expect(order.filter((index) => strings.at(index) !== textOf(index))).toEqual([]);
  for (let index = 0; index < 30_000; index += 1) expect(strings.at(index) === textOf(index)).toBe(true);
  expect(strings.at(30_000)).toBeUndefined();
  strings.close();
});
