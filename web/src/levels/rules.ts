import type { Id, Schemas } from '@millrace/api';

type Calendar = Pick<Schemas['Calendar'], 'name' | 'timeZone' | 'hours' | 'holidays'>;
type Day = Calendar['hours'][number]['day'];

export const days = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const satisfies readonly Day[];

/** A calendar as people write it: the hours of a day in a line, and one holiday per line. */
export interface CalendarDraft {
  readonly name: string;
  readonly timeZone: string;
  readonly hours: Readonly<Record<Day, string>>;
  readonly holidays: string;
}

/** @param calendar undefined for a new one, which has the hours of an office */
export function draftOfCalendar(calendar: Calendar | undefined, timeZone: string): CalendarDraft {
  if (!calendar) {
    const office = '09:00-17:00';
    const [saturday, sunday] = ['', ''];
    const week = { MONDAY: office, TUESDAY: office, WEDNESDAY: office, THURSDAY: office, FRIDAY: office };
    return { name: '', timeZone, hours: { ...week, SATURDAY: saturday, SUNDAY: sunday }, holidays: '' };
  }
  const hours = Object.fromEntries(
    days.map((day) => [day, hoursOn(calendar, day)]),
  ) as CalendarDraft['hours'];
  const holidays = calendar.holidays
    .map(({ date, name, hours: own = [] }) =>
      [date, ...(own.length > 0 ? [spansText(own)] : []), name].join(' '),
    )
    .join('\n');
  return { name: calendar.name, timeZone: calendar.timeZone, hours, holidays };
}

function hoursOn({ hours }: Calendar, day: Day): string {
  return spansText(hours.filter((one) => one.day === day));
}

interface Span {
  readonly from: string;
  readonly to: string;
}

function spansText(spans: readonly Span[]): string {
  return spans
    .toSorted((a, b) => a.from.localeCompare(b.from))
    .map(({ from, to }) => `${from}-${to}`)
    .join(', ');
}

/** The part of a draft that cannot be read. */
export type Unread = { readonly day: Day; readonly text: string } | { readonly line: string };

/** The calendar of a draft, or the first part that cannot be read. */
export function calendarOf(draft: CalendarDraft): Calendar | Unread {
  const hours: Calendar['hours'] = [];
  for (const day of days)
    for (const text of partsOf(draft.hours[day], ',')) {
      const span = spanOf(text);
      if (!span) return { day, text };
      hours.push({ day, ...span });
    }
  const holidays: Calendar['holidays'] = [];
  for (const line of partsOf(draft.holidays, '\n')) {
    const [, date, spans = '', name] = holidayForm.exec(line) ?? [];
    if (date === undefined || name === undefined || beginsWithHours.test(name)) return { line };
    const own = (spans.match(spanForm) ?? []).flatMap((text) => spanOf(text) ?? []);
    holidays.push({ date, name, ...(own.length > 0 && { hours: own }) });
  }
  return { name: draft.name.trim(), timeZone: draft.timeZone.trim(), hours, holidays };
}

/** A day, its working hours if it has any, and a name. */
const holidayForm = /^(\d{4}-\d\d-\d\d)\s+((?:\d{1,2}:\d\d\s*[-–]\s*\d{1,2}:\d\d\s*,?\s*)*)(\S.*)$/;

const spanForm = /\d{1,2}:\d\d\s*[-–]\s*\d{1,2}:\d\d/g;
/** Hours that cannot be read must not pass for a name. */
const beginsWithHours = /^\d{1,2}(:\d\d)?\s*([-–]|to\b)/;

function spanOf(text: string): Span | undefined {
  const [, from, to] = /^(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  return { from: from.padStart(5, '0'), to: to.padStart(5, '0') };
}

function partsOf(text: string, mark: string): string[] {
  return text
    .split(mark)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A service level in its form; numbers as they are typed. */
export interface LevelDraft {
  readonly kind: 'wait' | 'due' | undefined;
  readonly longestWait: string;
  readonly dueTime: string;
  readonly cutOff: string;
  readonly calendarId: string;
  readonly warn: string;
  readonly hourlyCost: string;
  readonly currency: string;
}

type Level = Schemas['QueueLevel'];

export function draftOfLevel(level: Level): LevelDraft {
  const { longestWaitMinutes, dueTime, cutOff, calendarId, warnMinutes = 15, hourlyCost, currency } = level;
  const due = dueTime === undefined ? undefined : 'due';
  return {
    kind: longestWaitMinutes === undefined ? due : 'wait',
    longestWait: String(longestWaitMinutes ?? 240),
    dueTime: dueTime ?? '17:00',
    cutOff: cutOff ?? '15:00',
    calendarId: calendarId === undefined ? '' : String(calendarId),
    warn: String(warnMinutes),
    hourlyCost: hourlyCost === undefined ? '' : String(hourlyCost),
    currency: currency ?? 'EUR',
  };
}

/** The promise of a draft; undefined for none. @param toId reads an id to its last digit */
export function levelOf(
  draft: LevelDraft,
  toId: (text: string) => Id,
): Omit<Schemas['NewQueueLevel'], 'version'> | undefined {
  const { kind, longestWait, dueTime, cutOff, calendarId, warn, hourlyCost, currency } = draft;
  const cost =
    hourlyCost.trim() === ''
      ? {}
      : { hourlyCost: Number(hourlyCost), currency: currency.trim().toUpperCase() };
  if (kind === undefined) return hourlyCost.trim() === '' ? undefined : cost;
  const promise = kind === 'wait' ? { longestWaitMinutes: Number(longestWait) } : { dueTime, cutOff };
  const calendar = calendarId === '' ? {} : { calendarId: toId(calendarId) };
  return { ...promise, ...calendar, warnMinutes: Number(warn), ...cost };
}

/** Positions on a line that begins now. */
export interface Scale {
  readonly end: number;
  readonly due: number | undefined;
}

/**
 * The end of the queue, and the due time of the first item that misses, or else of the next item: the line ends a little behind the later
 * of them.
 */
export function scaleOf(
  { on, expectedEndOn, level }: Schemas['QueueForecast'],
  width: number,
): Scale | undefined {
  if (expectedEndOn === undefined) return undefined;
  const from = Date.parse(on);
  const due = level?.dueOn ?? level?.nextDueOn;
  const [end, limit] = [
    Date.parse(expectedEndOn) - from,
    due === undefined ? undefined : Date.parse(due) - from,
  ];
  const longest = 1.1 * Math.max(end, limit ?? 0, 1);
  const place = (time: number) => Math.round((10 * width * Math.max(0, time)) / longest) / 10;
  return { end: place(end), due: limit === undefined ? undefined : place(limit) };
}
