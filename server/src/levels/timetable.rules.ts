import { CalendarDate, fromAbsolute, Time, toCalendarDateTime } from '@internationalized/date';
import type { Schemas } from '@millrace/api';

/** Working hours. Times are by the clock of the zone; instants are milliseconds. */
export type Calendar = Pick<Schemas['Calendar'], 'timeZone' | 'hours' | 'holidays'>;

/** A stretch of time that counts, and the sum of the earlier ones in its block. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly before: number;
}

/** Consecutive days, added up. */
interface Block {
  /** In order, for binary searches. */
  readonly stretches: readonly Stretch[];
  readonly total: number;
  /** The instants at which clocks show a time on each of the working days. */
  readonly timesOf: (time: string) => readonly number[];
}

/** A calendar prepared for calculations: each block of its days is added up once, at its first use. */
export interface Timetable {
  readonly block: (index: number) => Block;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const blockDays = 128;
/** Most days that are searched for counting time: in a calendar with a minute a week, a wait of months would not end. */
export const mostDays = 1100;

const week = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;

/** Without a calendar, every hour counts. */
const always: Calendar = {
  timeZone: 'UTC',
  hours: week.map((day) => ({ day, from: '00:00', to: '24:00' })),
  holidays: [],
};

/** @param calendar undefined for every hour, by the clock of UTC */
export function timetableOf(calendar: Calendar = always): Timetable {
  const holidays = new Map(calendar.holidays.map(({ date, hours = [] }) => [date, minutesIn(hours)]));
  const weekly = week.map((name) => minutesIn(calendar.hours.filter(({ day }) => day === name)));
  const hoursOn = (day: number) => holidays.get(dateOf(day).toString()) ?? weekly.at((day + 3) % 7);
  const known = new Map<number, Block>();
  const block = (index: number) => {
    const found = known.get(index) ?? blockOf(daysOf(index, calendar.timeZone), hoursOn);
    known.set(index, found);
    return found;
  };
  return { block };
}

/** Minutes of the day, from and to. */
type Hours = readonly (readonly [number, number])[];

function minutesIn(hours: readonly { readonly from: string; readonly to: string }[]): Hours {
  return hours
    .map(({ from, to }) => [minutesOf(from), minutesOf(to)] as const)
    .toSorted(([one], [other]) => one - other);
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return 60 * hour + minute;
}

/** A day in the calendar of a zone, its number counted from 1970, and the instants between which it lies. */
interface Day {
  readonly number: number;
  readonly begin: number;
  readonly end: number;
  readonly timeZone: string;
}

function daysOf(block: number, timeZone: string): Day[] {
  const first = block * blockDays;
  const begins = Array.from({ length: blockDays + 1 }, (_, index) =>
    dateOf(first + index)
      .toDate(timeZone)
      .getTime(),
  );
  return begins
    .slice(1)
    .map((end, index) => ({ number: first + index, begin: begins[index] ?? end, end, timeZone }));
}

function dateOf(day: number): CalendarDate {
  const date = new Date(day * dayMs);
  return new CalendarDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

function blockOf(days: readonly Day[], hoursOn: (day: number) => Hours | undefined): Block {
  const stretches: Stretch[] = [];
  const working: Day[] = [];
  let total = 0;
  for (const day of days) {
    const own = stretchesOf(day, hoursOn(day.number) ?? []);
    if (own.length > 0) working.push(day);
    for (const { from, to } of own) {
      stretches.push({ from, to, before: total });
      total += to - from;
    }
  }
  const known = new Map<string, readonly number[]>();
  const timesOf = (time: string) => {
    const times = known.get(time) ?? working.map((day) => instantOf(day, time));
    known.set(time, times);
    return times;
  };
  return { stretches, total, timesOf };
}

/** The counting stretches of a day. An hour that clocks skip is no time, and one that they show twice counts twice. */
function stretchesOf(day: Day, hours: Hours): Pick<Stretch, 'from' | 'to'>[] {
  if (hours.length === 0) return [];
  return evenParts(day).flatMap(({ begin, end, midnight }) =>
    hours
      .map(([from, to]) => ({
        from: Math.max(begin, midnight + from * minuteMs),
        to: Math.min(end, midnight + to * minuteMs),
      }))
      .filter(({ from, to }) => from < to),
  );
}

/** The parts of a day in which clocks run evenly, each with the midnight that it counts from: two when clocks are changed. */
function evenParts({ number, begin, end, timeZone }: Day) {
  if (end - begin === dayMs) return [{ begin, end, midnight: begin }];
  const offsetAt = (at: number) => fromAbsolute(at, timeZone).offset;
  const changed = firstWhere(begin, end, (at) => offsetAt(at) !== offsetAt(begin));
  const parts = [
    { begin, end: changed },
    { begin: changed, end },
  ];
  return parts.map((part) => ({ ...part, midnight: number * dayMs - offsetAt(part.begin) }));
}

/**
 * The instant at which clocks of the zone show the time on a day: the first one where they show it twice, and later by the skipped time
 * where they skip it.
 */
function instantOf({ number, begin, end, timeZone }: Day, time: string): number {
  const minutes = minutesOf(time);
  if (end - begin === dayMs) return begin + minutes * minuteMs;
  const clock = new Time(Math.floor(minutes / 60), minutes % 60);
  return toCalendarDateTime(dateOf(number), clock).toDate(timeZone).getTime();
}

/** The instant at which this many counting milliseconds have passed since another; undefined where that is years away. */
export function after(timetable: Timetable, since: number, milliseconds: number): number | undefined {
  let left = milliseconds;
  for (const { stretches, total } of blocksFrom(timetable, since)) {
    const next = firstWhere(0, stretches.length, (index) => endOf(stretches, index) > since);
    const stretch = stretches[next];
    const passed = stretch ? stretch.before + Math.max(0, since - stretch.from) : total;
    const goal = passed + left;
    const found = firstWhere(next, stretches.length, (index) => addedUp(stretches, index) >= goal);
    const last = stretches[found];
    if (last) return last.from + goal - last.before;
    left = goal - total;
  }
  return undefined;
}

function endOf(stretches: readonly Stretch[], index: number): number {
  return stretches[index]?.to ?? Infinity;
}

function addedUp(stretches: readonly Stretch[], index: number): number {
  const stretch = stretches[index];
  return stretch ? stretch.before + stretch.to - stretch.from : Infinity;
}

/** The blocks to search. They begin a day early, for zones in which the day of the instant began before it did in UTC. */
function* blocksFrom({ block }: Timetable, since: number): Generator<Block> {
  const first = Math.floor((since - dayMs) / (blockDays * dayMs));
  for (let ahead = 0; ahead <= Math.ceil(mostDays / blockDays); ahead += 1) yield block(first + ahead);
}

/** The time of a day by which items from before a cut-off are done. */
interface Due {
  readonly dueTime: string;
  readonly cutOff: string;
}

/** The due time of items that came in at an instant. */
export function dueAfter(timetable: Timetable, since: number, { dueTime, cutOff }: Due): number | undefined {
  // Counts from the next cut-off on a working day: the due time is on that day, or on the next working day.
  let left = dueTime < cutOff ? 1 : 0;
  for (const { timesOf } of blocksFrom(timetable, since)) {
    const cutOffs = timesOf(cutOff);
    const next = firstWhere(0, cutOffs.length, (index) => (cutOffs[index] ?? Infinity) > since);
    const due = timesOf(dueTime)[next + left];
    if (due !== undefined) return due;
    left -= cutOffs.length - next;
  }
  return undefined;
}

/** The first number from which a condition is true and stays so; the end where it never is. */
export function firstWhere(from: number, end: number, isTrue: (number: number) => boolean): number {
  let [low, high] = [from, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
