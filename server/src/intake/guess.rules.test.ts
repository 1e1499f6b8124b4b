import { expect, test } from 'vitest';
import { guessColumn } from './sample.ts';
import type { Cell } from './table/cells.rules.ts';
import type { ValueReading } from './values.rules.ts';

const guess = (cells: readonly Cell[], reading: ValueReading = {}) => guessColumn(cells, reading);

test.each<[string, readonly Cell[], object]>([
  ['numbers', ['1', '-2.5', '1e3'], { type: 'NUMBER', isRequired: true }],
  ['numbers of a workbook', [1, 2.5], { type: 'NUMBER', isRequired: true }],
  ['numbers with a cell that is empty', ['1', ''], { type: 'NUMBER', isRequired: false }],
  ['words for yes and no', ['ja', 'nein', 'Ja'], { type: 'BOOLEAN' }],
  ['booleans of a workbook', [true, false], { type: 'BOOLEAN' }],
  ['digits that may be switches', ['0', '1'], { type: 'NUMBER' }],
  ['days', ['2026-03-01', '1.4.2026'], { type: 'DATE' }],
  ['dates of a workbook', [{ day: '2026-03-01' }], { type: 'DATE' }],
  ['times without a day', [{ time: '09:30:00' }], { type: 'TEXT' }],
  ['words', ['a', 'b'], { type: 'TEXT' }],
  ['nothing', ['', ''], { type: 'TEXT', isRequired: false, note: expect.stringContaining('no values') }],
  ['leading zeros', ['0123', '99'], { type: 'TEXT', note: expect.stringContaining('"0123"') }],
  ['numbers that are shown with leading zeros', [{ number: 7, shown: '007' }], { type: 'TEXT' }],
  ['long digits', ['4006381333931000001'], { type: 'TEXT', note: expect.stringContaining('not keep') }],
  ['decimals below one', ['0.5', '0'], { type: 'NUMBER' }],
  ['telephone numbers', ['+4930123456'], { type: 'TEXT' }],
])('a column of %s', (_, cells, expected) => {
  expect(guess(cells)).toMatchObject(expected);
});

test('a date that can be read in two ways is told, and is clear as soon as one value is', () => {
  const unclear = guess(['01/02/2026', '03/04/2026']);
  expect(unclear).toMatchObject({ type: 'DATE', note: expect.stringContaining('dd/mm/yyyy or mm/dd/yyyy') });
  expect(unclear.dateFormat).toBeUndefined();
  expect(guess(['01/02/2026', '31/01/2026']).dateFormat).toBe('dd/mm/yyyy');
  expect(guess(['01/02/2026', '01/31/2026']).dateFormat).toBe('mm/dd/yyyy');
  expect(guess(['1.2.26', '28.2.26'])).toMatchObject({ type: 'DATE', dateFormat: 'dd.mm.yy' });
  expect(guess(['01/02/2026'], { dateFormat: 'dd/mm/yyyy' })).toEqual({ type: 'DATE', isRequired: true });
});

test('a decimal sign is proposed where only one fits', () => {
  expect(guess(['1.234,50', '7,5'])).toMatchObject({ type: 'NUMBER', decimalSign: 'COMMA' });
  expect(guess(['1,234.50', '7.5'])).toMatchObject({ type: 'NUMBER', decimalSign: 'POINT' });
  const unclear = guess(['1,234', '5,678']);
  expect(unclear).toMatchObject({ type: 'NUMBER', note: expect.stringContaining('say by decimalSign') });
  expect(unclear.decimalSign).toBeUndefined();
});

test('a point before three digits stands before decimals where another value of the column shows it, and else is unclear', () => {
  expect(guess(['1.500', '2.5'])).toEqual({ type: 'NUMBER', isRequired: true });
  expect(guess(['12.345', '0.125'])).toEqual({ type: 'NUMBER', isRequired: true });
  expect(guess(['1.500', '1.500,00']).decimalSign).toBe('COMMA');
  const unclear = guess(['1.500', '2.500']);
  expect(unclear).toMatchObject({ type: 'NUMBER', note: expect.stringContaining('say by decimalSign') });
  expect(unclear.decimalSign).toBeUndefined();
});

test('a text that is nearly a number says which value is none', () => {
  const cells = [...Array.from({ length: 9 }, (_, index) => String(index)), 'n/a'];
  expect(guess(cells)).toMatchObject({
    type: 'TEXT',
    note: 'is a TEXT, as 1 of 10 values are no numbers, such as "n/a"',
  });
});
