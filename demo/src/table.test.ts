import pico from 'picocolors';
import { expect, test } from 'vitest';
import { drawTable } from './table.ts';

test('a table has columns of even width, whatever is coloured', () => {
  const { red } = pico.createColors(true);
  const rows = [
    [red('bank-1'), '5'],
    ['b', '17'],
  ];
  expect(drawTable(rows, ['DEVICE', 'ITEMS'])).toBe(`DEVICE  ITEMS\n${red('bank-1')}  5\nb       17`);
});

test('a cell may have several lines, and a table no head', () => {
  expect(
    drawTable([
      ['Office', 'a\nb', 'x'],
      ['Bank', '', 'y'],
    ]),
  ).toBe('Office  a  x\n        b\nBank       y');
});
