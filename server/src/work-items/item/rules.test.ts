import { describe, expect, test } from 'vitest';
import { mayHappen, transitions, type Transition, type TransitionName } from '@millrace/api';
import { expiryOf, moved } from './rules.ts';
import { expectConsistent, itemIn, now, states } from '../../testing/items.ts';
import { countersOf } from '../../journal/journal.ts';
import { bucketOf } from '../../journal/times.rules.ts';

const names = Object.keys(transitions) as TransitionName[];

describe('the table of transitions', () => {
  test('lets each transition happen to items in some state, and to none of another status', () => {
    for (const name of names) {
      const { from }: Transition = transitions[name];
      const possible = Object.values(states).filter((item) => mayHappen(name, item));
      expect(new Set(possible.map(({ status }) => status)), name).toEqual(new Set(from));
    }
  });

  test('lets nothing be claimed before its time', () => {
    const claimable = Object.entries(states).filter(([, item]) => mayHappen('claim', item));
    expect(claimable.map(([state]) => state)).toEqual(['NEW']);
  });

  test('lets nobody but a person who answers the question move an item that is in doubt', () => {
    const possible = names.filter((name) => mayHappen(name, states['in doubt'] as never));
    expect(possible.toSorted()).toEqual(['delete', 'edit', 'resolveDone', 'resolveNotDone', 'resolvePartly']);
  });

  test('lets nothing bring back an item that is past the point of no return, or was cancelled', () => {
    for (const state of ['cancelled', 'past the point of no return']) {
      const possible = names.filter((name) => mayHappen(name, states[state] as never));
      expect(
        possible.filter((name) => transitions[name].to === 'NEW'),
        state,
      ).toEqual([]);
    }
  });
});

describe('Millrace itself', () => {
  test('brings a deferred item back with its retries and its place untouched', () => {
    const before = itemIn('DEFERRED', { retryCount: 1 });
    const after = moved(before, 'due', now);
    expectConsistent(after);
    expect(after).toMatchObject({ status: 'NEW', version: 6, retryCount: 1, sortKey: before.sortKey });
    expect(after.notBefore).toBeUndefined();
  });

  test('counts the expiry of an item from its creation, or takes the date of the queue', () => {
    expect(expiryOf({ expiry: { type: 'DURATION', duration: 2, durationUnit: 'HOURS' } }, now)).toEqual(
      new Date('2026-03-01T11:30:00Z'),
    );
    expect(expiryOf({ expiry: { type: 'DATE', date: '2026-03-05T00:00:00Z' } }, now)).toEqual(
      new Date('2026-03-05T00:00:00Z'),
    );
    expect(expiryOf({}, now)).toBeUndefined();
  });
});

test('counters add up moves between statuses, and the handling time of what was finished', () => {
  const running = itemIn('IN_PROGRESS');
  const counters = countersOf([
    { after: itemIn('NEW') },
    { before: running, after: itemIn('COMPLETE', { endedOn: now }) },
    { before: running, after: itemIn('NEW') },
    { before: itemIn('FAILED') },
    { before: itemIn('NEW', { notBefore: now }), after: itemIn('NEW') },
    { before: running, after: itemIn('FAILED', { failureKind: 'IN_DOUBT', endedOn: undefined }) },
  ]);
  expect(counters).toEqual({
    counts: { NEW: 2, IN_PROGRESS: -3, COMPLETE: 1, FAILED: 0, DEFERRED: 0 },
    inBackOff: -1,
    inDoubt: 1,
    arrived: 1,
    finishedComplete: 1,
    finishedFailed: 0,
    handlingMilliseconds: 60_000,
    handlingTimes: { [bucketOf(60_000)]: 1 },
  });
});
