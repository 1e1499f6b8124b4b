import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { after, dueAfter, timetableOf, type Calendar } from './timetable.rules.ts';

const minute = 60_000;
const at = (text: string) => Date.parse(text);
const on = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'] as const;
const office: Calendar = {
  timeZone: 'Europe/Berlin',
  hours: weekdays.map((day) => ({ day, from: '08:00', to: '17:00' })),
  holidays: [{ date: '2026-12-25', name: 'Christmas Day' }],
};

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The time on a clock of a zone, from the runtime alone. */
function shown(time: number, timeZone: string) {
  const two = '2-digit' as const;
  const fields = { weekday: 'long', year: 'numeric', month: two, day: two, hour: two, minute: two } as const;
  const format =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
  clocks.set(timeZone, format);
  // Monday, 11/30/2026, 08:05
  const [day = '', date = '', clock = ''] = format.format(time).split(', ');
  const [month, dayOfMonth, year] = date.split('/');
  return { day: day.toUpperCase(), date: `${year}-${month}-${dayOfMonth}`, time: clock };
}

/** Whether a minute counts, by the time on the clock. */
function counts({ timeZone, hours, holidays }: Calendar, time: number): boolean {
  const { day, date, time: clock } = shown(time, timeZone);
  const holiday = holidays.find((one) => one.date === date);
  if (holiday) return (holiday.hours ?? []).some(({ from, to }) => from <= clock && clock < to);
  return hours.some((one) => one.day === day && one.from <= clock && clock < one.to);
}

/** The same as `after`, minute by minute. */
function walked(calendar: Calendar, since: number, minutes: number): number {
  let [time, left] = [since, minutes];
  while (left > 0) {
    if (counts(calendar, time)) left -= 1;
    time += minute;
  }
  return time;
}

const clock = fc.integer({ min: 0, max: 23 * 60 + 30 }).map((minutes) => minutes - (minutes % 30));
const spelled = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const someHours = fc
  .tuple(
    fc.constantFrom(...weekdays, 'SATURDAY' as const, 'SUNDAY' as const),
    clock,
    fc.integer({ min: 1, max: 20 }),
  )
  .map(([day, from, halves]) => ({
    day,
    from: spelled(from),
    to: spelled(Math.min(24 * 60, from + 30 * halves)),
  }));
const calendars = fc.record({
  // Clocks change in two of them, by half an hour in one, and never in the others.
  timeZone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
  ),
  hours: fc.uniqueArray(someHours, { minLength: 1, maxLength: 6, selector: ({ day }) => day }),
  holidays: fc.uniqueArray(
    fc.record(
      {
        date: fc.constantFrom('2026-03-29', '2026-03-30', '2026-10-26', '2026-11-02'),
        name: fc.constant('x'),
        hours: fc.constant('09:00').map((from) => [{ from, to: '10:30' }]),
      },
      { requiredKeys: ['date', 'name'] },
    ),
    { maxLength: 2, selector: ({ date }) => date },
  ),
});
/** Whole minutes around the days on which clocks change. */
const times = fc
  .tuple(
    fc.constantFrom(at('2026-03-27T00:00:00Z'), at('2026-10-23T00:00:00Z'), at('2026-10-02T00:00:00Z')),
    fc.integer({ min: 0, max: 5 * 24 * 60 }),
  )
  .map(([begin, minutes]) => begin + minutes * minute);

describe('after', () => {
  test('counts the hours of the calendar alone', () => {
    const timetable = timetableOf(office);
    // A Friday afternoon, with one hour left.
    expect(on(after(timetable, at('2026-11-27T15:00:00Z'), 120 * minute))).toBe('2026-11-30T08:00:00.000Z');
    // The holiday and the weekend after it do not count.
    expect(on(after(timetable, at('2026-12-24T15:00:00Z'), 90 * minute))).toBe('2026-12-28T07:30:00.000Z');
  });

  test('counts the hours of a half day in place of those of the week', () => {
    const hours = [
      { from: '10:00', to: '11:00' },
      { from: '08:00', to: '09:00' },
    ];
    const eve = { date: '2026-12-24', name: 'Christmas Eve', hours };
    const timetable = timetableOf({ ...office, holidays: [...office.holidays, eve] });
    const begin = at('2026-12-24T06:00:00Z');
    expect(on(after(timetable, begin, 90 * minute))).toBe('2026-12-24T09:30:00.000Z');
    expect(on(after(timetable, begin, 150 * minute))).toBe('2026-12-28T07:30:00.000Z');
    expect(on(dueAfter(timetable, begin, { dueTime: '12:00', cutOff: '11:00' }))).toBe(
      '2026-12-24T11:00:00.000Z',
    );
  });

  test('counts every hour where there is no calendar', () => {
    expect(on(after(timetableOf(), at('2026-11-28T23:00:00Z'), 240 * minute))).toBe(
      '2026-11-29T03:00:00.000Z',
    );
  });

  test('does not count an hour that clocks leave out, and counts one twice that they show twice', () => {
    const nights = (day: 'SUNDAY') => ({
      timeZone: 'Europe/Berlin',
      hours: [{ day, from: '00:00', to: '06:00' }],
      holidays: [],
    });
    const timetable = timetableOf(nights('SUNDAY'));
    expect(on(after(timetable, at('2026-03-28T12:00:00Z'), 300 * minute))).toBe('2026-03-29T04:00:00.000Z');
    expect(on(after(timetable, at('2026-10-24T12:00:00Z'), 420 * minute))).toBe('2026-10-25T05:00:00.000Z');
  });

  test.for<[string, string, string, string]>([
    // Clocks go from 02:00 to 03:00 on the 29th of March, and from 03:00 to 02:00 on the 25th of October.
    [
      'begins with the end of a gap that hours begin in',
      '02:30',
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:01:00.000Z',
    ],
    ['counts up to a gap that hours end in', '01:59', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['counts what clocks show twice twice', '02:29', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00.000Z'],
  ])('%s', ([, from, since, expected]) => {
    const to = from === '02:30' ? '10:00' : '02:30';
    const calendar = {
      timeZone: 'Europe/Berlin',
      hours: [{ day: 'SUNDAY' as const, from, to }],
      holidays: [],
    };
    expect(on(after(timetableOf(calendar), at(since), minute))).toBe(expected);
    expect(on(walked(calendar, at(since), 1))).toBe(expected);
  });

  test('looks at a handful of blocks, however seldom people work and however much is asked', () => {
    const seldom = { ...office, hours: [{ day: 'MONDAY' as const, from: '08:00', to: '08:01' }] };
    const timetable = timetableOf(seldom);
    let looks = 0;
    const counted = {
      block: (index: number) => {
        looks += 1;
        return timetable.block(index);
      },
    };
    const begin = at('2026-11-28T00:00:00Z');
    for (let index = 0; index < 1000; index += 1) {
      after(counted, begin + index * minute, 240 * minute);
      dueAfter(counted, begin + index * minute, { dueTime: '08:01', cutOff: '08:00' });
    }
    expect(looks).toBeLessThanOrEqual(1000 * 12);
  });

  test('asks the clocks of the zone once for each day, not for each time', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    const timetable = timetableOf(office);
    for (let index = 0; index < 2000; index += 1)
      after(timetable, at('2026-11-28T00:00:00Z') + index * minute, 240 * minute);
    const once = asked.mock.calls.length;
    for (let index = 0; index < 2000; index += 1)
      after(timetable, at('2026-11-28T00:00:30Z') + index * minute, 240 * minute);
    const again = asked.mock.calls.length - once;
    asked.mockRestore();
    expect(again).toBe(0);
    expect(once).toBeLessThan(2000);
  });

  test('says nothing of what is years away', () => {
    const seldom = { ...office, hours: [{ day: 'MONDAY' as const, from: '08:00', to: '08:01' }] };
    expect(after(timetableOf(seldom), at('2026-11-28T00:00:00Z'), 500 * minute)).toBeUndefined();
  });

  test('agrees with a clock that is looked at each minute', () => {
    fc.assert(
      fc.property(calendars, times, fc.integer({ min: 1, max: 200 }), (calendar, since, minutes) => {
        expect(on(after(timetableOf(calendar), since, minutes * minute))).toBe(
          on(walked(calendar, since, minutes)),
        );
      }),
      { numRuns: 25 },
    );
  });

  test('makes no difference whether time is counted at once or in parts', () => {
    const minutes = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(calendars, times, minutes, minutes, (calendar, since, one, other) => {
        const timetable = timetableOf(calendar);
        const between = after(timetable, since, one * minute);
        const whole = after(timetable, since, (one + other) * minute);
        if (between === undefined || whole === undefined) return;
        expect(after(timetable, between, other * minute)).toBe(whole);
        expect(whole).toBeGreaterThan(between);
      }),
    );
  });
});

describe('dueAfter', () => {
  const due = { dueTime: '17:00', cutOff: '15:00' };

  test.for<[string, string, object]>([
    ['what came in before the cut-off is due that day', '2026-11-30T16:00:00.000Z', {}],
    ['what came in later is due on the next', '2026-12-01T16:00:00.000Z', { since: '2026-11-30T14:00:00Z' }],
    [
      'what came in on a Saturday is due on Monday',
      '2026-11-30T16:00:00.000Z',
      { since: '2026-11-28T07:00:00Z' },
    ],
    ['a holiday is no working day', '2026-12-28T16:00:00.000Z', { since: '2026-12-24T15:00:00Z' }],
    [
      'a due time before the cut-off is that of the next working day',
      '2026-12-01T09:00:00.000Z',
      { dueTime: '10:00' },
    ],
  ])(
    '%s',
    ([, expected, { since = '2026-11-30T13:59:00Z', ...others }]: [string, string, { since?: string }]) => {
      expect(on(dueAfter(timetableOf(office), at(since), { ...due, ...others }))).toBe(expected);
    },
  );

  test('is on a working day by the clock of the zone, never before what came in, and never falls back', () => {
    fc.assert(
      fc.property(
        calendars,
        times,
        times,
        fc.tuple(clock, clock),
        (calendar, one, other, [dueTime, cutOff]) => {
          const rule = { dueTime: spelled(dueTime), cutOff: spelled(cutOff) };
          const timetable = timetableOf(calendar);
          const [since, later] = [Math.min(one, other), Math.max(one, other)];
          const [first, second] = [dueAfter(timetable, since, rule), dueAfter(timetable, later, rule)];
          if (first === undefined || second === undefined) throw new Error('every week has a working day');
          expect(second).toBeGreaterThanOrEqual(first);
          if (rule.dueTime >= rule.cutOff) expect(first).toBeGreaterThanOrEqual(since);
          const { day, date } = shown(first, calendar.timeZone);
          const holiday = calendar.holidays.find((free) => free.date === date);
          if (holiday) expect(holiday.hours).toBeDefined();
          else expect(calendar.hours.map((hours) => hours.day)).toContain(day);
        },
      ),
    );
  });
});
