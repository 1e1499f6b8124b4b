import { parseJson } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, isComparable, scientific, type AnyNumber } from './record.ts';

const number = (digits: string) => parseJson(digits) as AnyNumber;

describe('a number', () => {
  test.each(['0', '-0.0', '0e999999', '1e308', '5e-324', '9007199254740993', `0.${'1'.repeat(900)}`])(
    'can be compared: %s',
    (digits) => expect(isComparable(number(digits))).toBe(true),
  );

  test.each(['1e-20000', '-1e-400', '1e400', `0.${'1'.repeat(1000)}`])('cannot be compared: %s', (digits) =>
    expect(isComparable(number(digits))).toBe(false),
  );

  test('is spelled in the same way wherever the point stands, and otherwise when a digit differs', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,30}$/);
    const places = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(digits, places, places, (significant, zeros, shift) => {
        const plain = scientific(number(significant));
        expect(scientific(number(`${significant}${'0'.repeat(zeros)}e-${zeros}`))).toBe(plain);
        expect(scientific(number(`0.${'0'.repeat(shift)}${significant}e${shift + significant.length}`))).toBe(
          plain,
        );
        expect(scientific(number(`${significant}1`))).not.toBe(plain);
        expect(scientific(number(`-${significant}`))).toBe(`-${plain}`);
      }),
    );
  });
});

describe('an instant', () => {
  test.each([
    ['2026-03-01', '2026-03-01T00:00:00.'],
    ['2024-02-29', '2024-02-29T00:00:00.'],
    ['2026-03-01T09:30Z', '2026-03-01T09:30:00.'],
    ['2026-03-01T09:30:00+0530', '2026-03-01T04:00:00.'],
    ['2026-03-01T09:30:00.123456789-15:59', '2026-03-02T01:29:00.123456789'],
    ['9999-12-31T23:59:59.5Z', '9999-12-31T23:59:59.5'],
  ])('of %s is %s', (text, expected) => expect(instant(text)).toBe(expected));

  test.each([
    '2026-02-29',
    '2026-13-01',
    '2026-3-1',
    '01.03.2026',
    '2026-03-01T09:30:00',
    '2026-03-01T24:00:00Z',
    '2026-03-01T23:59:60Z',
    '2026-03-01T00:00:00+16:00',
    '2026-03-01T00:00:00-23:59',
    '0000-01-01',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '',
    'tomorrow',
  ])('is none: "%s"', (text) => expect(instant(text)).toBeUndefined());
});
