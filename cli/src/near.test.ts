import { expect, test } from 'vitest';
import { didYouMean, nearTo } from './near.ts';

test.each([
  ['finishWorkItem', ['finishWorkItems']],
  ['FINISHWORKITEMS', ['finishWorkItems']],
  ['finish', ['finishWorkItems']],
  ['updateWorkItem', ['updateWorkItem', 'updateWorkItems', 'updateWorkItemModel']],
  ['zebra', []],
  ['', []],
])('%j may mean %j', (text, near) => {
  const known = ['updateWorkItemModel', 'updateWorkItem', 'finishWorkItems', 'updateWorkItems', 'pauseQueue'];
  expect(nearTo(text, known)).toEqual(expect.arrayContaining(near));
  expect(nearTo(text, known)[0]).toBe(near[0]);
});

test('what is near is asked back, and nothing where nothing is', () => {
  expect(didYouMean('credt', ['credit', 'debit', 'other'])).toBe('Did you mean credit?');
  expect(didYouMean('credit', [])).toBe('');
});
