import { expect, test } from 'vitest';
import { item, note } from '../history/draft.ts';
import { cora, honestHistory, retried, returned, unresolved } from '../history/honest.ts';
import { meanwhile, secondsBack, tally, type Course } from './verdict.ts';

test('what was acknowledged and is not there is lost, once for each item', () => {
  const history = honestHistory();
  expect(tally(history)).toEqual({ lost: 0, doubled: 0 });
  history.items.shift();
  expect(tally(history)).toEqual({ lost: 1, doubled: 0 });
  item(history, unresolved, { status: 'NEW' });
  expect(tally(history)).toEqual({ lost: 2, doubled: 0 });
});

test('an item that is there twice, or done by two holders, is doubled', () => {
  const history = honestHistory();
  item(history, returned, { key: 'a' });
  note(history, {
    note: 'accepted',
    by: cora,
    id: retried,
    version: 5,
    says: 'COMPLETE',
    versionAfter: 6,
  });
  expect(tally(history)).toEqual({ lost: 0, doubled: 2 });
});

/** Every 10 ms from 0 on one item is created and one finished, except at times that are left out. */
function course(isCreated: (at: number) => boolean): Course {
  const times = Array.from({ length: 2000 }, (_, index) => 10 * index);
  const load = {
    logs: [],
    acknowledged: { create: times.filter(isCreated), finish: times },
    errors: new Map(),
    slowestMs: 0,
  };
  return { load, baseMs: 5000, begun: 5000, over: 8000, struck: Promise.resolve() };
}

test('all is as before when creates and finishes are, for two seconds', () => {
  const struck = course((at) => at < 5000 || at >= 9500);
  expect(meanwhile(struck)).toBe(0);
  expect(secondsBack(struck, 11_000)).toBeUndefined();
  expect(secondsBack(struck, 20_000)).toBe(1.4);
  expect(
    secondsBack(
      course(() => true),
      10_000,
    ),
  ).toBe(0);
});
