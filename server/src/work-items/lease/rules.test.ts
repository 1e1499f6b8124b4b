import { describe, expect, test } from 'vitest';
import { codeOf, earlier, holder, itemIn, later, now, states } from '../../testing/items.ts';
import { decideHeartbeat, type Extended } from './heartbeat.ts';
import { cancellationOf, type Beat } from './rules.ts';
import type { Item } from '../item/rules.ts';

const beat = (item: Item | undefined, more: Partial<Beat> = {}) =>
  decideHeartbeat(item, { id: 1, version: 5, actorId: holder, ...more }, now);
const extended = (...asked: Parameters<typeof beat>) => beat(...asked) as Extended;

describe('a heartbeat', () => {
  test.each(Object.entries(states))('of an item that is %s', (_, item) => {
    const verdict = beat(item);
    if (item.status !== 'IN_PROGRESS') return expect(codeOf(verdict)).toBe('LEASE_LOST');
    const minute = { leaseSeconds: 60, leaseExpiresOn: new Date(now.getTime() + 60_000) };
    expect(verdict).toEqual({ item: { ...item, ...minute }, isPassing: false });
  });

  test('extends the lease by what it says, or else by what it said last', () => {
    const said = extended(itemIn('IN_PROGRESS', { leaseSeconds: 300 }), { leaseSeconds: 3600 });
    expect(said.item).toMatchObject({ leaseSeconds: 3600, leaseExpiresOn: later });
    expect(extended(said.item).item).toMatchObject({ leaseSeconds: 3600, leaseExpiresOn: later });
  });

  test('is lost with another version, by somebody else, and where there is no item', () => {
    const item = itemIn('IN_PROGRESS');
    const lost = [beat(item, { version: 4 }), beat(item, { actorId: 8 }), beat(undefined)];
    expect(lost.map(codeOf)).toEqual(['LEASE_LOST', 'LEASE_LOST', 'LEASE_LOST']);
  });

  test('passes the point of no return once', () => {
    const first = extended(itemIn('IN_PROGRESS'), { pointOfNoReturn: true });
    expect(first).toMatchObject({ isPassing: true, item: { pointOfNoReturnOn: now, version: 5 } });
    const again = extended(states['past the point of no return'], { pointOfNoReturn: true });
    expect(again).toMatchObject({ isPassing: false, item: { pointOfNoReturnOn: earlier } });
    expect(extended(states['past the point of no return']).item.pointOfNoReturnOn).toEqual(earlier);
  });

  test('does not pass the point of no return of an item that was cancelled', () => {
    const { item, isPassing } = extended(states['cancelled'], { pointOfNoReturn: true });
    expect([item.pointOfNoReturnOn, isPassing]).toEqual([undefined, false]);
  });

  test('notes progress, and keeps what was noted before', () => {
    expect(extended(itemIn('IN_PROGRESS')).item.progress).toEqual({ percent: 40 });
    expect(extended(itemIn('IN_PROGRESS'), { progress: { percent: 60 } }).item.progress).toEqual({
      percent: 60,
    });
  });
});

test('a holder is told who cancelled its item, and why, as far as it is known', () => {
  const cancelled = states['cancelled'] as Item;
  expect(cancellationOf(itemIn('IN_PROGRESS'))).toBeUndefined();
  expect(cancellationOf({ ...cancelled, cancelReason: 'sent twice' })).toEqual({
    by: 'alice',
    reason: 'sent twice',
  });
  expect(cancellationOf({ ...cancelled, canceller: undefined })).toEqual({});
});
