import { describe, expect, it } from 'vitest';
import { Refusal } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { changedSettings, comparesAnew, isReordered, newSettings } from './settings.ts';

const text = (name: string): Attribute => ({ name, type: 'TEXT', isRequired: true });
const attributes = ['a', 'b', '-b', '__proto__', 'constructor', 'Ä', '7', '8', '9', '10', '11'].map(text);
const now = new Date('2026-03-01T12:00:00Z');
const circumstances = { attributes, now };

type Sent = Partial<Parameters<typeof newSettings>[0]>;

const settle = (sent: Sent) => newSettings({ name: 'Q', workItemModelId: 1, ...sent }, circumstances);
const current = settle({});
const change = (sent: Sent, before = current) =>
  changedSettings(before, { version: 0, ...sent }, circumstances);

function refusalOf(decide: () => unknown): Refusal {
  try {
    decide();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('The settings were not refused.');
}

describe('the settings of a queue', () => {
  it('have defaults', () => {
    expect(current).toEqual({
      name: 'Q',
      description: '',
      status: 'ACTIVE',
      reactivationUnit: 'PERCENT',
      reactivationThreshold: 100,
      disallowDuplicate: false,
      uniqueBy: [],
      duplicateScope: 'ALL',
      autoRetryLimit: 0,
      lapseLimit: 5,
      workItemProcessingOrders: [],
      indexedColumns: [],
      searchedAttributes: [],
      displayColumns: ['a', 'b', '-b', '__proto__', 'constructor', 'Ä', '7', '8', '9', '10'],
    });
  });

  it('count from 1 item when they count items', () => {
    expect(settle({ reactivationUnit: 'COUNT' }).reactivationThreshold).toBe(1);
    expect(settle({ reactivationUnit: 'COUNT', reactivationThreshold: 101 }).reactivationThreshold).toBe(101);
  });

  it('are those of the request where it has them, without the members that the server sets', () => {
    const sent = {
      description: 'd',
      status: 'INACTIVE' as const,
      reactivationUnit: 'PERCENT' as const,
      reactivationThreshold: 0,
      manualProcessingTime: 3,
      manualProcessingTimeUnit: 'HOURS',
      disallowDuplicate: true,
      uniqueBy: ['b', '__proto__'],
      duplicateScope: 'OPEN' as const,
      autoRetryLimit: 10,
      lapseLimit: 0,
      workItemProcessingOrders: ['-a', '__proto__', '-b'],
      displayColumns: ['constructor'],
      indexedColumns: ['constructor'],
      searchedAttributes: ['b', '__proto__'],
      retryBackOff: { type: 'EXPONENTIAL', seconds: 30, maxSeconds: 3600, jitterPercent: 20 },
      expiry: { type: 'DURATION', duration: 2, durationUnit: 'DAYS' },
    };
    expect(settle({ ...sent, id: 4, version: 9, createdBy: 1 })).toEqual({ name: 'Q', ...sent });
  });

  it('are spelled in one way', () => {
    expect(settle({ manualProcessingTimeUnit: 'days' }).manualProcessingTimeUnit).toBe('DAYS');
    expect(settle({ manualProcessingTime: 5 }).manualProcessingTimeUnit).toBe('MINUTES');
    expect(settle({ expiry: { type: 'duration', duration: 1, durationUnit: 'Hours' } }).expiry).toEqual({
      type: 'DURATION',
      duration: 1,
      durationUnit: 'HOURS',
    });
    expect(settle({ expiry: { type: 'Date', date: '2026-04-01T09:00:00+09:00' } }).expiry).toEqual({
      type: 'DATE',
      date: '2026-04-01T00:00:00.000Z',
    });
    expect(settle({ expiry: { type: 'none' } })).not.toHaveProperty('expiry');
    expect(settle({ retryBackOff: { type: 'fixed', seconds: 5 } }).retryBackOff).toEqual({
      type: 'FIXED',
      seconds: 5,
    });
    expect(settle({ retryBackOff: { type: 'None' } })).not.toHaveProperty('retryBackOff');
  });

  it.each<[Sent, string, string]>([
    [{ name: ' Q' }, 'name', 'white space'],
    [
      { displayColumns: ['a', 'A'] },
      'displayColumns',
      'names "A", but the attributes of the model are "a", "b"',
    ],
    [{ indexedColumns: ['a', 'a'] }, 'indexedColumns', 'names the attribute of "a" twice'],
    [{ searchedAttributes: ['c'] }, 'searchedAttributes', 'names "c"'],
    [{ displayColumns: ['a', 'a'] }, 'displayColumns', 'names the attribute of "a" twice'],
    [{ displayColumns: ['-a'] }, 'displayColumns', 'names "-a"'],
    [{ displayColumns: ['toString'] }, 'displayColumns', 'names "toString"'],
    [{ workItemProcessingOrders: ['c'] }, 'workItemProcessingOrders', 'names "c"'],
    [
      { workItemProcessingOrders: ['--b', '-b'] },
      'workItemProcessingOrders',
      'names the attribute of "-b" twice',
    ],
    [
      { workItemProcessingOrders: ['a', '-a'] },
      'workItemProcessingOrders',
      'names the attribute of "-a" twice',
    ],
    [{ disallowDuplicate: true, uniqueBy: ['c'] }, 'uniqueBy', 'names "c"'],
    [{ disallowDuplicate: true, uniqueBy: ['a', 'a'] }, 'uniqueBy', 'names the attribute of "a" twice'],
    [{ uniqueBy: ['a'] }, 'uniqueBy', 'has no effect without disallowDuplicate: true'],
    [{ reactivationThreshold: 101 }, 'reactivationThreshold', 'at most 100'],
    [{ manualProcessingTimeUnit: 'WEEKS' }, 'manualProcessingTimeUnit', 'SECONDS, MINUTES, HOURS, DAYS'],
    [{ retryBackOff: { seconds: 5 } }, 'retryBackOff.type', 'FIXED, EXPONENTIAL or NONE'],
    [{ retryBackOff: { type: 'FIXED' } }, 'retryBackOff.seconds', 'missing'],
    [
      { retryBackOff: { type: 'FIXED', seconds: 5, maxSeconds: 9 } },
      'retryBackOff.maxSeconds',
      'goes with type EXPONENTIAL',
    ],
    [
      { retryBackOff: { type: 'EXPONENTIAL', seconds: 5, maxSeconds: 4 } },
      'retryBackOff.maxSeconds',
      'not be less than seconds',
    ],
    [{ expiry: {} }, 'expiry.type', 'DURATION, DATE or NONE'],
    [{ expiry: { type: 'SOON' } }, 'expiry.type', 'DURATION, DATE or NONE'],
    [{ expiry: { type: 'DURATION', durationUnit: 'DAYS' } }, 'expiry.duration', 'missing'],
    [{ expiry: { type: 'DURATION', duration: 1 } }, 'expiry.durationUnit', 'MINUTES, HOURS, DAYS'],
    [
      { expiry: { type: 'DURATION', duration: 1, durationUnit: 'SECONDS' } },
      'expiry.durationUnit',
      'MINUTES',
    ],
    [
      { expiry: { type: 'DURATION', duration: 1, durationUnit: 'DAYS', date: '2027-01-01T00:00:00Z' } },
      'expiry.date',
      'goes with type DATE',
    ],
    [{ expiry: { type: 'DATE' } }, 'expiry.date', 'missing'],
    [{ expiry: { type: 'DATE', date: '2026-03-01T12:00:00Z' } }, 'expiry.date', 'has passed'],
    [
      { expiry: { type: 'DATE', date: '2027-01-01T00:00:00Z', duration: 1 } },
      'expiry.duration',
      'type DURATION',
    ],
    [
      { expiry: { type: 'DATE', date: '2027-01-01T00:00:00Z', durationUnit: 'DAYS' } },
      'expiry.durationUnit',
      'type DURATION',
    ],
  ])('%j are refused by name, new and as a change', (sent, field, message) => {
    for (const decide of [() => settle(sent), () => change(sent)]) {
      const { code, details } = refusalOf(decide);
      expect(code).toBe('INVALID_REQUEST');
      expect(details).toEqual([{ field, message: expect.stringContaining(message) }]);
    }
  });

  it('name everything that is wrong', () => {
    const { message } = refusalOf(() =>
      settle({ name: '', displayColumns: ['c'], expiry: { type: 'DATE' } }),
    );
    expect(message).toMatch(/name must not be blank; displayColumns names "c".*; expiry.date is missing/);
  });
});

describe('a change of settings', () => {
  it('leaves what it does not mention', () => {
    const before = settle({
      description: 'd',
      manualProcessingTime: 3,
      expiry: { type: 'DATE', date: '2027-01-01T00:00:00Z' },
    });
    expect(change({}, before)).toEqual(before);
    expect(change({ autoRetryLimit: 3 }, before)).toEqual({ ...before, autoRetryLimit: 3 });
  });

  it('may send back a date that has passed, but not bring one', () => {
    const before = { ...current, expiry: { type: 'DATE', date: '2026-01-01T00:00:00.000Z' } };
    expect(change({ description: 'd', expiry: before.expiry }, before).expiry).toEqual(before.expiry);
    const other = { type: 'DATE', date: '2026-01-02T00:00:00Z' };
    expect(refusalOf(() => change({ expiry: other }, before)).message).toContain('has passed');
  });

  it('takes the expiry away with the type NONE', () => {
    const before = settle({ expiry: { type: 'DURATION', duration: 2, durationUnit: 'DAYS' } });
    expect(change({ expiry: { type: 'NONE' } }, before)).toEqual(current);
  });

  it('takes the back-off away with the type NONE', () => {
    const before = settle({ retryBackOff: { type: 'FIXED', seconds: 5 } });
    expect(change({ autoRetryLimit: 0 }, before)).toEqual(before);
    expect(change({ retryBackOff: { type: 'NONE' } }, before)).toEqual(current);
  });

  it('is refused when it does not go with what stays', () => {
    const before = settle({ reactivationUnit: 'COUNT', reactivationThreshold: 500 });
    expect(refusalOf(() => change({ reactivationUnit: 'PERCENT' }, before)).message).toContain('at most 100');
  });

  it('reorders items when an order is another or in another place', () => {
    const before = settle({ workItemProcessingOrders: ['a', 'b'] });
    const ordered = (...orders: string[]) =>
      isReordered(before, change({ workItemProcessingOrders: orders }, before));
    expect([ordered('a', 'b'), ordered('b', 'a'), ordered('a'), ordered('a', '--b'), ordered()]).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it.each<[Sent, Sent, boolean]>([
    [{}, { disallowDuplicate: true }, true],
    [{ disallowDuplicate: true }, {}, false],
    [{ disallowDuplicate: true }, { disallowDuplicate: false }, false],
    [{ disallowDuplicate: true }, { uniqueBy: ['a'] }, true],
    [{ disallowDuplicate: true, uniqueBy: ['a'] }, { uniqueBy: ['b'] }, true],
    [{ disallowDuplicate: true, uniqueBy: ['a'] }, { uniqueBy: ['a'], description: 'd' }, false],
    [{ disallowDuplicate: true }, { duplicateScope: 'OPEN' }, true],
    [{ disallowDuplicate: true, duplicateScope: 'OPEN' }, { duplicateScope: 'ALL' }, true],
    [{}, { duplicateScope: 'OPEN' }, false],
  ])('from %j by %j compares the items anew: %s', (before, sent, expected) => {
    const old = settle(before);
    expect(comparesAnew(old, change(sent, old))).toBe(expected);
  });

  it('keeps the attributes to compare while duplicates are allowed, and takes no others then', () => {
    const before = settle({ disallowDuplicate: true, uniqueBy: ['a'] });
    const idle = change({ disallowDuplicate: false }, before);
    expect(change({ uniqueBy: ['a'], description: 'd' }, idle).uniqueBy).toEqual(['a']);
    expect(refusalOf(() => change({ uniqueBy: ['b'] }, idle)).message).toContain('uniqueBy has no effect');
  });
});
