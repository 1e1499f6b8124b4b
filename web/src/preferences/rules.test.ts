import { expect, test } from 'vitest';
import { readPreferences } from './rules.ts';

test('Preferences that a browser has kept count as far as they are what they should be', () => {
  const kept = {
    theme: 'DARK',
    density: 'HUGE',
    timeZone: 'Mars/Olympus',
    keys: false,
    sideFolded: true,
    columns: { devices: ['name'] },
  };
  expect(readPreferences(JSON.stringify(kept))).toEqual({
    theme: 'DARK',
    keys: false,
    sideFolded: true,
    columns: { devices: ['name'] },
  });
});

test.each([null, '', 'no JSON', '3', 'null', '{"columns":{"items":[1]},"__proto__":{"theme":"DARK"}}'])(
  'Of %s nothing is kept',
  (text) => {
    expect(readPreferences(text)).toEqual({});
  },
);
