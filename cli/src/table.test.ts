import { expect, test } from 'vitest';
import { drawColumns, drawTable, fitting } from './table.ts';

const columns = [
  { name: 'id', cells: ['1', '2'] },
  { name: 'status', cells: ['NEW', 'FAILED'] },
  { name: 'error', cells: ['', 'x'.repeat(50)] },
];

test('without a screen nothing is cut or left out', () => {
  expect(fitting(columns, undefined)).toEqual(columns);
});

test('columns that do not fit the screen are left out, but never the first', () => {
  expect(fitting(columns, 11).map(({ name }) => name)).toEqual(['id', 'status']);
  expect(fitting(columns, 9).map(({ name }) => name)).toEqual(['id']);
  expect(fitting(columns, 1).map(({ name }) => name)).toEqual(['id']);
});

test('long cells are cut so that columns fit, and get back what room is left', () => {
  const errorAt = (width: number) => fitting(columns, width)[2]?.cells[1];
  expect(errorAt(52)).toBe(`${'x'.repeat(39)}…`);
  expect(errorAt(55)).toBe(`${'x'.repeat(42)}…`);
  expect(errorAt(62)).toBe('x'.repeat(50));
});

test('a table has even columns, and cells of several lines', () => {
  expect(drawColumns(columns.slice(0, 2), (name) => name)).toBe('id  status\n1   NEW\n2   FAILED');
  expect(
    drawTable([
      ['id', '1'],
      ['logTail', 'one\n  two'],
    ]),
  ).toBe('id       1\nlogTail  one\n           two');
});
