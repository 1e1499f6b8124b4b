import { expect, test } from 'vitest';
import { isTakenFrom, sumUp } from './outcome.ts';

const claim = (actorId: number) => ({ operation: 'claimWorkItems', actorId, to: 'IN_PROGRESS' as const });
const finish = (actorId: number) => ({ operation: 'finishWorkItems', actorId, to: 'COMPLETE' as const });
const expiry = { operation: 'returnLapsedItems', actorId: 0, to: 'NEW' as const };
const late = (actorId: number) => ({ operation: 'lateReport', actorId });

test.each([
  {
    what: 'an item whose lease has expired',
    timeline: [claim(7), expiry, claim(8), finish(8)],
    isTaken: true,
  },
  {
    what: 'an item that it reported too late',
    timeline: [claim(7), expiry, claim(8), late(7)],
    isTaken: true,
  },
  { what: 'an item that it has finished', timeline: [claim(7), finish(7)], isTaken: false },
  {
    what: 'an item that it got from another',
    timeline: [claim(8), expiry, claim(7), finish(7)],
    isTaken: false,
  },
  { what: 'an item that it never held', timeline: [claim(8), expiry, claim(9), finish(9)], isTaken: false },
])('$what: was taken back from the runner is $isTaken', ({ timeline, isTaken }) => {
  expect(isTakenFrom(timeline, 7)).toBe(isTaken);
});

test('the sum tells what became of each item, and which share was how quick', () => {
  const created = Date.parse('2026-01-01T00:00:00Z');
  const after = (seconds: number) => ({
    createdOn: new Date(created).toISOString(),
    endTime: new Date(created + seconds * 1000).toISOString(),
  });
  const done = Array.from({ length: 98 }, (_, id) => ({ id, status: 'COMPLETE' as const, ...after(id + 1) }));
  const retried = { id: 98, status: 'COMPLETE' as const, retryCount: 1, ...after(99) };
  const failed = { id: 99, status: 'FAILED' as const, failureKind: 'BUSINESS' as const, ...after(100) };
  const waiting = { id: 100, status: 'NEW' as const };
  expect(sumUp([...done, retried, failed, waiting], 20)).toEqual({
    total: 101,
    done: 99,
    failed: { BUSINESS: 1 },
    retried: 1,
    unfinished: 1,
    itemsPerSecond: 5,
    p50: 50,
    p99: 99,
  });
});
