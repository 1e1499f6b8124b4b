import { ExactNumber, toDouble } from '@millrace/api';

/** A number as JSON brings it, with all its digits. */
export type AnyNumber = number | bigint | ExactNumber;

export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;
}

// PostgreSQL compares numbers as decimals, of which it holds some thousand digits.
const mostDigits = 1000;
const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Whether the number can be compared and sorted: a double comes near to it, and it does not take thousands of digits. */
export function isComparable(value: AnyNumber): boolean {
  const double = toDouble(value);
  if (double === 0) return scientific(value) === '0';
  return Number.isFinite(double) && String(value).length <= mostDigits;
}

/** The one spelling of a number: its significant digits and the power of ten. Equal numbers have the same. */
export function scientific(value: AnyNumber): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(String(value)) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

const dayPart = String.raw`(?<day>\d{4}-\d\d-\d\d)`;
const secondPart = String.raw`(?::(?<second>[0-5]\d)(?:\.(?<fraction>\d{1,9}))?)?`;
// PostgreSQL knows no clock that is 16 hours or more from UTC.
const offsetPart = String.raw`(?:Z|(?<hours>[+-](?:0\d|1[0-5])):?(?<minutes>[0-5]\d))`;
const isoDate = new RegExp(
  `^${dayPart}(?:T(?<minute>(?:[01]\\d|2[0-3]):[0-5]\\d)${secondPart}${offsetPart})?$`,
);

/**
 * The one spelling of an ISO 8601 date, or of an instant with its offset: the instant in UTC, a date being its midnight. Equal
 * instants have the same. Undefined when the text is neither, or in no year from 1 to 9999.
 */
export function instant(text: string): string | undefined {
  const parts = isoDate.exec(text)?.groups;
  if (!parts?.['day'] || !isDay(parts['day'])) return undefined;
  const { day, minute = '00:00', second = '00', fraction = '', hours = '+00', minutes = '00' } = parts;
  const date = new Date(`${day}T${minute}:${second}${hours}:${minutes}`);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  return `${date.toISOString().slice(0, -5)}.${fraction.replace(/0+$/, '')}`;
}

/** Whether the calendar has the day: February has no 30th. */
function isDay(text: string): boolean {
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}
