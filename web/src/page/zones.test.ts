import { expect, it } from 'vitest';
import { instantIn } from './zones.ts';

const cases: [string, string, string][] = [
  ['2026-01-15T08:30', 'Europe/Berlin', '2026-01-15T07:30:00.000Z'],
  ['2026-07-15T08:30', 'Europe/Berlin', '2026-07-15T06:30:00.000Z'],
  ['2026-07-15T08:30', 'Asia/Kathmandu', '2026-07-15T02:45:00.000Z'],
  ['2026-07-15T00:10', 'Pacific/Auckland', '2026-07-14T12:10:00.000Z'],
  // Twice, as clocks go back at three: the first one counts.
  ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  // Never, as clocks go forward at two.
  ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
];

it.each(cases)('a local time %s in %s is the instant %s', (local, zone, instant) => {
  expect(instantIn(local, zone).toISOString()).toBe(instant);
});
