import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTime } from './times.ts';

const zone = process.env['TZ'];
// Summer time ended in Berlin on Sunday, 25 October 2026, at 03:00.
beforeAll(() => void (process.env['TZ'] = 'Europe/Berlin'));
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test.each([
  ['30m', '2026-10-23T08:30:00.000Z'],
  ['2h', '2026-10-23T10:00:00.000Z'],
  ['2h ago', '2026-10-23T06:00:00.000Z'],
  ['3d', '2026-10-26T09:00:00.000Z'],
  ['1w', '2026-10-30T09:00:00.000Z'],
  ['yesterday', '2026-10-21T22:00:00.000Z'],
  ['today 17:30', '2026-10-23T15:30:00.000Z'],
  ['tomorrow 8:00', '2026-10-24T06:00:00.000Z'],
  ['Monday 09:00', '2026-10-26T08:00:00.000Z'],
  ['friday 09:00', '2026-10-30T08:00:00.000Z'],
  ['friday 11:00', '2026-10-23T09:00:00.000Z'],
  ['2026-12-01', '2026-11-30T23:00:00.000Z'],
  ['2026-12-01 08:00', '2026-12-01T07:00:00.000Z'],
  ['2026-12-01T08:00', '2026-12-01T07:00:00.000Z'],
  ['2026-12-01T08:00:30.5Z', '2026-12-01T08:00:30.500Z'],
  ['2026-12-01 08:00+05:30', '2026-12-01T02:30:00.000Z'],
])('"%s" is a time of the person at the keyboard', (text, expected) => {
  // A Friday, 10:00 in Berlin.
  expect(readTime(text, new Date('2026-10-23T08:00:00Z'))).toBe(expected);
});

test.each([
  '',
  'soon',
  '2',
  '2y',
  'tomorrow 25:00',
  'tomorrow8:00',
  '2026-02-30 08:00',
  '2026-13-01',
  '2026-12-01 08:61',
  '1.12.2026',
])('"%s" is refused with examples', (text) => {
  expect(() => readTime(text)).toThrow(/cannot be read as a time.*2h.*tomorrow 08:00.*2026-12-01 08:00/);
});
