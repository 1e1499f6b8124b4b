import { stringifyJson } from '@millrace/api';
import { expect, test } from 'vitest';
import { bulkActions, emptyDraft, needsNumber, needsReason, stepOf } from './bulk-rules.ts';

const types = { amount: 'NUMBER', vendor: 'TEXT', isUrgent: 'BOOLEAN' } as const;

test.each([
  ['RESTART' as const, {}, '{"action":"RESTART"}'],
  ['RESTART' as const, { reason: ' Back ' }, '{"action":"RESTART","reason":"Back"}'],
  ['DEFER' as const, {}, '{"action":"DEFER"}'],
  ['SET_PRIORITY' as const, { priority: '9' }, '{"action":"SET_PRIORITY","priority":9}'],
  ['MOVE' as const, { queueId: 8 }, '{"action":"MOVE","queueId":8}'],
  ['RESOLVE' as const, { answer: 'DONE' as const }, '{"action":"RESOLVE","answer":"DONE"}'],
  [
    'EDIT' as const,
    { edits: { amount: '9007199254740993.125', vendor: '', isUrgent: 'true' } },
    '{"action":"EDIT","json":{"amount":9007199254740993.125,"vendor":null,"isUrgent":true}}',
  ],
])('%s with %o asks for %s', (action, draft, request) => {
  expect(stringifyJson(stepOf(action, { ...emptyDraft, ...draft }, types))).toBe(request);
});

test.each([
  ['SET_PRIORITY' as const, { priority: 'high' }],
  ['MOVE' as const, {}],
  ['RESOLVE' as const, { answer: 'PARTLY' as const }],
  ['EDIT' as const, { edits: {} }],
  ['EDIT' as const, { edits: { amount: 'much' } }],
])('%s with %o cannot be asked for yet', (action, draft) => {
  expect(stepOf(action, { ...emptyDraft, ...draft }, types)).toBeUndefined();
});

test('What others will ask about needs a reason, and what cannot be undone its number', () => {
  expect(bulkActions.filter(needsReason)).toEqual(['CANCEL', 'FAIL', 'DELETE']);
  expect([needsNumber('DELETE', 1), needsNumber('RESTART', 1000), needsNumber('RESTART', 1001)]).toEqual([
    true,
    false,
    true,
  ]);
});
