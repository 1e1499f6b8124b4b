import { describe, expect, test } from 'vitest';
import type { Cell } from './table/cells.rules.ts';
import { timeZoneProblem } from '../records/zone.rules.ts';
import { dateFormatProblem } from '../records/date-format.rules.ts';
import { readCell, type ValueReading } from './values.rules.ts';

type Type = Parameters<typeof readCell>[0];
const read = (type: Type, cell: Cell, reading: ValueReading = {}) => {
  const result = readCell(type, cell, reading);
  return 'value' in result ? result.value : `! ${result.reason}`;
};

describe('dates', () => {
  test.each([
    ['2026-03-01', '2026-03-01'],
    ['2026-03-01T09:30:00+02:00', '2026-03-01T09:30:00+02:00'],
    ['2026-03-01 09:30', '2026-03-01T09:30:00Z'],
    ['1.3.2026', '2026-03-01'],
    ['31/12/2026', '2026-12-31'],
    ['12/31/2026', '2026-12-31'],
    ['05/05/2026', '2026-05-05'],
    ['01/02/2026', expect.stringContaining('say which by dateFormat')],
    ['30.02.2026', '! is no day of the calendar'],
    ['01.03.26', expect.stringContaining('say by dateFormat how it is written, as in dd.mm.yy')],
    ['soon', '! must be a date such as 2026-03-01, or an instant such as 2026-03-01T09:30:00Z'],
    ['01.03.2026 25:00', '! is no time of the day'],
  ])('without a format, %s is %s', (text, expected) => {
    expect(read('DATE', text)).toEqual(expected);
  });

  test.each([
    ['dd/mm/yyyy', '01/02/2026', '2026-02-01'],
    ['mm/dd/yyyy', '01/02/2026', '2026-01-02'],
    ['d.m.yy', '1.3.26', '2026-03-01'],
    ['d.m.yy', '1.3.69', '1969-03-01'],
    ['dd.MM.yyyy HH:mm', '01.03.2026 09:30', '2026-03-01T09:30:00Z'],
    ['dd.mm.yyyy HH:mm:ss', '01.03.2026 09:30:15', '2026-03-01T09:30:15Z'],
    ['dd.mm.yyyy', '01.03.2026 09:30', '2026-03-01T09:30:00Z'],
    ['yyyymmdd', '20260301', '2026-03-01'],
    ['dd/mm/yyyy', '2026-03-01', '2026-03-01'],
    ['dd/mm/yyyy', '01.03.2026', '! must be a date as dd/mm/yyyy'],
    ['yyyy-dd-mm', '2026-02-01', '2026-01-02'],
    ['DD/MM/YYYY', '01/02/2026', '2026-02-01'],
    ['ddmmyyyy', '1122026', '! must be a date as ddmmyyyy'],
    ['yyyy-mm-ddTHH:mm', '2026-03-01T9:30', '2026-03-01T09:30:00Z'],
  ])('as %s, %s is %s', (dateFormat, text, expected) => {
    expect(dateFormatProblem(dateFormat)).toBeUndefined();
    expect(read('DATE', text, { dateFormat })).toBe(expected);
  });

  test('a time is one of the zone; one of an hour that comes twice is an error that names both, and one that is left out is none', () => {
    const berlin = { timeZone: 'Europe/Berlin' };
    expect(read('DATE', '2026-03-01 09:30', berlin)).toBe('2026-03-01T08:30:00Z');
    expect(read('DATE', { day: '2026-07-01', time: '09:30:00.500' }, berlin)).toBe(
      '2026-07-01T07:30:00.500Z',
    );
    const both = '2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00';
    const twice = `! comes twice in Europe/Berlin, as clocks are put back then: say which, ${both}`;
    expect(read('DATE', '2026-10-25 02:30', berlin)).toBe(twice);
    expect(read('DATE', { day: '2026-10-25', time: '02:30:00' }, berlin)).toBe(twice);
    expect(read('DATE', '2026-10-25T02:30:00+01:00', berlin)).toBe('2026-10-25T02:30:00+01:00');
    expect(read('DATE', '2026-10-25 03:00', berlin)).toBe('2026-10-25T02:00:00Z');
    expect(read('DATE', '2026-03-29 02:30', berlin)).toContain('! is no time in Europe/Berlin');
    expect(timeZoneProblem('Europe/Berlin')).toBeUndefined();
    expect(timeZoneProblem('Mars')).toContain('is no time zone');
  });

  test.each(['d.m', 'quarter', 'dd.mm.yyyyy', 'mmmm d yyyy', 'mm/dd/yyyy hh:mm a', 'dd.mm.yyyy :ss'])(
    '%s is no format',
    (format) => {
      expect(dateFormatProblem(format)).toContain('is made of');
    },
  );
});

describe('numbers', () => {
  const otherSign = (sign: string) =>
    `decimalSign is ${sign}, and it is written with the other sign, or grouped in another way`;
  const withUnit = 'leave out what stands before and behind it, such as a unit';
  const unclear =
    '! can be read with a point before decimals or between thousands: say which by decimalSign, POINT or COMMA';
  test.each<[string, unknown, ValueReading?]>([
    ['9007199254740993', 9007199254740993n],
    ['+007', 7],
    ['1.5', 1.5],
    ['1,5', '! must be a number: say by decimalSign whether a comma is the decimal sign'],
    ['much', '! must be a number'],
    ['1.234,56', 1234.56, { decimalSign: 'COMMA' }],
    ['1\u202f234,5', 1234.5, { decimalSign: 'COMMA' }],
    ['1.5', `! must be a number: ${otherSign('COMMA')}`, { decimalSign: 'COMMA' }],
    ['1 500', '! must be a number: say by decimalSign, POINT or COMMA, that thousands are grouped'],
    ['100 €', `! must be a number: ${withUnit}`],
    ['EUR 1.500', `! must be a number: ${withUnit}`],
    ['12%', `! must be a number: ${withUnit}`, { decimalSign: 'POINT' }],
    ['A-12', '! must be a number'],
    ['2026-03-01', '! must be a number'],
    ['-0,07', -0.07, { decimalSign: 'COMMA' }],
    ["1'234.5", 1234.5, { decimalSign: 'POINT' }],
    ['1,234,567.5', 1234567.5, { decimalSign: 'POINT' }],
    ['12,34', `! must be a number: ${otherSign('POINT')}`, { decimalSign: 'POINT' }],
    ['1.500', unclear],
    ['-12.345', unclear],
    ['1.234.567', '! must be a number: say by decimalSign whether a comma is the decimal sign'],
    ['0.500', 0.5],
    ['1500.250', 1500.25],
    ['1.5000', 1.5],
    ['1.500', 1.5, { hasPoint: true }],
    ['1.500', 1.5, { decimalSign: 'POINT' }],
    ['1.500', 1500, { decimalSign: 'COMMA' }],
  ])('%s is %s', (text, expected, reading) => {
    expect(read('NUMBER', text, reading)).toEqual(expected);
  });

  test('a number without end is none', () => {
    expect(read('NUMBER', '9'.repeat(900_000))).toBe(
      '! must be a number, and has too many characters for one',
    );
  });
});

test('cells of workbooks keep what they are, and texts what they show', () => {
  expect(read('TEXT', 1234567890123456)).toBe('1234567890123456');
  expect(read('TEXT', { number: 7, shown: '007' })).toBe('007');
  expect(read('NUMBER', { number: 7, shown: '007' })).toBe(7);
  expect(read('TEXT', { day: '2026-03-01', time: '09:30:00' })).toBe('2026-03-01 09:30:00');
  expect(read('DATE', 46082)).toContain('a number that the workbook does not show as one');
  expect(read('DATE', { time: '09:30:00' })).toContain('a time without a day');
  expect(read('NUMBER', { day: '2026-03-01' })).toBe('! must be a number');
  expect(read('TEXT', { broken: '#N/A' })).toBe('! is an error of the workbook, #N/A');
  expect([read('BOOLEAN', 1), read('BOOLEAN', 'Wahr'), read('BOOLEAN', 'non')]).toEqual([true, true, false]);
  expect(read('BOOLEAN', 'perhaps')).toBe(
    '! must be true or false: yes and no, 1 and 0, ja and nein, oui and non are read as well',
  );
});
