import { ExactNumber, stringifyJson } from '@millrace/api';
import { expect, test } from 'vitest';
import { hasMask, isMask, withMasksAs } from './masks.ts';

const masked = { masked: '•••' };

test.each([
  [masked, true],
  [{ masked: 'by itself' }, false],
  ['•••', false],
  [null, false],
  [new ExactNumber('1.50'), false],
])('Whether %o is a mask: %s', (value, expected) => {
  expect(isMask(value)).toBe(expected);
});

test('Masks at the top of a record are replaced, and all else stays to the last digit', () => {
  const data = {
    iban: masked,
    lines: [masked],
    amount: new ExactNumber('9007199254740993.125'),
    note: '•••',
  };
  expect(hasMask(data)).toBe(true);
  expect(stringifyJson(withMasksAs('?', data))).toBe(
    '{"iban":"?","lines":[{"masked":"•••"}],"amount":9007199254740993.125,"note":"•••"}',
  );
  expect(hasMask({ note: '•••' })).toBe(false);
});
