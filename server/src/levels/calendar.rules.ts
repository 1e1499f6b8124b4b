import type { Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../engine/checks.ts';
import { Refusal, refuseStale, type ErrorDetail } from '../engine/errors.ts';
import { timeZoneProblem } from '../records/zone.rules.ts';

/** Working hours. Times are by the clock of the zone; instants are milliseconds. */
export type Calendar = Pick<Schemas['Calendar'], 'timeZone' | 'hours' | 'holidays'>;

/** The settings of a calendar that a person may change. */
export type CalendarSettings = Calendar & { readonly name: string };

/** @throws Refusal that names all problems */
export function newCalendar(wanted: Schemas['NewCalendar']): CalendarSettings {
  const { name, timeZone, hours, holidays = [] } = wanted;
  return checked({ name: storedName(name), timeZone, hours, holidays }, undefined);
}

/** @throws Refusal when the calendar is at another version, or the request is wrong */
export function changedCalendar(
  stored: Schemas['Calendar'],
  wanted: Schemas['CalendarUpdate'],
): CalendarSettings {
  refuseStale('calendar', stored, wanted);
  const { name, timeZone, hours, holidays } = { ...stored, ...wanted };
  return checked({ name: storedName(name), timeZone, hours, holidays }, stored.name);
}

function checked(settings: CalendarSettings, current: string | undefined): CalendarSettings {
  const zone = timeZoneProblem(settings.timeZone);
  const details = [
    ...nameProblems(settings.name, current),
    ...(zone === undefined ? [] : [{ field: 'timeZone', message: zone.replace(/^timeZone /, '') }]),
    ...hourProblems(settings.hours, 'hours'),
    ...repeatedHolidays(settings.holidays),
    ...settings.holidays.flatMap(({ hours = [] }, index) => hourProblems(hours, `holidays.${index}.hours`)),
  ];
  const [first] = details;
  if (!first) return settings;
  throw new Refusal('INVALID_REQUEST', `${first.field} ${first.message}.`, { details: details.slice(0, 20) });
}

/** Hours of a day of the week, or of the single day of a holiday. */
interface Span {
  readonly day?: string;
  readonly from: string;
  readonly to: string;
}

function hourProblems(hours: readonly Span[], field: string): ErrorDetail[] {
  const backwards = hours.flatMap(({ from, to }, index) => {
    const message = `must be later than ${from}, where they begin; hours past midnight are two entries`;
    return from < to ? [] : [{ field: `${field}.${index}.to`, message }];
  });
  return [...backwards, ...overlaps(hours, field)];
}

function overlaps(hours: readonly Span[], field: string): ErrorDetail[] {
  return hours.flatMap((one, index) => {
    const other = hours
      .slice(0, index)
      .find(({ day, from, to }) => day === one.day && from < one.to && one.from < to);
    const message = `overlaps ${other?.from} to ${other?.to} of the same day`;
    return other ? [{ field: `${field}.${index}`, message }] : [];
  });
}

function repeatedHolidays(holidays: Calendar['holidays']): ErrorDetail[] {
  const first = new Map<string, number>();
  return holidays.flatMap(({ date, name }, index) => {
    const before = first.get(date);
    first.set(date, before ?? index);
    if (name.trim() === '') return [{ field: `holidays.${index}.name`, message: 'must not be blank' }];
    return before === undefined
      ? []
      : [{ field: `holidays.${index}.date`, message: `${date} is there already, as entry ${before}` }];
  });
}
