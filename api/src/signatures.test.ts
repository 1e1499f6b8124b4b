import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestSignature, signatureOf } from './signatures.ts';

describe('signatureOf', () => {
  test.for([
    ['Timeout after 30000 ms', 'Timeout after <number> ms'],
    ['Timeout after 12.5 s, retry 3 of 5', 'Timeout after <number> s, retry <number> of <number>'],
    ["Vendor 'Meier GmbH' is unknown", 'Vendor <text> is unknown'],
    ['Element "#row-17" not found', 'Element <text> not found'],
    [
      'total: must be a number; the file has "say \\"Jane Roe\\" 7".',
      'total: must be a number; the file has <text>.',
    ],
    ['has "\\"Jane Roe\\"".', 'has <text>.'],
    ['cannot open "C:\\bots\\" for "Jane Roe"', 'cannot open <text> for <text>'],
    ["It can't be booked, the period won't open", "It can't be booked, the period won't open"],
    ['Invoice R-1001 is locked by user jdoe42', 'Invoice <id> is locked by user <id>'],
    ['no order 3fa85f64-5717-4562-b3fc-2c963f66afa6', 'no order <id>'],
    ['mail to jane.doe@example.com bounced', 'mail to <id> bounced'],
    ['expired on 2026-11-30T08:00:00.000Z', 'expired on <time>'],
    ['due 30.11.2026, seen at 14:02:11', 'due <time>, seen at <time>'],
    ['cannot open C:\\bots\\pay\\in.csv', 'cannot open <path>'],
    ['ENOENT: /var/lib/bot/7/in.csv', 'ENOENT: <path>'],
    ['GET https://erp.example.com/v1/7?x=1 refused', 'GET <link> refused'],
    ['The ERP answered HTTP 503', 'The ERP answered HTTP 503'],
    ['status: 404 for item 7', 'status: 404 for item <number>'],
    ['one\n  two\tthree', 'one two three'],
    ['\u001B[31mred\u001B[0m', 'red'],
    [
      'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: 7 is odd',
      'ValueError: <number> is odd',
    ],
    ['Zahlung über 1’250,00 € fehlt', 'Zahlung über <number> € fehlt'],
    ['', '(no error)'],
  ])('of %j is %j', ([error, signature]) => {
    expect(signatureOf(error)).toBe(signature);
  });

  test('of a failure without an error says so', () => {
    expect(signatureOf(undefined)).toBe('(no error)');
  });

  test('is a line of a bounded length, whatever the error is', () => {
    const piece = fc.constantFrom(
      'a',
      ' ',
      '7',
      '"',
      "'",
      '/',
      '\\',
      '-',
      ':',
      '.',
      '<',
      '😀',
      '\n',
      'status 404',
      'é',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 400 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (error) => {
        const signature = signatureOf(error);
        expect(signature.length).toBeLessThanOrEqual(longestSignature);
        expect(signature).not.toMatch(/[\r\n]/);
        expect(signature).not.toBe('');
        expect(() => encodeURIComponent(signature)).not.toThrow();
      }),
    );
  });

  test('has no half characters where a long error is cut', () => {
    for (const length of [1999, 2000]) {
      const error = `${'7'.repeat(length)}😀`;
      expect(encodeURIComponent(signatureOf(error))).toContain('number');
      expect(encodeURIComponent(signatureOf(`Traceback x\n😀${'7'.repeat(length)}`))).toContain('number');
    }
  });

  test('does not depend on what a number is', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, other) => {
        const of = (number: number) =>
          signatureOf(`Row ${number} of sheet S-${number} at /in/${number}/x: "${number}"`);
        expect(of(one)).toBe(of(other));
      }),
    );
  });
});
