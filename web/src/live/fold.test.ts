import { expect, test } from 'vitest';
import { fold } from './fold.ts';

test('Events of a queue fold to what its counters change by, and to the items that they name', () => {
  const events = [
    { queueId: 7, itemId: 1, operation: 'createWorkItems', to: 'NEW' as const },
    { queueId: 7, itemId: 1, operation: 'claimWorkItems', from: 'NEW' as const, to: 'IN_PROGRESS' as const },
    { queueId: 7, itemId: 2, operation: 'deleteWorkItem', from: 'FAILED' as const },
    { queueId: 8, itemId: 3, operation: 'updateWorkItem', from: 'NEW' as const, to: 'NEW' as const },
    { queueId: 8, operation: 'pauseQueue' },
  ];
  expect(fold(events)).toEqual({
    queues: {
      7: { counts: { NEW: 0, IN_PROGRESS: 1, FAILED: -1 }, items: ['1', '2'] },
      8: { counts: { NEW: 0 }, items: ['3'] },
    },
    operations: ['pauseQueue'],
  });
});

test('A flood of events folds to little, which says that they were many', () => {
  const events = Array.from({ length: 5000 }, (_, itemId) => ({
    queueId: 7,
    itemId,
    operation: 'createWorkItems',
    to: 'NEW' as const,
  }));
  expect(fold(events)).toEqual({ queues: { 7: { counts: { NEW: 5000 }, items: 'many' } }, operations: [] });
});
