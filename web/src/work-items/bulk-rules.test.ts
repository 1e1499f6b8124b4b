import { stringifyJson } from '@millrace/api';
import { expect, test } from 'vitest';
import { actionsOn, bulkActions, emptyDraft, needsNumber, needsReason, stepOf } from './bulk-rules.ts';

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

const repairs = ['DEFER', 'COMPLETE', 'FAIL', 'EDIT', 'SET_PRIORITY', 'MOVE', 'DELETE'];

test.each([
  [{ status: 'NEW' as const }, repairs],
  [{ status: 'NEW' as const, notBefore: '2026-12-01T00:00:00Z' }, ['RELEASE', ...repairs]],
  [{ status: 'FAILED' as const, failureKind: 'BUSINESS' as const }, ['RESTART', ...repairs]],
  [{ status: 'FAILED' as const, failureKind: 'IN_DOUBT' as const }, ['RESOLVE', 'DELETE']],
  [{ status: 'IN_PROGRESS' as const }, ['CANCEL']],
  [{ status: 'IN_PROGRESS' as const, cancelRequestedOn: '2026-12-01T00:00:00Z' }, []],
  [{ status: 'COMPLETE' as const }, ['DELETE']],
])('An item that is %o allows %o', (item, actions) => {
  expect(actionsOn([item])).toEqual(actions);
});

test('Of several items one has to allow an action, and of those not known what they are any may', () => {
  expect(actionsOn([{ status: 'COMPLETE' }, { status: 'IN_PROGRESS' }])).toEqual(['CANCEL', 'DELETE']);
  expect(actionsOn([{}])).toEqual(bulkActions);
  expect(actionsOn([])).toEqual([]);
});
