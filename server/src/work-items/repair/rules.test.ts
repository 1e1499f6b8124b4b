import { describe, expect, test } from 'vitest';
import { mayHappen } from '@millrace/api';
import { codeOf, earlier, expectConsistent, itemIn, later, now, states } from '../../testing/items.ts';
import {
  decideCancel,
  decideProgress,
  decideRepair,
  decideResolve,
  decideTake,
  decideUpdate,
  type Repair,
  type Update,
} from './rules.ts';
import { Refusal } from '../../engine/errors.ts';
import { arrivalIn, movedBehind, type Item, type Move } from '../item/rules.ts';

const circumstances = { queue: {}, now };
const update = (item: Item, sent: Partial<Update>) =>
  decideUpdate(item, { version: 5, ...sent }, circumstances);
const repair = (item: Item, name: Repair) => decideRepair(item, name, {}, circumstances);
const granted = (verdict: unknown) => verdict as Move;

const repairs: readonly Repair[] = [
  'release',
  'restart',
  'edit',
  'defer',
  'complete',
  'giveUp',
  'resolveDone',
  'resolveNotDone',
  'resolvePartly',
];

describe('a repair', () => {
  for (const [state, item] of Object.entries(states)) {
    for (const name of repairs) {
      const isAllowed = mayHappen(name, item);
      test(`to ${name} ${isAllowed ? 'moves' : 'is refused for'} an item that is ${state}`, () => {
        const verdict = decideRepair(item, name, { comment: 'checked' }, circumstances);
        if (!isAllowed) return expect(codeOf(verdict)).toBe('STATUS_CONFLICT');
        expect(verdict).toMatchObject({ transition: name, item: { version: 6 } });
        expectConsistent(granted(verdict).item);
      });
    }
  }
});

/** The meaning of a status sent by a person, by the state of the item. */
const meanings: [state: string, sent: Partial<Update>, meaning: Repair | 'STATUS_CONFLICT'][] = [
  ['NEW', {}, 'edit'],
  ['NEW', { status: 'COMPLETE' }, 'complete'],
  ['NEW', { status: 'FAILED' }, 'giveUp'],
  ['NEW', { status: 'DEFERRED' }, 'defer'],
  ['waiting for a retry', { comment: 'x' }, 'edit'],
  ['DEFERRED', { status: 'DEFERRED' }, 'edit'],
  ['DEFERRED', { status: 'DEFERRED', deferredUntil: '2026-04-01T00:00:00Z' }, 'defer'],
  ['DEFERRED', { status: 'DEFERRED', deferredUntil: null }, 'defer'],
  ['FAILED', { status: 'FAILED' }, 'edit'],
  ['FAILED', { status: 'COMPLETE' }, 'complete'],
  ['in doubt', { comment: 'x' }, 'edit'],
  ['in doubt', { status: 'FAILED', failureKind: 'IN_DOUBT' }, 'edit'],
  ['in doubt', { status: 'FAILED', comment: 'half' }, 'resolvePartly'],
  ['in doubt', { status: 'COMPLETE', failureKind: 'IN_DOUBT' }, 'resolveDone'],
  ['in doubt', { status: 'DEFERRED' }, 'STATUS_CONFLICT'],
  ['COMPLETE', { status: 'FAILED' }, 'STATUS_CONFLICT'],
  ['COMPLETE', { comment: 'x' }, 'STATUS_CONFLICT'],
  ['IN_PROGRESS', { status: 'FAILED' }, 'STATUS_CONFLICT'],
];

describe('an update by a person', () => {
  test.each(meanings)('of an item that is %s with %j is %s', (state, sent, meaning) => {
    const verdict = update(states[state] as Item, sent);
    expect(codeOf(verdict) ?? granted(verdict).transition).toBe(meaning);
  });

  test.each(Object.keys(states))('of an item that is %s needs the current version first of all', (state) => {
    expect(codeOf(update(states[state] as Item, { version: 4, status: 'COMPLETE' }))).toBe(
      'VERSION_CONFLICT',
    );
  });

  test('whose result contradicts the status is refused', () => {
    expect(codeOf(update(itemIn('NEW'), { status: 'COMPLETE', result: 'FAILURE' }))).toBe('INVALID_REQUEST');
    expect(codeOf(update(itemIn('FAILED'), { result: 'SUCCESS' }))).toBe('INVALID_REQUEST');
  });

  test('that completes a failed item clears its error', () => {
    expect(granted(update(itemIn('FAILED'), { status: 'COMPLETE' })).item.error).toBeUndefined();
  });

  test('that defers a failed item takes its error away, but not one that it brings', () => {
    const failed = itemIn('FAILED', { error: 'expired' });
    const defer = (sent: Partial<Update>) =>
      granted(update(failed, { status: 'DEFERRED', ...sent })).item.error;
    expect([defer({}), defer({ error: 'expired' }), defer({ error: 'odd' })]).toEqual([
      undefined,
      undefined,
      'odd',
    ]);
  });

  test('that defers to a time that has passed is refused', () => {
    const sent = { status: 'DEFERRED', deferredUntil: now.toISOString() } as const;
    expect(update(itemIn('NEW'), sent)).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('Leave it out to defer for ever'),
    });
  });

  test('that edits a deferred item leaves it deferred until its time', () => {
    const { item } = granted(update(itemIn('DEFERRED'), { comment: 'x' }));
    expect(item).toMatchObject({ status: 'DEFERRED', notBefore: now, comment: 'x' });
  });

  test('that edits an item in back-off leaves it there', () => {
    const { item } = granted(update(states['waiting for a retry'] as Item, { comment: 'x' }));
    expect(item).toMatchObject({ notBefore: later, retryCount: 1 });
  });

  test('defers for ever without a time', () => {
    const { item } = granted(update(itemIn('DEFERRED'), { status: 'DEFERRED', deferredUntil: null }));
    expect(item.notBefore).toBeUndefined();
  });

  test('sets result text and tags, and takes tags away with an empty list', () => {
    const tagged = itemIn('NEW', { tags: ['a'] });
    expect(granted(update(tagged, { resultText: 'x' })).item).toMatchObject({ tags: ['a'], resultText: 'x' });
    expect(granted(update(tagged, { tags: ['b', 'c'] })).item.tags).toEqual(['b', 'c']);
    expect(granted(update(tagged, { tags: [] })).item.tags).toBeUndefined();
  });
});

describe('the wish to take an item', () => {
  const consumer = { id: 9, capabilities: new Set(['view', 'process', 'report'] as const) };
  const owner = { id: 9, capabilities: new Set(['view', 'repair'] as const) };
  const taking = { queue: { id: 3, status: 'ACTIVE' }, actor: consumer, holder: 'bob', now } as const;
  const take = (
    item: Item,
    sent: Partial<Update> = {},
    more: Partial<Parameters<typeof decideTake>[2]> = {},
  ) => decideTake(item, { version: 5, ...sent }, { ...taking, ...more });

  test.each(Object.entries(states))('that is %s is granted only where a claim would be', (_, item) => {
    const isGranted = mayHappen('claim', item);
    expect(codeOf(take(item))).toBe(isGranted ? undefined : 'STATUS_CONFLICT');
    expect(codeOf(take(item, { version: 4 }))).toBe('VERSION_CONFLICT');
    expect(codeOf(take(item, {}, { queue: { id: 3, status: 'INACTIVE' } }))).toBe('STATUS_CONFLICT');
    expect(codeOf(take(item, {}, { actor: owner }))).toBe(
      item.status === 'IN_PROGRESS' ? 'STATUS_CONFLICT' : 'FORBIDDEN',
    );
  });

  test.each([
    [
      'held by another user',
      itemIn('IN_PROGRESS'),
      /^Item 1 is IN_PROGRESS at version 5: bob holds it until 2026/,
    ],
    [
      'held by the same user',
      itemIn('IN_PROGRESS', { claimedBy: 9 }),
      /your user holds it .* go on with version 5/,
    ],
    ['done', itemIn('COMPLETE'), /is COMPLETE: there is nothing left to do/],
    ['failed', itemIn('FAILED'), /is FAILED.*restartWorkItem/],
    ['in doubt', states['in doubt'] as Item, /IN_DOUBT.*resolveWorkItem/],
    ['past its expiry', itemIn('NEW', { expiresOn: now }), /has expired on 2026-03-01T09:30/],
    [
      'waiting for its retry',
      itemIn('NEW', { notBefore: later }),
      /retry until 2026-03-01T10:30.*releaseWorkItem/,
    ],
    [
      'deferred',
      itemIn('DEFERRED', { notBefore: later }),
      /is DEFERRED until 2026-03-01T10:30.*releaseWorkItem/,
    ],
    ['deferred for ever', states['deferred for ever'] as Item, /is DEFERRED for ever/],
    ['deferred until now', itemIn('DEFERRED'), /waited until 2026-03-01T09:30.*read it again/],
  ])('that is %s is refused with what to do instead', (_, item, sentence) => {
    expect(take(item, { version: 4 })).toBeInstanceOf(Refusal);
    expect(take(item)).toMatchObject({ message: expect.stringMatching(sentence) });
  });

  test('whose result contradicts the status is refused', () => {
    expect(codeOf(take(itemIn('NEW'), { result: 'SUCCESS' }))).toBe('INVALID_REQUEST');
  });
});

describe('the place of an item', () => {
  test('that is released is its old one, and for one in back-off behind those that wait now', () => {
    const deferred = itemIn('DEFERRED', { sortKey: movedBehind(Buffer.alloc(9), earlier) });
    expect(arrivalIn(granted(repair(deferred, 'release')).item.sortKey)).toEqual(earlier);
    const waiting = itemIn('NEW', { notBefore: later, sortKey: movedBehind(Buffer.alloc(9), later) });
    const { item } = granted(repair(waiting, 'release'));
    expect([arrivalIn(item.sortKey), item.notBefore]).toEqual([now, undefined]);
  });

  test('that is restarted is behind those that wait now, with all its retries', () => {
    const { item } = granted(repair(itemIn('FAILED', { retryCount: 3 }), 'restart'));
    expect([arrivalIn(item.sortKey), item.retryCount, item.error]).toEqual([now, 0, undefined]);
  });
});

describe('an item that has expired', () => {
  const expired = states['expired'] as Item;
  const restart = (queue: Parameters<typeof decideUpdate>[2]['queue'], item = expired) =>
    decideRepair(item, 'restart', {}, { queue, now });

  test('gets a new expiry when it is restarted, counted from then', () => {
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'HOURS' };
    expect(granted(restart({ expiry })).item.expiresOn).toEqual(later);
    expect(granted(restart({})).item.expiresOn).toBeUndefined();
  });

  test('is not restarted when it would expire at once', () => {
    const expiry = { type: 'DATE', date: now.toISOString() };
    expect(codeOf(restart({ expiry }))).toBe('STATUS_CONFLICT');
    const inDoubt = { ...(states['in doubt'] as Item), expiresOn: earlier };
    expect(codeOf(decideRepair(inDoubt, 'resolveNotDone', {}, { queue: { expiry }, now }))).toBe(
      'STATUS_CONFLICT',
    );
  });

  test('gets a new expiry when it is deferred, or is not deferred when it would expire at once', () => {
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'HOURS' };
    const defer = (queue: Parameters<typeof decideUpdate>[2]['queue']) =>
      decideRepair(expired, 'defer', {}, { queue, now });
    expect(granted(defer({ expiry })).item).toMatchObject({ status: 'DEFERRED', expiresOn: later });
    expect(codeOf(defer({ expiry: { type: 'DATE', date: now.toISOString() } }))).toBe('STATUS_CONFLICT');
  });

  test('keeps an expiry that is still to come', () => {
    const expiry = { type: 'DURATION', duration: 9, durationUnit: 'DAYS' };
    const item = itemIn('FAILED', { expiresOn: later });
    expect(granted(restart({ expiry }, item)).item.expiresOn).toEqual(later);
  });
});

describe('the answer for an item in doubt', () => {
  const inDoubt = states['in doubt'] as Item;
  const resolve = (answer: 'DONE' | 'NOT_DONE' | 'PARTLY', note?: string) =>
    decideResolve(inDoubt, { version: 5, answer, ...(note && { note }) }, circumstances);

  test('DONE completes it, NOT_DONE has it done again at its place, PARTLY fails it with the note', () => {
    expect(granted(resolve('DONE', 'seen')).item).toMatchObject({ status: 'COMPLETE', comment: 'seen' });
    expect(granted(resolve('NOT_DONE')).item).toMatchObject({ status: 'NEW', sortKey: inDoubt.sortKey });
    expect(granted(resolve('PARTLY', 'pay by hand')).item).toMatchObject({
      status: 'FAILED',
      failureKind: 'BUSINESS',
      comment: 'pay by hand',
    });
  });

  test('PARTLY needs a note, and every answer the current version', () => {
    expect(codeOf(resolve('PARTLY'))).toBe('INVALID_REQUEST');
    const stale = decideResolve(inDoubt, { version: 4, answer: 'DONE' }, circumstances);
    expect(codeOf(stale)).toBe('VERSION_CONFLICT');
  });
});

describe('a request to cancel', () => {
  const request = { actorId: 9, reason: 'sent twice' };

  test.each(Object.entries(states))('of an item that is %s', (_, item) => {
    const verdict = decideCancel(item, request, now);
    if (item.status !== 'IN_PROGRESS') return expect(codeOf(verdict)).toBe('STATUS_CONFLICT');
    if (item.cancelRequestedOn) return expect(verdict).toBe('repeated');
    // The version is the holder's fence, with which it has to report.
    expect(granted(verdict)).toMatchObject({ transition: 'cancel', reason: 'sent twice' });
    expect(granted(verdict).item).toMatchObject({
      version: 5,
      cancelRequestedOn: now,
      cancelRequestedBy: 9,
      cancelReason: 'sent twice',
    });
  });
});

test('progress keeps the lease and raises the version', () => {
  const { item } = decideProgress(itemIn('IN_PROGRESS', { tags: ['a'] }), {
    progress: { percent: 50 },
    comment: 'half',
  });
  expect(item).toMatchObject({ status: 'IN_PROGRESS', version: 6, leaseExpiresOn: now });
  expect(item).toMatchObject({ progress: { percent: 50 }, comment: 'half', tags: ['a'] });
});
