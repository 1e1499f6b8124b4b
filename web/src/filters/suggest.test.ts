import { expect, test } from 'vitest';
import type { Fields } from './compile.ts';
import { suggestionsFor } from './suggest.ts';

const fields: Fields = new Map([
  ['amount', { name: 'col3', type: 'number' as const }],
  ['status', { name: 'status', type: ['NEW', 'FAILED'] }],
  ['failurekind', { name: 'failureKind', type: ['SYSTEM', 'BUSINESS'] }],
  ['created', { name: 'createdOn', type: 'time' as const }],
]);

test.each([
  ['', ['status:', 'created:', 'amount:', 'failureKind:']],
  ['sta', ['status:']],
  ['status:FAILED fail', ['status:FAILED failureKind:']],
  ['-sta', ['-status:']],
  ['(sta', ['(status:']],
  ['status:', ['status:NEW ', 'status:FAILED ']],
  ['status:f', ['status:FAILED ']],
  ['created>now-2', ['created>now-24h ']],
  ['amount>1', []],
  ['nothing:', []],
  ['error~"time', []],
])('%o can go on as %o', (line, lines) => {
  expect(suggestionsFor(line, fields).map((one) => one.line)).toEqual(lines);
});
