import { describe, expect, test } from 'vitest';
import type { TransitionName } from '@millrace/api';
import { expectConsistent, itemIn, now, states } from '../testing/items.ts';
import { decideReturn } from './end.rules.ts';
import type { Item } from './rules.ts';

/** What becomes of running items that are taken from their holder; null stands for what was asked. */
const expected: Record<string, TransitionName | null> = {
  IN_PROGRESS: null,
  cancelled: 'stop',
  'past the point of no return': 'doubt',
  'cancelled past the point of no return': 'doubt',
};

describe.each(['lapse', 'takeBack'] as const)('%s', (transition) => {
  for (const [state, ends] of Object.entries(expected)) {
    test(`of an item that is ${state} is ${ends ?? transition}`, () => {
      const move = decideReturn(states[state] as Item, { transition, reason: 'silent' }, now);
      expect(move).toMatchObject({ transition: ends ?? transition, item: { version: 6 } });
      expect(move.reason).toContain('silent');
      expectConsistent(move.item);
    });
  }

  test('leaves retries and place as they were, and no trace of the attempt on the item', () => {
    const before = itemIn('IN_PROGRESS', { retryCount: 1 });
    const { item } = decideReturn(before, { transition, reason: 'silent' }, now);
    expect(item).toMatchObject({ status: 'NEW', retryCount: 1, sortKey: before.sortKey });
    expect([item.startedOn, item.endedOn, item.progress, item.error]).toEqual(Array(4).fill(undefined));
  });

  test('of a cancelled item says who cancelled it', () => {
    const { item } = decideReturn(states['cancelled'] as Item, { transition, reason: 'silent' }, now);
    expect(item).toMatchObject({ failureKind: 'BUSINESS', error: 'Cancelled by alice. silent' });
  });
});

test('only what runs can be taken from its holder', () => {
  for (const item of Object.values(states).filter(({ status }) => status !== 'IN_PROGRESS')) {
    expect(() => decideReturn(item, { transition: 'lapse', reason: 'silent' }, now)).toThrow('may happen');
  }
});
