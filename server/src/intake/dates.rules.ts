import { instant } from '../records/record.ts';
import { offsetAt, wallTime } from '../records/zone.rules.ts';
import { patternOf, timePart } from '../records/date-format.rules.ts';

/** The format of the dates of a file, and the time zone of its clock. */
export interface DateReading {
  /** Such as dd.mm.yyyy; without it only unambiguous dates are accepted. */
  readonly dateFormat?: string | undefined;
  /** An IANA time zone; UTC unless it is given. */
  readonly timeZone?: string | undefined;
}

/** A value, or the reason why it cannot be read. */
export type Reading = { readonly value: unknown } | { readonly reason: string };

const isoDay = new RegExp(String.raw`^(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)${timePart}$`);
const dotted = new RegExp(String.raw`^(?<d>\d{1,2})\.(?<m>\d{1,2})\.(?<y>\d{4})${timePart}$`);
const slashed = new RegExp(String.raw`^(?<a>\d{1,2})[/-](?<b>\d{1,2})[/-](?<y>\d{4})${timePart}$`);

/** Reads a date in the forms of people and programs; an ambiguous one is an error, never a guess. */
export function readDate(text: string, reading: DateReading): Reading {
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
export function localInstant(day: string, time: string, timeZone = 'UTC'): Reading {
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
