import { toId, type Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { calendarOf, draftOfCalendar, draftOfLevel, levelOf, scaleOf } from './rules.ts';

const office: Parameters<typeof draftOfCalendar>[0] = {
  name: 'Office',
  timeZone: 'Europe/Berlin',
  hours: [
    { day: 'FRIDAY', from: '13:00', to: '15:00' },
    { day: 'FRIDAY', from: '08:00', to: '12:00' },
  ],
  holidays: [
    { date: '2026-12-25', name: 'Christmas Day' },
    { date: '2026-12-24', name: 'Eve', hours: [{ from: '08:00', to: '12:00' }] },
  ],
};

test('a calendar that is written and read again is the same', () => {
  const draft = draftOfCalendar(office, 'UTC');
  expect(draft.hours.FRIDAY).toBe('08:00-12:00, 13:00-15:00');
  expect(draft.holidays).toBe('2026-12-25 Christmas Day\n2026-12-24 08:00-12:00 Eve');
  expect(calendarOf(draft)).toEqual({ ...office, hours: office?.hours.toReversed() });
});

test('a new calendar has the hours of an office', () => {
  const calendar = calendarOf(draftOfCalendar(undefined, 'Asia/Tokyo'));
  expect(calendar).toMatchObject({ timeZone: 'Asia/Tokyo', holidays: [] });
  expect('hours' in calendar && calendar.hours.map(({ day }) => day)).toHaveLength(5);
});

test('hours are read as people type them, and what cannot be read is named', () => {
  const draft = draftOfCalendar(office, 'UTC');
  const withMonday = (MONDAY: string) => calendarOf({ ...draft, hours: { ...draft.hours, MONDAY } });
  expect(withMonday('8:00 – 12:30,')).toMatchObject({ hours: [{ from: '08:00', to: '12:30' }, {}, {}] });
  expect(withMonday('8 to 12')).toEqual({ day: 'MONDAY', text: '8 to 12' });
  expect(calendarOf({ ...draft, holidays: '25.12.2026 Christmas' })).toEqual({
    line: '25.12.2026 Christmas',
  });
  expect(calendarOf({ ...draft, holidays: '2026-12-25' })).toEqual({ line: '2026-12-25' });
  expect(calendarOf({ ...draft, holidays: '2026-12-24 8 to 12 Eve' })).toEqual({
    line: '2026-12-24 8 to 12 Eve',
  });
  expect(calendarOf({ ...draft, holidays: '2026-05-01 1st of May' })).toMatchObject({
    holidays: [{ name: '1st of May' }],
  });
  expect(calendarOf({ ...draft, holidays: '2026-12-24 08:00-10:00 11:00-12:00 Eve' })).toMatchObject({
    holidays: [{ hours: [{}, {}] }],
  });
  expect(calendarOf({ ...draft, holidays: '2026-12-24 8:00 – 10:00, 11:00-12:00 Eve, half' })).toMatchObject({
    holidays: [
      {
        date: '2026-12-24',
        name: 'Eve, half',
        hours: [
          { from: '08:00', to: '10:00' },
          { from: '11:00', to: '12:00' },
        ],
      },
    ],
  });
});

const none = { queueId: 1, queueName: 'Invoices', version: 0 };

test.for<Partial<Schemas['QueueLevel']>>([
  { longestWaitMinutes: 60, warnMinutes: 5 },
  { dueTime: '17:00', cutOff: '15:00', warnMinutes: 15, calendarId: 9_007_199_254_740_993n },
  { longestWaitMinutes: 60, warnMinutes: 0, hourlyCost: 42.5, currency: 'CHF' },
  { hourlyCost: 0, currency: 'EUR' },
])('a promise that is put into its form and taken out again is the same: %o', (level) => {
  expect(levelOf(draftOfLevel({ ...none, ...level }), toId)).toEqual(level);
});

test('an empty form promises nothing', () => {
  expect(levelOf(draftOfLevel(none), toId)).toBeUndefined();
});

const forecast = (more: object) =>
  ({ on: '2026-11-30T10:00:00Z', code: 'ENDS', ...more }) as Schemas['QueueForecast'];

test('the later of the end and the due time lies near the end of the line', () => {
  const late = forecast({ expectedEndOn: '2026-11-30T20:00:00Z', level: { dueOn: '2026-11-30T15:00:00Z' } });
  expect(scaleOf(late, 110)).toEqual({ end: 100, due: 50 });
  const early = forecast({
    expectedEndOn: '2026-11-30T11:00:00Z',
    level: { nextDueOn: '2026-11-30T12:00:00Z' },
  });
  expect(scaleOf(early, 110)).toEqual({ end: 50, due: 100 });
  expect(scaleOf(forecast({ expectedEndOn: '2026-11-30T11:00:00Z' }), 110)).toEqual({
    end: 100,
    due: undefined,
  });
});

test('there is no line where nobody knows the end', () => {
  expect(scaleOf(forecast({ code: 'NOT_MEASURED' }), 110)).toBeUndefined();
});
