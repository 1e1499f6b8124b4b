import { describe, expect, test } from 'vitest';
import { changedMembers, continuation, placeOf, refuseFuture, visibleOperations } from './rules.ts';

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
    createWorkItemModel: 'useQueues',
    quarantineDevice: 'viewDevices',
    updatePool: 'viewDevices',
    deleteAutomation: 'viewDevices',
    createUser: 'viewUsers',
    createRole: 'viewUsers',
    revokeApiKey: 'viewUsers',
    doSomethingNew: 'manageServer',
  };
  const isVisible = (operation: string, ...permissions: string[]) =>
    new RegExp(visibleOperations(new Set(permissions)), 'i').test(operation);

  test.each(Object.entries(samples))(
    '%s is visible with %s, and without it to nobody but who manages the server',
    (operation, needed) => {
      const others = ['useQueues', 'viewDevices', 'viewUsers', 'manageAllQueues'].filter(
        (one) => one !== needed,
      );
      expect(isVisible(operation, needed)).toBe(true);
      expect(isVisible(operation, ...others)).toBe(false);
      expect(isVisible(operation, 'manageServer')).toBe(true);
      expect(isVisible(operation)).toBe(false);
    },
  );
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

describe('a cursor', () => {
  test('names a transaction and an event, with all their digits', () => {
    expect(placeOf('18446744073709551615-9007199254740993')).toEqual({
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
