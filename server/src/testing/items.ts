import { statuses, type Status } from '@millrace/api';
import { expect } from 'vitest';
import { Refusal } from '../engine/errors.ts';
import type { Item } from '../work-items/item/rules.ts';

export const now = new Date('2026-03-01T09:30:00Z');
export const earlier = new Date('2026-03-01T09:29:00Z');
export const later = new Date('2026-03-01T10:30:00Z');
/** The user that holds items in progress. */
export const holder = 7;

const byStatus: Record<Status, Partial<Item>> = {
  NEW: {},
  IN_PROGRESS: { leaseExpiresOn: now, startedOn: earlier, progress: { percent: 40 } },
  COMPLETE: { result: 'SUCCESS', startedOn: earlier, endedOn: earlier },
  FAILED: { result: 'FAILURE', failureKind: 'SYSTEM', error: 'broken', startedOn: earlier, endedOn: earlier },
  DEFERRED: { notBefore: now },
};

/** An item for rules, as it would be stored in this status. */
export function itemIn(status: Status, members: Partial<Item> = {}): Item {
  const base = { id: 1, status, version: 5, priority: 4, sortKey: Buffer.alloc(9), retryCount: 0 };
  return { ...base, claimedBy: holder, deviceId: 12, ...byStatus[status], ...members };
}

const passed = { pointOfNoReturnOn: earlier };
const cancelled = { cancelRequestedOn: earlier, cancelRequestedBy: 9, canceller: 'alice' };

/** An item in every state that rules distinguish, under the name that a person would use. */
export const states: Readonly<Record<string, Item>> = {
  ...Object.fromEntries(statuses.map((status) => [status, itemIn(status)])),
  'waiting for a retry': itemIn('NEW', { notBefore: later, retryCount: 1 }),
  'deferred for ever': itemIn('DEFERRED', { notBefore: undefined }),
  'past the point of no return': itemIn('IN_PROGRESS', passed),
  cancelled: itemIn('IN_PROGRESS', cancelled),
  'cancelled past the point of no return': itemIn('IN_PROGRESS', { ...passed, ...cancelled }),
  'in doubt': itemIn('FAILED', { failureKind: 'IN_DOUBT', ...passed }),
  expired: itemIn('FAILED', { failureKind: 'EXPIRED', expiresOn: earlier }),
};

export function codeOf(verdict: unknown): string | undefined {
  return verdict instanceof Refusal ? verdict.code : undefined;
}

/** Expects that the columns agree with the status, as the database checks as well. */
export function expectConsistent(item: Item): void {
  const isRunning = item.status === 'IN_PROGRESS';
  expect(item.leaseExpiresOn !== undefined, 'lease').toBe(isRunning);
  expect(item.result === 'SUCCESS', 'success').toBe(item.status === 'COMPLETE');
  expect(item.result === 'FAILURE', 'failure').toBe(item.status === 'FAILED');
  expect(item.failureKind !== undefined, 'failure kind').toBe(item.status === 'FAILED');
  expect(item.endedOn !== undefined, 'end').toBe(item.status === 'COMPLETE' || item.status === 'FAILED');
  if (item.failureKind === 'IN_DOUBT') expect(item.pointOfNoReturnOn, 'evidence').toBeDefined();
  else if (!isRunning) expect(item.pointOfNoReturnOn, 'point of no return').toBeUndefined();
  if (!isRunning) expect(item.cancelRequestedOn ?? item.cancelRequestedBy, 'cancellation').toBeUndefined();
}
