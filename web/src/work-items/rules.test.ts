import { expect, test } from 'vitest';
import { actionsFor } from './rules.ts';

test.each([
  [{ status: 'NEW' as const }, []],
  [{ status: 'NEW' as const, notBefore: '2026-03-02T08:00:00Z' }, ['release']],
  [{ status: 'DEFERRED' as const }, ['release']],
  [{ status: 'IN_PROGRESS' as const }, ['cancel']],
  [{ status: 'IN_PROGRESS' as const, cancelRequestedOn: '2026-03-02T08:00:00Z' }, []],
  [{ status: 'FAILED' as const, failureKind: 'SYSTEM' as const }, ['restart']],
  [{ status: 'FAILED' as const, failureKind: 'IN_DOUBT' as const }, []],
  [{ status: 'COMPLETE' as const }, []],
])('To an item that is %o one can do %o', (item, actions) => {
  expect(actionsFor(item)).toEqual(actions);
});
