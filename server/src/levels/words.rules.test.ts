import { describe, expect, test } from 'vitest';
import type { Outlook } from './forecast.rules.ts';
import { forecastSentence, savingsSentence, type Said } from './words.rules.ts';

const at = (text: string) => Date.parse(text);
const kept: Outlook = {
  state: 'KEPT',
  late: 0,
  misses: 0,
  dueOn: undefined,
  nextDueOn: undefined,
  more: undefined,
};
const said = (more: Partial<Said>): Said => ({
  now: at('2026-11-30T08:40:00Z'),
  timeZone: 'Europe/Berlin',
  code: 'ENDS',
  open: 1452,
  endOn: at('2026-11-30T17:40:00Z'),
  promised: { dueTime: '17:00', cutOff: '15:00', warnMinutes: 15 },
  level: kept,
  arriving: 0,
  rate: 1,
  ...more,
});
const missing: Outlook = {
  ...kept,
  state: 'AT_RISK',
  misses: 312,
  dueOn: at('2026-11-30T16:00:00Z'),
  more: { devices: 2, fromOn: at('2026-11-30T13:00:00Z') },
};

describe('forecastSentence', () => {
  test.for<[string, Partial<Said>, string]>([
    [
      'how many more devices from when, or how many items miss',
      { level: missing },
      '2 more devices from 14:00, or 312 items miss 17:00. The last of 1,452 open items is done at about 18:40, in 9 hours. Times are of Europe/Berlin.',
    ],
    [
      'that it is urgent, and that one is one',
      { level: { ...missing, misses: 1, more: { devices: 1, fromOn: at('2026-11-30T08:40:10Z') } } },
      '1 more device now, or 1 item misses 17:00.',
    ],
    [
      'that it is too late for help',
      { level: { ...missing, more: undefined } },
      '312 items miss 17:00: more devices would come too late.',
    ],
    [
      'the day of a time that is not today',
      { level: { ...missing, dueOn: at('2026-12-01T16:00:00Z') } },
      '312 items miss Tue 1 Dec 17:00.',
    ],
    [
      'what is late already, and what else will be',
      { level: { ...missing, late: 3 } },
      '3 items are over the time by which they were due. 2 more devices from 14:00, or 312 more items miss 17:00.',
    ],
    [
      'how long items wait',
      { level: { ...missing, late: 1 }, promised: { longestWaitMinutes: 90, warnMinutes: 0 } },
      '1 item waits longer than 90 minutes. 2 more devices from 14:00, or 312 more items wait longer than 90 minutes, the first at 17:00.',
    ],
    ['that nothing is open', { code: 'DONE', open: 0, endOn: undefined }, 'Nothing is open.'],
    [
      'why the end is not known, and what is due',
      { code: 'PAUSED', endOn: undefined, level: { ...kept, nextDueOn: at('2026-11-30T16:00:00Z') } },
      'When the queue is done cannot be known: the queue is paused, and nobody said until when. Its next item is due at 17:00, and late unless somebody resumes the queue before.',
    ],
    [
      'what to do where nobody works',
      { code: 'NOBODY_WORKS', endOn: undefined, level: { ...kept, nextDueOn: at('2026-11-30T16:00:00Z') } },
      'Its next item is due at 17:00, and late unless somebody works on it, or connects a device that can, before.',
    ],
    [
      'that nobody knows where nothing was measured',
      { code: 'NOT_MEASURED', endOn: undefined, level: { ...kept, nextDueOn: at('2026-11-30T16:00:00Z') } },
      'Its next item is due at 17:00; whether it will be in time nobody knows.',
    ],
    [
      'that the line grows',
      { level: undefined, arriving: 12.34, rate: 8 },
      'In the last 15 minutes more came in than can be done: 12.3 a minute, against 8.',
    ],
  ])('says %s', ([, more, expected]) => {
    expect(forecastSentence(said(more))).toContain(expected);
  });

  test('names the zone of its times, and none where it says no time', () => {
    expect(forecastSentence(said({ timeZone: 'Asia/Tokyo' }))).toContain('Times are of Asia/Tokyo.');
    expect(forecastSentence(said({ code: 'DONE' }))).not.toContain('Times');
  });
});

describe('savingsSentence', () => {
  const hours = { worked: 100, failed: 4, repairs: 2.5, saved: 93.5 };

  test.for<[Parameters<typeof savingsSentence>[0], string]>([
    [{ complete: 960, hours }, '93.5 hours were saved.'],
    [
      { complete: 960, hours, money: { currency: 'EUR', hourlyCost: 42, saved: 3927 } },
      '93.5 hours were saved, EUR 3,927.00.',
    ],
    [{ complete: 1, hours: { ...hours, saved: 1 } }, '1 hour was saved.'],
    [{ complete: 1, hours: { ...hours, saved: -2 } }, 'It took 2 hours more than it saved.'],
    [{ complete: 0, hours: { ...hours, saved: 0 } }, 'Nothing was finished.'],
    [{ complete: 9 }, 'the settings of the queue do not say how long a person needs'],
  ])('%j', ([saved, expected]) => {
    expect(savingsSentence(saved)).toContain(expected);
  });
});
