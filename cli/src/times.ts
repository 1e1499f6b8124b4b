import { UsageError } from './errors.ts';

/** The forms of a time, for help and refusals. */
export const timeForms =
  '2h, 30m, 3d, tomorrow 08:00, today 17:30, monday 09:00, 2026-12-01 08:00, or ISO 8601';

const daysOf: ReadonlyMap<string, number> = new Map([
  ['yesterday', -1],
  ['today', 0],
  ['tomorrow', 1],
]);
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/**
 * The instant that a text means, in ISO 8601; without an offset in the time zone of this process. A guess at any other text
 * could start work at a wrong time.
 * @throws UsageError with examples
 */
export function readTime(text: string, now = new Date()): string {
  const given = text.trim().toLowerCase();
  const time = distantTime(given, now) ?? timeOfDay(given, now) ?? calendarTime(given);
  if (time === undefined || Number.isNaN(time.getTime()))
    throw new UsageError(
      `"${text}" cannot be read as a time. Give one such as ${timeForms}; without an offset it is your local time.`,
    );
  return time.toISOString();
}

/** `2h` from now, `3d ago`; days and weeks keep the time of day when the clocks change. */
function distantTime(text: string, now: Date): Date | undefined {
  const [, digits, unit, ago] = /^(\d{1,4})(m|h|d|w)( ago)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const count = ago === undefined ? Number(digits) : -Number(digits);
  const time = new Date(now);
  if (unit === 'm') time.setTime(now.getTime() + count * 60_000);
  else if (unit === 'h') time.setTime(now.getTime() + count * 3_600_000);
  else time.setDate(now.getDate() + (unit === 'w' ? 7 * count : count));
  return time;
}

/** `tomorrow 08:00`, `monday 09:00`: a weekday is the next one whose time is still to come. */
function timeOfDay(text: string, now: Date): Date | undefined {
  const [, day = '', hour = '0', minute = '0'] =
    /^([a-z]+)(?: ([01]?\d|2[0-3]):([0-5]\d))?$/.exec(text) ?? [];
  const at = (days: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, Number(hour), Number(minute));
  const days = daysOf.get(day);
  if (days !== undefined) return at(days);
  const weekday = weekdays.indexOf(day);
  if (weekday === -1) return undefined;
  const next = (weekday - now.getDay() + 7) % 7;
  return at(next) > now ? at(next) : at(next + 7);
}

/** `2026-12-01 08:00`, and ISO 8601 with or without an offset. */
function calendarTime(text: string): Date | undefined {
  const form = /^(\d{4}-\d\d-\d\d)(?:[t ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(z|[+-]\d\d:\d\d)?)?$/;
  const [, day, time = '00:00', offset = ''] = form.exec(text) ?? [];
  if (day === undefined) return undefined;
  const start = new Date(`${day}T00:00Z`);
  // February 30 would become a day in March.
  if (Number.isNaN(start.getTime()) || !start.toISOString().startsWith(day)) return undefined;
  return new Date(`${day}T${time}${offset.toUpperCase()}`);
}
