import { expect, test } from 'vitest';
import { filtersBy } from './cell-filter.ts';

const queue = { displayColumns: ['vendor', 'due date', 'iban'] };
const item = {
  ...{
    id: 5,
    status: 'FAILED' as const,
    error: 'down\nat save',
    col1: 'Acme (US) "x"',
    col2: '2026-03-01',
    col3: '•••',
  },
};

test.each([
  ['status', 'amount>3', 'amount>3 status:FAILED', 'amount>3 -status:FAILED'],
  ['col1', '', 'vendor:"Acme (US) \\"x\\""', '-vendor:"Acme (US) \\"x\\""'],
  ['col2', '', 'col2:2026-03-01', '-col2:2026-03-01'],
  ['error', '', 'error~down', '-error~down'],
  ['failureKind', '', 'failureKind:unset', '-failureKind:unset'],
])('A cell of %s filters %s to %s, or excludes it by %s', (column, q, only, without) => {
  expect(filtersBy(q, queue, item, column)).toEqual({ only, without });
});

test.each(['createdOn', 'col3', 'col9'])('A cell of %s is no filter', (column) => {
  expect(filtersBy('', queue, item, column)).toBeUndefined();
});
