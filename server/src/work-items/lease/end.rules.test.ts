import { describe, expect, test } from 'vitest';
import type { TransitionName } from '@millrace/api';
import { expectConsistent, itemIn, now, states } from '../../testing/items.ts';
import { decideReturn } from './rules.ts';
import type { Item } from '../item/rules.ts';

/** The transitions of running items that are taken from their holder; null stands for the wanted one. */
const expected: Record<string, TransitionName | null> = {
  IN_PROGRESS: null,
  cancelled: 'stop',
  'past the point of no return': 'doubt',
  'cancelled past the point of no return': 'doubt',
};

const endings = ['lapse', 'exhaust', 'takeBack'] as const;

describe.each(endings)('%s', (transition) => {
  for (const [state, ends] of Object.entries(expected)) {
    test(`of an item that is ${state} is ${ends ?? transition}`, () => {
      const move = decideReturn(states[state] as Item, { transition, reason: 'silent' }, now);
      expect(move).toMatchObject({ transition: ends ?? transition, item: { version: 6 } });
      expect(move.reason).toContain('silent');
      expectConsistent(move.item);
    });
  }

  test('of a cancelled item says who cancelled it', () => {
    const { item } = decideReturn(states['cancelled'] as Item, { transition, reason: 'silent' }, now);
    expect(item).toMatchObject({ failureKind: 'BUSINESS', error: 'Cancelled by alice. silent' });
    expect(item.lapseCount).toBeUndefined();
  });
});

test('expired leases are not counted further than the column can hold', () => {
  const before = itemIn('IN_PROGRESS', { lapseCount: 32_767 });
  const { item } = decideReturn(before, { transition: 'lapse', reason: 'silent' }, now);
  expect(item.lapseCount).toBe(32_767);
});

test.each([
  ['lapse', 3],
  ['takeBack', 2],
] as const)(
  '%s leaves retries and place as they were, and no trace of the attempt but %i expired leases',
  (transition, lapseCount) => {
    const before = itemIn('IN_PROGRESS', { retryCount: 1, lapseCount: 2 });
    const { item } = decideReturn(before, { transition, reason: 'silent' }, now);
    expect(item).toMatchObject({ status: 'NEW', retryCount: 1, lapseCount, sortKey: before.sortKey });
    expect([item.startedOn, item.endedOn, item.progress, item.error]).toEqual(Array(4).fill(undefined));
  },
);

test('exhaust is a technical failure that tells the story, and no further try', () => {
  const before = itemIn('IN_PROGRESS', { lapseCount: 2 });
  const { item } = decideReturn(before, { transition: 'exhaust', reason: 'the story' }, now);
  expect(item).toMatchObject({ failureKind: 'SYSTEM', error: 'the story', lapseCount: 3, endedOn: now });
});

test('only what runs can be taken from its holder', () => {
  for (const item of Object.values(states).filter(({ status }) => status !== 'IN_PROGRESS')) {
    expect(() => decideReturn(item, { transition: 'lapse', reason: 'silent' }, now)).toThrow('may happen');
  }
});
