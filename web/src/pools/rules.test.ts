import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { changesIn, draftOf, movesIn, settingsOf, sharesOf } from './rules.ts';

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

const pool = { id: 1, name: 'Office', scheme: 'FAIR', deviceIds: [4, 3], ownerIds: [21] } as Schemas['Pool'];

test('a draft of a pool says what it changes, and which devices come and go', () => {
  const draft = draftOf(pool);
  expect(changesIn(pool, { ...draft, devices: ['3', '4'] })).toEqual({});
  const other = { ...draft, devices: ['4', '9', '10'], scheme: 'PRIORITY' as const };
  expect(changesIn(pool, other)).toEqual({ scheme: 'PRIORITY', deviceIds: [4, 9, 10] });
  expect(movesIn(pool, other)).toEqual({ into: 2, out: 1 });
  expect(settingsOf(draftOf({}, 7))).toMatchObject({ scheme: 'FAIR', timeSliceSeconds: 300, ownerIds: [7] });
});
