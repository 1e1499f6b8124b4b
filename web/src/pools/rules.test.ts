import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { sharesOf } from './rules.ts';

const automation = (id: number, more: Partial<Schemas['Automation']> = {}) =>
  ({ id, queueId: id, poolId: 1, weight: 1, status: 'ACTIVE', ...more }) as Schemas['Automation'];
const finished = (queueId: number, complete: number) =>
  ({ queueId, recent: { complete, failed: 0 } }) as Schemas['QueueStats'];
const all = [
  automation(1, { weight: 3 }),
  automation(2),
  automation(3, { status: 'PAUSED' }),
  automation(4, { poolId: 2 }),
];
const shares = (scheme: 'FAIR' | 'PRIORITY', stats: Schemas['QueueStats'][]) =>
  sharesOf({ id: 1, scheme } as Schemas['Pool'], all, stats).map(({ due, got }) => [due, got]);

test('shares are due by weight where the pool is fair, and in equal parts otherwise', () => {
  expect(shares('FAIR', [finished(1, 30), finished(2, 10)])).toEqual([
    [0.75, 0.75],
    [0.25, 0.25],
  ]);
  expect(shares('PRIORITY', []).map(([due]) => due)).toEqual([0.5, 0.5]);
});

test('nothing is said of what was had where nothing was finished, or the queue is not seen', () => {
  expect(shares('FAIR', [finished(1, 0)]).map(([, got]) => got)).toEqual([undefined, undefined]);
  expect(shares('FAIR', [finished(1, 5)]).map(([, got]) => got)).toEqual([1, undefined]);
});
