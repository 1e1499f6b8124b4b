import { expect, test } from 'vitest';
import { changesIn, draftOf, emptiedIn, settingsOf, waitsOf } from './rules.ts';

const queue = { name: 'Invoices', description: 'All', autoRetryLimit: 3, disallowDuplicate: false };

test('a draft that nobody has touched changes nothing, and one that was says what', () => {
  const draft = draftOf(queue);
  expect(changesIn(queue, draft)).toEqual([]);
  const changed = { ...draft, name: ' Bills ', retries: '2', expiry: 'DURATION' as const };
  expect(changesIn(queue, changed)).toEqual([
    { member: 'name', before: 'Invoices', after: 'Bills' },
    { member: 'autoRetryLimit', before: 3, after: 2 },
    {
      member: 'expiry',
      before: { type: 'NONE' },
      after: { type: 'DURATION', duration: 7, durationUnit: 'DAYS' },
    },
  ]);
});

test('a format for files is what was typed of it, and none where nothing was', () => {
  const stored = { ...queue, intakeFormat: { decimalSign: 'COMMA' as const, timeZone: 'Europe/Berlin' } };
  const draft = draftOf(stored);
  expect(settingsOf(draft).intakeFormat).toEqual(stored.intakeFormat);
  const emptied = { ...draft, decimalSign: 'NONE' as const, timeZone: ' ' };
  expect(changesIn(stored, emptied)).toEqual([
    { member: 'intakeFormat', before: stored.intakeFormat, after: {} },
  ]);
});

test('a setting that is emptied is told, as it would not be saved', () => {
  const stored = {
    ...queue,
    displayColumns: ['number'],
    reactivationThreshold: 100,
    manualProcessingTime: 5,
  };
  const draft = draftOf(stored);
  expect(emptiedIn(stored, draft)).toEqual([]);
  const emptied = { ...draft, retries: ' ', columns: [], threshold: '', manual: '', description: '' };
  expect(emptiedIn(stored, emptied)).toEqual([
    'displayColumns',
    'autoRetryLimit',
    'reactivationThreshold',
    'manualProcessingTime',
  ]);
  expect(emptiedIn(queue, { ...draftOf(queue), lapses: '' })).toEqual([]);
});

test('a new queue leaves what nobody typed to the server', () => {
  expect(settingsOf({ ...draftOf(), name: 'Invoices' })).not.toHaveProperty('autoRetryLimit');
});

test('the waits of a back-off double up to the longest', () => {
  const draft = {
    ...draftOf(queue),
    backOff: 'EXPONENTIAL' as const,
    backOffSeconds: '30',
    backOffMost: '100',
  };
  expect(waitsOf(draft)).toEqual([30, 60, 100]);
  expect(waitsOf({ ...draft, backOff: 'FIXED' })).toEqual([30, 30, 30]);
  expect(waitsOf({ ...draft, backOff: 'NONE' })).toEqual([]);
});
