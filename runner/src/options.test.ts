import { expect, test } from 'vitest';
import { settingsOf, type RunOptions } from './options.ts';

const base = { url: 'http://127.0.0.1', queue: 'Credit' };

test('all but the queue has a default', () => {
  expect(settingsOf(base)).toEqual({
    queue: 'Credit',
    slots: 1,
    leaseSeconds: 60,
    drainSeconds: 60,
    maxOutputBytes: 1_000_000,
    deviceId: undefined,
  });
});

test.each<[string, Partial<RunOptions>]>([
  ['queue', { queue: '' }],
  ['slots', { slots: 0 }],
  ['slots', { slots: 1001 }],
  ['slots', { slots: 1.5 }],
  ['leaseSeconds', { leaseSeconds: 0.5 }],
  ['drainSeconds', { drainSeconds: -1 }],
  ['drainSeconds', { drainSeconds: Number.NaN }],
  ['maxOutputBytes', { maxOutputBytes: 0 }],
])('a bad %s is refused by name', (name, bad) => {
  expect(() => settingsOf({ ...base, ...bad })).toThrow(new RegExp(`^${name} `));
});
