import { ExactNumber } from '@millrace/api';
import { expect, test } from 'vitest';
import { cellsOf, cellText, fieldsOf } from './columns.ts';

const items = [
  { id: 1, status: 'NEW', retryCount: 0, createdOn: 'x', json: { customer: 'A', amount: 5 } },
  {
    id: 9223372036854775807n,
    status: 'FAILED',
    retryCount: 2,
    error: 'no\nroom',
    json: { due: null, customer: 'B' },
  },
];

test('items are shown with their attributes as columns, without columns that are empty or of no interest', () => {
  expect(cellsOf('listWorkItems', items, undefined)).toEqual({
    head: ['id', 'status', 'retryCount', 'customer', 'amount', 'error'],
    rows: [
      ['1', 'NEW', '0', 'A', '5', ''],
      ['9223372036854775807', 'FAILED', '2', 'B', '', 'no room'],
    ],
    hidden: 0,
  });
});

test('columns that do not fit the screen are left out and counted, but never the first', () => {
  expect(cellsOf('listWorkItems', items, 30)).toMatchObject({ head: ['id', 'status'], hidden: 4 });
  expect(cellsOf('listWorkItems', items, 1)).toMatchObject({ head: ['id'], hidden: 5 });
});

test('a long cell is cut on a screen, and never elsewhere', () => {
  const list = [{ id: 1, error: 'x'.repeat(50) }];
  expect(cellsOf('listWorkItems', list, 200).rows).toEqual([['1', `${'x'.repeat(39)}…`]]);
  expect(cellsOf('listWorkItems', list, undefined).rows).toEqual([['1', 'x'.repeat(50)]]);
});

test('a list of an operation without chosen columns shows every column', () => {
  expect(
    cellsOf('finishWorkItems', [{ id: 1, error: { code: 'C', message: 'm' } }], undefined),
  ).toMatchObject({
    head: ['id', 'error'],
    rows: [['1', 'C: m']],
  });
});

test('fields of a record are named by the way to them', () => {
  const record = {
    id: 1,
    counts: { NEW: 2, FAILED: 0 },
    recent: {},
    error: null,
    json: { 'a b': true },
    name: '',
  };
  expect(fieldsOf(record)).toEqual([
    ['id', '1'],
    ['counts.NEW', '2'],
    ['counts.FAILED', '0'],
    ['json.a b', 'true'],
  ]);
});

test.each([
  [undefined, ''],
  [null, ''],
  [['a', 'b'], 'a, b'],
  [[{ id: 1, name: 'AAE_Basic' }], 'AAE_Basic'],
  [[{ name: 'amount', type: 'NUMBER' }], 'amount NUMBER'],
  [{ a: 1n }, '{"a":1}'],
  [new ExactNumber('1.10'), '1.10'],
  ['a\u001b[31m\tb', 'a [31m b'],
])('%o is shown as "%s"', (value, text) => {
  expect(cellText(value)).toBe(text);
});
