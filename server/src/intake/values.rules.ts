import { parseJson } from '@millrace/api';
import type { Attribute } from '../engine/operation.ts';
import { patternOf, timePart } from '../records/date-format.rules.ts';
import { instant } from '../records/record.ts';
import { offsetAt, wallTime } from '../records/zone.rules.ts';
import { shownCell, told, type Cell } from './table/cells.rules.ts';

/** The format of the values of a file. */
export interface ValueReading extends DateReading {
  /** Without it, numbers with a comma are errors, and so are those whose point may separate thousands. */
  readonly decimalSign?: 'POINT' | 'COMMA' | undefined;
  /** Whether other values of the column show that its point is a decimal sign. */
  readonly hasPoint?: boolean | undefined;
}

/** The value of a cell for an attribute of this type. The cell is not empty. */
export function readCell(type: Attribute['type'], cell: Cell, reading: ValueReading): Reading {
  if (typeof cell === 'object' && 'broken' in cell)
    return { reason: `is an error of the workbook, ${told(cell.broken, 60)}` };
  return readers[type](cell, reading);
}

type Whole = Exclude<Cell, { broken: string }>;

const readers: Record<Attribute['type'], (cell: Whole, reading: ValueReading) => Reading> = {
  TEXT: (cell) => ({ value: shownCell(cell) }),
  NUMBER: (cell, reading) => {
    if (typeof cell === 'number') return { value: cell };
    if (typeof cell === 'string') return readNumber(cell.trim(), reading);
    return typeof cell === 'object' && 'shown' in cell
      ? { value: cell.number }
      : { reason: 'must be a number' };
  },
  BOOLEAN: (cell) => {
    if (typeof cell === 'boolean') return { value: cell };
    const text = shownCell(cell).trim().toLowerCase();
    if (yes.has(text)) return { value: true };
    return no.has(text) ? { value: false } : { reason: notBoolean };
  },
  DATE: (cell, reading) => {
    if (typeof cell === 'string') return readDate(cell.trim(), reading);
    if (typeof cell !== 'object' || 'shown' in cell)
      return {
        reason:
          'must be a date: it is a number that the workbook does not show as one; format the cell as a date',
      };
    const { day, time } = cell;
    if (day === undefined) return { reason: 'must be a date: it is a time without a day' };
    return time === undefined ? { value: day } : localInstant(day, time, reading.timeZone);
  },
};

// In the words of English, German and French spreadsheets.
const yes = new Set(['true', 'yes', 'y', '1', 'wahr', 'ja', 'vrai', 'oui']);
const no = new Set(['false', 'no', 'n', '0', 'falsch', 'nein', 'faux', 'non']);

const notBoolean = 'must be true or false: yes and no, 1 and 0, ja and nein, oui and non are read as well';

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const grouped = {
  POINT: /^[+-]?(\d+|\d{1,3}([,\u0020\u00a0\u202f'’]\d{3})+)(\.\d+)?([eE][+-]?\d+)?$/,
  COMMA: /^[+-]?(\d+|\d{1,3}([.\u0020\u00a0\u202f'’]\d{3})+)(,\d+)?([eE][+-]?\d+)?$/,
};

// Evaluating a million digits takes seconds.
const longestNumber = 2000;

/** Such as 1.500, which is 1500 in German and 1.5 in English. */
const unclearPoint = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const clearPoint = /^[+-]?\d+\.\d+$/;
const withComma = /^[+-]?[\d., ]*\d(,\d|\.\d+\.\d)/;

/** Whether the values of a column show that the point is a decimal sign: some have it where it cannot separate thousands. */
export function showsPoint(cells: readonly (Cell | undefined)[]): boolean {
  const texts = cells.map((cell) => (typeof cell === 'string' ? cell.trim() : ''));
  return (
    texts.some((text) => clearPoint.test(text) && !unclearPoint.test(text)) &&
    !texts.some((text) => withComma.test(text))
  );
}

function readNumber(text: string, { decimalSign, hasPoint = false }: ValueReading): Reading {
  if (text.length > longestNumber) return { reason: 'must be a number, and has too many characters for one' };
  if (decimalSign === undefined && !hasPoint && unclearPoint.test(text))
    return {
      reason:
        'can be read with a point before decimals or between thousands: say which by decimalSign, POINT or COMMA',
    };
  if (decimalSign !== 'COMMA' && jsonNumber.test(text)) return { value: parseJson(text) };
  if (decimalSign !== undefined && grouped[decimalSign].test(text))
    return { value: parseJson(plainNumber(withPoint(text, decimalSign))) };
  if (decimalSign === undefined && /^[+-]?\d+(\.\d+)?$/.test(text))
    return { value: parseJson(plainNumber(text)) };
  const hint = numberHint(text, decimalSign);
  return { reason: `must be a number${hint === undefined ? '' : `: ${hint}`}` };
}

/** The hint for a text that is nearly a number. */
function numberHint(text: string, decimalSign: ValueReading['decimalSign']): string | undefined {
  if (text.length > longestHinted) return undefined;
  if (decimalSign === undefined) {
    if (withComma.test(text)) return 'say by decimalSign whether a comma is the decimal sign';
    if (grouped.POINT.test(text)) return 'say by decimalSign, POINT or COMMA, that thousands are grouped';
  } else if (grouped[decimalSign === 'POINT' ? 'COMMA' : 'POINT'].test(text))
    return `decimalSign is ${decimalSign}, and it is written with the other sign, or grouped in another way`;
  return unit.test(text) ? 'leave out what stands before and behind it, such as a unit' : undefined;
}

// Nobody means a number by more; to look at that would take long.
const longestHinted = 100;

const unit = /^([+-]|[\p{L}\p{S}]{1,4}\s*)?\d[\d.,'’\s]*[\p{L}\p{S}%]{0,8}\.?$/u;

function withPoint(text: string, decimalSign: 'POINT' | 'COMMA'): string {
  const bare = text.replace(/[\s\u00a0\u202f'’]/g, '');
  return decimalSign === 'POINT' ? bare.replaceAll(',', '') : bare.replaceAll('.', '').replace(',', '.');
}

/** A number in the forms of people (+5, 007), in the form of JSON. */
function plainNumber(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.replace(/^[+-]/, '').replace(/^0+(?=\d)/, '');
}

/** The format of the dates of a file, and the time zone of its clock. */
interface DateReading {
  /** Such as dd.mm.yyyy; without it only unambiguous dates are accepted. */
  readonly dateFormat?: string | undefined;
  /** An IANA time zone; UTC unless it is given. */
  readonly timeZone?: string | undefined;
}

/** A value, or the reason why it cannot be read. */
type Reading = { readonly value: unknown } | { readonly reason: string };

const isoDay = new RegExp(String.raw`^(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)${timePart}$`);
const dotted = new RegExp(String.raw`^(?<d>\d{1,2})\.(?<m>\d{1,2})\.(?<y>\d{4})${timePart}$`);
const slashed = new RegExp(String.raw`^(?<a>\d{1,2})[/-](?<b>\d{1,2})[/-](?<y>\d{4})${timePart}$`);

/** Reads a date in the forms of people and programs; an ambiguous one is an error, never a guess. */
function readDate(text: string, reading: DateReading): Reading {
  const format = reading.dateFormat === undefined ? undefined : patternOf(reading.dateFormat);
  // The format comes first: in yyyy-dd-mm, 2026-02-01 is the second of January.
  const formatted = format?.exec(text)?.groups;
  if (formatted) return fromParts(formatted, reading);
  if (instant(text) !== undefined) return { value: text };
  if (format) {
    const groups = isoDay.exec(text)?.groups;
    return groups ? fromParts(groups, reading) : { reason: `must be a date as ${reading.dateFormat}` };
  }
  const groups = (isoDay.exec(text) ?? dotted.exec(text))?.groups;
  if (groups) return fromParts(groups, reading);
  return readSlashed(text, reading);
}

const notDate = 'must be a date such as 2026-03-01, or an instant such as 2026-03-01T09:30:00Z';
const looksLikeDate = /^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b/;
const howWritten = ': say by dateFormat how it is written, as in dd.mm.yy or yyyy/mm/dd';

function readSlashed(text: string, reading: DateReading): Reading {
  const { a = '', b = '', ...rest } = slashed.exec(text)?.groups ?? {};
  if (a === '') return { reason: `${notDate}${looksLikeDate.test(text) ? howWritten : ''}` };
  const [one, other] = [Number(a), Number(b)];
  const isEither = one <= 12 && other <= 12 && one !== other;
  if (isEither)
    return {
      reason: 'can be read as day and month or as month and day: say which by dateFormat, as in dd/mm/yyyy',
    };
  return fromParts(one > 12 ? { ...rest, d: a, m: b } : { ...rest, m: a, d: b }, reading);
}

type Parts = Readonly<Record<string, string | undefined>>;

function fromParts(
  { y = '', m = '', d = '', clock, H, M = '00', S = '00' }: Parts,
  reading: DateReading,
): Reading {
  const day = `${fullYear(y)}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`;
  if (instant(day) === undefined) return { reason: 'is no day of the calendar' };
  const time = H === undefined ? clock : `${H}:${M}:${S}`;
  return time === undefined ? { value: day } : localInstant(day, time, reading.timeZone);
}

/** A two-digit year is in the hundred years that end in 2068. */
function fullYear(year: string): string {
  if (year.length > 2) return year;
  return (Number(year) > 68 ? '19' : '20') + year.padStart(2, '0');
}

/** The instant at which clocks of the zone show this time; a time in an hour that comes twice is an error. */
function localInstant(day: string, time: string, timeZone = 'UTC'): Reading {
  const [hour = '', minute = '', second = '00'] = time.split(':');
  const wall = Date.parse(`${day}T${hour.padStart(2, '0')}:${minute}:${second}Z`);
  if (Number.isNaN(wall)) return { reason: 'is no time of the day' };
  if (timeZone === 'UTC') return { value: isoOf(wall) };
  const offsets = [wall - 86_400_000, wall + 86_400_000].map((near) => offsetAt(timeZone, near));
  const [found, other] = [...new Set(offsets.map((offset) => wall - offset))].filter(
    (at) => at + offsetAt(timeZone, at) === wall,
  );
  if (found === undefined) return { reason: `is no time in ${timeZone}: clocks are put forward then` };
  if (other === undefined) return { value: isoOf(found) };
  const both = [found, other].map((at) => withOffset(timeZone, at)).join(' or ');
  return { reason: `comes twice in ${timeZone}, as clocks are put back then: say which, ${both}` };
}

const isoOf = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

function withOffset(timeZone: string, at: number): string {
  const { day, time, offset } = wallTime(timeZone, at);
  return `${day}T${time}${offset}`;
}
