import { ExactNumber } from '@millrace/api';
import { expect, test } from 'vitest';
import { cellText, cellsOf, fieldsOf, listsIn } from './cells.ts';
import { columnsOf, columnsWithin } from './columns.ts';

const items = [
  { id: 1, status: 'NEW', retryCount: 0, priority: 4, createdOn: 'x', json: { customer: 'A', amount: 5 } },
  {
    id: 9223372036854775807n,
    status: 'FAILED',
    retryCount: 2,
    priority: 4,
    error: 'no\nroom',
    json: { due: null, customer: 'B' },
  },
];

const namesOf = (wanted: readonly string[], list: readonly Record<string, unknown>[]) =>
  cellsOf(wanted, list).map(({ name }) => name);

test('items are shown with their attributes, without what is empty, as usual in all, or of no interest', () => {
  expect(cellsOf(columnsOf('listWorkItems'), items)).toEqual([
    { name: 'id', cells: ['1', '9223372036854775807'] },
    { name: 'status', cells: ['NEW', 'FAILED'] },
    { name: 'retryCount', cells: ['0', '2'] },
    { name: 'customer', cells: ['A', 'B'] },
    { name: 'amount', cells: ['5', ''] },
    { name: 'error', cells: ['', 'no room'] },
  ]);
});

test('items show what people need to know of them, where they have it', () => {
  const item = {
    id: 1,
    status: 'IN_PROGRESS',
    priority: 7,
    deviceId: 3,
    leaseExpiresOn: 'later',
    progress: { percent: 40, text: 'Vendor found' },
    deferredUntil: 'May',
    notBefore: 'June',
    tags: ['vip', 'new'],
  };
  expect(cellsOf(columnsOf('listWorkItems'), [item])).toEqual(
    Object.entries({ ...item, progress: '40% Vendor found', tags: 'vip, new' })
      .map(([name, value]) => ({ name, cells: [String(value)] }))
      .toSorted((one, other) => orderOf(one.name) - orderOf(other.name)),
  );
});

const orderOf = (name: string) => columnsOf('listWorkItems').indexOf(name);

test('a column may be a member of a member', () => {
  const queues = [{ id: 1, pause: { by: 1, reason: 'night', until: 'six' } }, { id: 2 }];
  expect(cellsOf(columnsOf('listQueues'), queues)).toEqual([
    { name: 'id', cells: ['1', '2'] },
    { name: 'pause.reason', cells: ['night', ''] },
    { name: 'pause.until', cells: ['six', ''] },
  ]);
});

test('a list without chosen columns shows every column', () => {
  const list = [{ id: 1, error: { code: 'C', message: 'm' } }];
  expect(cellsOf(columnsOf('finishWorkItems'), list)).toEqual([
    { name: 'id', cells: ['1'] },
    { name: 'error', cells: ['C: m'] },
  ]);
});

test('the columns of a list in an answer are chosen by its name', () => {
  const rows = [{ index: 0, message: 'm', itemId: 5, queueId: 2, field: 'f' }];
  expect(namesOf(columnsWithin('invalid'), rows)).toEqual(['queueId', 'itemId', 'field', 'message']);
  const problem = { row: 3, itemId: 5, reason: 'r', value: 'v', field: 'f', column: 'c' };
  expect(namesOf(columnsWithin('errors'), [problem])).toEqual([
    ...['row', 'column', 'field', 'value', 'reason', 'itemId'],
  ]);
  expect(namesOf(columnsWithin('doubt.lateReports'), [{ id: 1, on: 'x', deviceId: 3 }])).toEqual([
    'on',
    'deviceId',
  ]);
  expect(namesOf(columnsWithin('queues'), [{ id: 1, openItems: 3 }])).toEqual(['id', 'openItems']);
});

const record = {
  id: 1,
  counts: { NEW: 2, FAILED: 0 },
  recent: {},
  error: null,
  json: { 'a b': true },
  name: '',
  logTail: 'one\u001b[2J\n  two\n',
  attempts: [{ number: 1 }],
  doubt: { since: 'x', lateReports: [{ id: 7 }] },
  tags: ['a', 'b'],
  none: [],
};

test('fields of a record are named by the way to them, and texts keep their lines', () => {
  expect(fieldsOf(record)).toEqual([
    ['id', '1'],
    ['counts.NEW', '2'],
    ['counts.FAILED', '0'],
    ['json.a b', 'true'],
    ['logTail', 'one [2J\n  two'],
    ['doubt.since', 'x'],
    ['tags', 'a, b'],
  ]);
});

test('lists of records in a record are tables of their own', () => {
  expect(listsIn(record)).toEqual([
    ['attempts', [{ number: 1 }]],
    ['doubt.lateReports', [{ id: 7 }]],
  ]);
});

test.each([
  [undefined, ''],
  [null, ''],
  [['a', 'b'], 'a, b'],
  [[{ id: 1, name: 'AAE_Basic' }], 'AAE_Basic'],
  [[{ name: 'amount', type: 'NUMBER' }], 'amount NUMBER'],
  [{ id: 31, username: 'sap-robot' }, 'sap-robot'],
  [{ percent: 12.5 }, '12.5%'],
  [{ a: 1n }, '{"a":1}'],
  [new ExactNumber('1.10'), '1.10'],
  ['a\u001b[31m\tb', 'a [31m b'],
])('%o is shown as "%s"', (value, text) => {
  expect(cellText(value)).toBe(text);
});
