import { describe, expect, test } from 'vitest';
import { changedMembers } from './rules.ts';

describe('changedMembers', () => {
  test('names what is new or different, as it is now', () => {
    const before = { name: 'A', columns: ['a', 'b'], limit: 0, version: 1 };
    const after = { name: 'B', columns: ['b', 'a'], limit: 0, expiry: { type: 'DATE' } };
    expect(changedMembers(before, after)).toEqual({
      name: 'B',
      columns: ['b', 'a'],
      expiry: { type: 'DATE' },
    });
  });

  test('is empty when everything is as it was, whatever else was known before', () => {
    expect(changedMembers({ id: 2n ** 60n, tags: ['x'], more: 1 }, { id: 2n ** 60n, tags: ['x'] })).toEqual(
      {},
    );
  });
});
