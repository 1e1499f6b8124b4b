import { describe, expect, test } from 'vitest';
import { decideShares, isHopeless } from './parent.ts';

const shares = (cores: number, processes?: number, databaseConnections?: number) =>
  Object.values(decideShares({ processes, databaseConnections }, cores, 10));

describe('the number of processes, and the connections of each,', () => {
  test.each([
    [1, undefined, undefined, [1, 10]],
    [3, undefined, undefined, [1, 10]],
    [4, undefined, undefined, [2, 5]],
    [16, undefined, undefined, [8, 4]],
    [64, undefined, undefined, [16, 4]],
    [16, undefined, 10, [2, 5]],
    [16, undefined, 3, [1, 3]],
    [2, 4, undefined, [4, 4]],
    [2, 4, 8, [4, 2]],
    [2, 1, 100, [1, 100]],
  ])('on %i cores, asked for %j with %j connections, are %j', (cores, processes, connections, expected) => {
    expect(shares(cores, processes, connections)).toEqual(expected);
  });

  test('are refused when there are fewer than two connections for each', () => {
    expect(() => shares(8, 4, 7)).toThrow(
      'MILLRACE_PROCESSES=4 needs at least MILLRACE_DATABASE_CONNECTIONS=16',
    );
  });
});

describe('a process that ends', () => {
  const ending = { failures: 6, isRefused: false, othersServe: true };

  test('again and again is given up', () => {
    expect(isHopeless({ ...ending, failures: 5 })).toBe(false);
    expect(isHopeless(ending)).toBe(true);
  });

  test('because it cannot start is given up only when no other serves', () => {
    expect(isHopeless({ ...ending, isRefused: true })).toBe(false);
    expect(isHopeless({ ...ending, isRefused: true, othersServe: false })).toBe(true);
  });
});
