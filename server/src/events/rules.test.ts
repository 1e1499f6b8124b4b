import { describe, expect, test } from 'vitest';
import { changedMembers } from '../journal/journal.ts';
import { continuation, operationsVisibleTo, wayBack } from './events.ts';
import { earlierOf, laterOf, positionOf, refuseFuture } from './rules.ts';

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

describe('visibleOperations', () => {
  const samples = {
    createWorkItemModel: 'createQueues',
    quarantineDevice: 'viewDevices',
    updatePool: 'viewDevices',
    deleteAutomation: 'viewDevices',
    createUser: 'viewUsers',
    createRole: 'viewUsers',
    revokeApiKey: 'viewUsers',
    updateCalendar: 'useQueues',
    doSomethingNew: 'viewEvents',
  };
  const isVisible = (operation: string, ...permissions: string[]) =>
    new RegExp(operationsVisibleTo(new Set(permissions)), 'i').test(operation);

  test.each(Object.entries(samples))(
    '%s is visible with %s, and without it to nobody but who sees all events',
    (operation, needed) => {
      const others = ['useQueues', 'viewDevices', 'viewUsers', 'createQueues', 'runDevice'].filter(
        (one) => one !== needed,
      );
      expect(isVisible(operation, needed)).toBe(true);
      expect(isVisible(operation, ...others)).toBe(false);
      expect(isVisible(operation, 'viewEvents')).toBe(true);
      expect(isVisible(operation)).toBe(false);
    },
  );
});

test('queue admins see the events of models, as all queues are theirs', () => {
  expect(operationsVisibleTo(new Set(['manageAllQueues']))).toBe('model');
});

describe('continuation', () => {
  const event = (cursor: string) => ({ cursor, id: 1, operation: 'x', actorId: 0, on: '' });

  test('is behind the last event of the list when more matched than fitted in', () => {
    const found = { list: [event('5-1'), event('5-2')], matched: 3, horizon: '9', scannedTo: '6-9' };
    expect(continuation(found)).toEqual({ cursor: '5-2', isMore: true });
  });

  test('is behind the last event that was looked at when there were more to look at', () => {
    expect(continuation({ list: [event('5-1')], matched: 1, horizon: '9', scannedTo: '6-9' })).toEqual({
      cursor: '6-9',
      isMore: true,
    });
  });

  test('is before the oldest transaction under way when everything was told', () => {
    expect(continuation({ list: [event('5-1')], matched: 1, horizon: '9' })).toEqual({
      cursor: '9-0',
      isMore: false,
    });
    expect(continuation({ list: [], matched: 0, horizon: '9' })).toEqual({ cursor: '9-0', isMore: false });
  });
});

test('the way back goes on before what was looked at, and ends before all', () => {
  const event = { cursor: '5-1', id: 1, operation: 'x', actorId: 0, on: '' };
  expect(wayBack({ list: [event], matched: 2, horizon: '9' })).toEqual({ cursor: '5-1', isMore: true });
  expect(wayBack({ list: [], matched: 0, horizon: '9', scannedTo: '3-7' })).toEqual({
    cursor: '3-7',
    isMore: true,
  });
  expect(wayBack({ list: [event], matched: 1, horizon: '9' })).toEqual({ cursor: '0-0', isMore: false });
});

describe('a cursor', () => {
  test('is before another one by its transaction, and then by its event, whatever their lengths', () => {
    const [early, late] = [
      { tx: '9', id: 10 },
      { tx: '10', id: 9 },
    ];
    const next = { tx: '10', id: 9007199254740993n };
    expect([laterOf(early, late), earlierOf(early, late)]).toEqual([late, early]);
    expect([laterOf(late, next), earlierOf(next, late)]).toEqual([next, late]);
    expect([laterOf(undefined, late), earlierOf(early, undefined), laterOf(undefined, undefined)]).toEqual([
      late,
      early,
      undefined,
    ]);
  });

  test('names a transaction and an event, with all their digits', () => {
    expect(positionOf('18446744073709551615-9007199254740993')).toEqual({
      tx: '18446744073709551615',
      id: 9007199254740993n,
    });
  });

  test('is refused when its transaction is yet to come', () => {
    expect(() => refuseFuture({ tx: '9', id: 5 }, '10')).not.toThrow();
    expect(() => refuseFuture({ tx: '10', id: 0 }, '10')).not.toThrow();
    expect(() => refuseFuture({ tx: '11', id: 0 }, '10')).toThrow('Was the database restored from a backup?');
  });
});
