import { describe, expect, test } from 'vitest';
import { changedCalendar, newCalendar } from './calendars.ts';

describe('newCalendar', () => {
  const plain = {
    name: 'Office',
    timeZone: 'Europe/Berlin',
    hours: [{ day: 'MONDAY', from: '08:00', to: '17:00' }],
  } as const;
  const refusalOf = (wanted: object) => {
    try {
      newCalendar({ ...plain, ...wanted } as never);
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('has no holidays unless some are given', () => {
    expect(newCalendar(plain as never)).toEqual({ ...plain, holidays: [] });
  });

  test.for<[object, string]>([
    [{ timeZone: 'Mars' }, 'timeZone is no time zone: "Mars"'],
    [{ hours: [{ day: 'MONDAY', from: '17:00', to: '08:00' }] }, 'hours.0.to must be later than 17:00'],
    [{ hours: [{ day: 'MONDAY', from: '17:00', to: '17:00' }] }, 'hours.0.to must be later than 17:00'],
    [
      {
        hours: [
          { day: 'MONDAY', from: '08:00', to: '12:00' },
          { day: 'MONDAY', from: '11:00', to: '13:00' },
        ],
      },
      'hours.1 overlaps 08:00 to 12:00 of the same day',
    ],
    [{ name: ' ' }, 'name must not be blank'],
    [
      {
        holidays: [
          { date: '2026-12-25', name: 'a' },
          { date: '2026-12-25', name: 'b' },
        ],
      },
      'as entry 0',
    ],
    [{ holidays: [{ date: '2026-12-25', name: ' ' }] }, 'holidays.0.name must not be blank'],
    [
      { holidays: [{ date: '2026-12-24', name: 'Eve', hours: [{ from: '12:00', to: '08:00' }] }] },
      'holidays.0.hours.0.to must be later than 12:00',
    ],
    [
      {
        holidays: [
          {
            date: '2026-12-24',
            name: 'Eve',
            hours: [
              { from: '08:00', to: '10:00' },
              { from: '09:00', to: '12:00' },
            ],
          },
        ],
      },
      'holidays.0.hours.1 overlaps 08:00 to 10:00',
    ],
  ])('refuses %j', ([wanted, message]) => {
    expect(refusalOf(wanted)).toContain(message);
  });

  test('takes hours of one day that only touch', () => {
    const hours = [
      { day: 'MONDAY', from: '12:00', to: '17:00' },
      { day: 'MONDAY', from: '08:00', to: '12:00' },
    ];
    expect(refusalOf({ hours })).toBe('none');
  });

  test('is changed at its version alone', () => {
    const stored = { ...plain, id: 3, version: 2, holidays: [] } as never;
    expect(changedCalendar(stored, { version: 2, name: 'Other' })).toMatchObject({
      name: 'Other',
      timeZone: 'Europe/Berlin',
    });
    expect(() => changedCalendar(stored, { version: 1 })).toThrow('is at version 2');
  });
});
