import { expect, test } from 'vitest';
import { movedBy, toggled } from './list-columns-rules.ts';

const chosen = ['status', 'col1', 'error'];

test('A column that is chosen comes last, and one that is not chosen any more goes', () => {
  expect(toggled(chosen, 'tags')).toEqual([...chosen, 'tags']);
  expect(toggled(chosen, 'col1')).toEqual(['status', 'error']);
});

test.each([
  ['col1', -1 as const, ['col1', 'status', 'error']],
  ['col1', 1 as const, ['status', 'error', 'col1']],
  ['status', -1 as const, chosen],
  ['error', 1 as const, chosen],
  ['tags', 1 as const, chosen],
])('%s moved by %i', (id, by, order) => {
  expect(movedBy(chosen, id, by)).toEqual(order);
});
