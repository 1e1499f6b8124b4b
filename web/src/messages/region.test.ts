import { expect, test } from 'vitest';
import { localeFor } from './region.ts';

test.each([
  ['en-US', 'en-US', '3/2/26', '1,234.5'],
  ['en', 'en-US', '3/2/26', '1,234.5'],
  ['en-GB', 'en-GB', '02/03/2026', '1,234.5'],
  ['de', 'en-DE', '02/03/2026', '1.234,5'],
  ['qaa', 'en-001', '02/03/2026', '1,234.5'],
  ['es-CU', 'en-001', '02/03/2026', '1,234.5'],
])('a browser in %s has numbers and dates of %s', (language, locale, date, number) => {
  expect(localeFor(language)).toBe(locale);
  const day = new Date(Date.UTC(2026, 2, 2, 12));
  expect(new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeZone: 'UTC' }).format(day)).toBe(date);
  expect(new Intl.NumberFormat(locale).format(1234.5)).toBe(number);
});
