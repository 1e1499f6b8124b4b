import { expect, test } from 'vitest';
import { check, promiseNames, report, type Kept } from './check.ts';
import {
  append,
  change,
  drop,
  events,
  forget,
  item,
  limit,
  note,
  replace,
  runAs,
  slots,
  wanted,
  type Draft,
} from './draft.ts';
import {
  alma,
  cancelled,
  cid,
  claimed,
  cora,
  deleted,
  device,
  unresolved,
  first,
  given,
  honestHistory,
  expired,
  olga,
  retried,
  returned,
  sap1,
  sap2,
  second,
  stan,
} from './honest.ts';
import type { FinalItem } from './record.ts';

test('an honest history is believed', () => {
  expect(check(honestHistory())).toEqual([]);
});

type Lie = [title: string, promise: Kept, lie: (history: Draft) => unknown];

const whole = 'a file is there as a whole or not at all';

/** The traces of a broken server, and the promise that it breaks. */
const lies: Lie[] = [
  ['an acknowledged item that is gone', 'every acknowledged create is kept', (h) => h.items.shift()],
  [
    'an acknowledged item with the data of another',
    'every acknowledged create is kept',
    (h) => item(h, retried, { key: 'd' }),
  ],
  ['two items from one create', 'every create happens once', (h) => item(h, returned, { key: 'b' })],
  ['an item that nobody has sent', 'every create happens once', (h) => item(h, returned, { key: 'x' })],
  ['a file that lacks a row', whole, (h) => (h.items = h.items.filter(({ key }) => key !== 'd'))],
  ['a file that is gone', whole, (h) => (h.items = h.items.filter(({ key }) => !'cd'.includes(key)))],
  [
    'one right in two hands',
    'an item has one live lease at a time',
    (h) => note(h, { note: 'granted', by: cid, id: expired, version: 4 }),
  ],
  [
    'a grant that no event knows',
    'an item has one live lease at a time',
    (h) => note(h, { note: 'granted', by: cora, id: retried, version: 2 }),
  ],
  [
    'a grant to a device that the record has for another one',
    'an item has one live lease at a time',
    (h) => change(h, cancelled, 1, { device: 10 }),
  ],
  [
    'a second grant while the first one holds',
    'events explain every item',
    (h) => drop(h, ({ operation }) => operation === 'returnLapsedItems'),
  ],
  [
    'a lease that ended before its time',
    'a lease is good until it has run out',
    (h) => change(h, expired, 3, { at: 11_000 }),
  ],
  [
    'a version that somebody has seen before',
    'fences only rise',
    (h) => h.logs[1]?.push({ note: 'granted', by: cid, id: expired, version: 1 }),
  ],
  [
    'a version that goes back after a report',
    'fences only rise',
    (h) =>
      note(h, { note: 'accepted', by: cora, id: retried, version: 3, says: 'COMPLETE', versionAfter: 3 }),
  ],
  ['a change without a version', 'fences only rise', (h) => item(h, retried, { version: 3 })],
  [
    'a report that was accepted from a former holder',
    'only the holder is believed',
    (h) => note(h, { note: 'accepted', by: cid, id: expired, version: 4, says: 'BUSINESS', versionAfter: 5 }),
  ],
  [
    'a heartbeat that kept the lease of another',
    'only the holder is believed',
    (h) => note(h, { note: 'kept', by: cid, id: expired, version: 4 }),
  ],
  [
    'a report of somebody else that changed the item',
    'only the holder is believed',
    (h) => change(h, retried, 4, { by: cid }),
  ],
  [
    'an accepted report that the item knows nothing of',
    'an accepted report takes effect',
    (h) => change(h, retried, 2, { operation: 'returnLapsedItems', by: 0 }),
  ],
  [
    'an accepted report with another effect',
    'an accepted report takes effect',
    (h) => change(h, retried, 4, { to: 'FAILED' }),
  ],
  [
    'a cancelled item that was deferred as its holder said',
    'an accepted report takes effect',
    (h) => change(h, cancelled, 2, { to: 'DEFERRED' }),
  ],
  [
    'a refused report that counted',
    'a refused report changes nothing',
    (h) => change(h, expired, 3, { operation: 'finishWorkItems', by: cid, to: 'COMPLETE' }),
  ],
  [
    'a late report that changed the item',
    'a refused report changes nothing',
    (h) => events(h, ({ operation }) => operation === 'lateReport', { from: 'IN_PROGRESS', to: 'COMPLETE' }),
  ],
  [
    'a late report without evidence',
    'a late report is kept as evidence',
    (h) => drop(h, ({ operation }) => operation === 'lateReport'),
  ],
  [
    'evidence of another report than the late one',
    'a late report is kept as evidence',
    (h) => events(h, ({ operation }) => operation === 'lateReport', { changes: { version: 1 } }),
  ],
  ['a done item that lives on', 'what is over stays over', (h) => item(h, retried, { version: 5 })],
  ['a done item that has failed', 'what is over stays over', (h) => item(h, retried, { status: 'FAILED' })],
  [
    'a done item that is done once more',
    'what is over stays over',
    (h) =>
      append(h, {
        operation: 'finishWorkItems',
        itemId: retried,
        by: cora,
        from: 'COMPLETE',
        to: 'COMPLETE',
      }),
  ],
  [
    'a failed item that comes back by itself',
    'what is over stays over',
    (h) => append(h, { operation: 'returnLapsedItems', itemId: expired, by: 0, from: 'FAILED', to: 'NEW' }),
  ],
  ['a retry beyond the limit', 'retries stay within the limit', (h) => limit(h, { retryLimit: 0 })],
  [
    'an item that is given up too early',
    'retries stay within the limit',
    (h) => change(h, expired, 5, { changes: { transition: 'fail', failureKind: 'SYSTEM' } }),
  ],
  [
    'a failure that was not counted',
    'only failures of the item count',
    (h) => item(h, retried, { retryCount: 0 }),
  ],
  [
    'a lease expiry that was counted',
    'only failures of the item count',
    (h) => item(h, expired, { retryCount: 1 }),
  ],
  [
    'an item given back that counts as failed',
    'only failures of the item count',
    (h) => change(h, returned, 2, { changes: { transition: 'retry' } }),
  ],
  ['a lease expiry too many', 'lease expiries stay within the limit', (h) => limit(h, { lapseLimit: 1 })],
  [
    'a failure after too few lease expiries',
    'lease expiries stay within the limit',
    (h) => change(h, expired, 3, { to: 'FAILED', changes: { transition: 'exhaust' } }),
  ],
  [
    'a lease expiry past the point of no return that makes the item new',
    'what cannot be undone is not done again',
    (h) =>
      change(h, unresolved, 2, {
        operation: 'returnLapsedItems',
        by: 0,
        to: 'NEW',
        changes: { transition: 'lapse' },
      }),
  ],
  [
    'a failure past the point of no return that is tried again',
    'what cannot be undone is not done again',
    (h) => change(h, unresolved, 2, { to: 'NEW', changes: { transition: 'retry' } }),
  ],
  [
    'an unresolved outcome that nobody has answered',
    'what cannot be undone is not done again',
    (h) => forget(h, ({ note: kind }) => kind === 'answering'),
  ],
  [
    'an unresolved outcome that was answered with DONE and comes back',
    'what cannot be undone is not done again',
    (h) => {
      forget(h, ({ note: kind }) => kind === 'answering');
      note(h, { note: 'answering', id: unresolved, version: 2, answer: 'DONE' });
    },
  ],
  [
    'an unresolved outcome that ends by a restart',
    'what cannot be undone is not done again',
    (h) => change(h, unresolved, 3, { operation: 'updateWorkItemStatus' }),
  ],
  [
    'a point of no return that no event knows',
    'the point of no return is on record',
    (h) => drop(h, ({ operation }) => operation === 'heartbeatWorkItems'),
  ],
  [
    'a cancelled item that is tried again',
    'a cancelled item is not tried again',
    (h) => change(h, cancelled, 2, { to: 'NEW' }),
  ],
  [
    'a cancelled item that passes the point of no return',
    'a cancelled item is not tried again',
    (h) => events(h, ({ operation }) => operation === 'heartbeatWorkItems', { itemId: cancelled, id: 21.5 }),
  ],
  ['a device beyond its slots', 'a device runs no more than its slots', (h) => slots(h, 1)],
  [
    'a run-as user in two items',
    'a run-as user is in one item at a time',
    (h) =>
      replace(h, (one) => (one.note === 'granted' && one.id === cancelled ? { ...one, runAs: sap1 } : one)),
  ],
  [
    'more items than run-as users, whoever they are',
    'a run-as user is in one item at a time',
    (h) => runAs(h, [sap1]),
  ],
  [
    'a user that the automation has not',
    'a device works as a user of the automation',
    (h) => runAs(h, [sap2]),
  ],
  [
    'work without a run-as user',
    'a device works as a user of the automation',
    (h) => replace(h, (one) => (one.note === 'granted' ? ({ ...one, runAs: undefined } as never) : one)),
  ],
  ['a device without the label', 'a device gets only what it suits', (h) => wanted(h, { labels: ['spain'] })],
  ['a device of another pool', 'a device gets only what it suits', (h) => wanted(h, { deviceIds: [10] })],
  [
    'a grant to a held device',
    'what is held grants nothing',
    (h) => note(h, { note: 'held', target: `device ${device}`, at: 17_500 }),
  ],
  [
    'an item of a held queue that a consumer took by its id',
    'what is held grants nothing',
    (h) =>
      note(
        h,
        { note: 'held', target: `queue ${claimed}`, at: 12_500 },
        { note: 'releasing', target: `queue ${claimed}`, at: 13_500 },
      ),
  ],
  [
    'an item that was taken by its id from a status that cannot be taken',
    'events explain every item',
    (h) => events(h, ({ operation }) => operation === 'updateWorkItem', { from: 'DEFERRED' }),
  ],
  [
    'a grant from a held queue',
    'what is held grants nothing',
    (h) => note(h, { note: 'held', target: `queue ${claimed}`, at: 7500 }),
  ],
  [
    'a grant while all automations of the queue are held',
    'what is held grants nothing',
    (h) => note(h, { note: 'held', target: `automation ${first}`, at: 17_500 }),
  ],
  [
    'two active automations',
    'a queue has one active automation',
    (h) => note(h, { note: 'released', target: `automation ${second}`, at: 10_000 }),
  ],
  [
    'a change that a person was told of and that did not happen',
    'people are told what they changed',
    (h) =>
      note(
        h,
        { note: 'doing', by: alma, action: 'FAIL' },
        { note: 'done', by: alma, action: 'FAIL', changed: 1 },
      ),
  ],
  [
    'a change that nobody was told of',
    'people are told what they changed',
    (h) => change(h, unresolved, 3, { operation: 'updateWorkItemStatus' }),
  ],
  [
    'an answer to somebody who has no right to it',
    'nobody does what they may not',
    (h) => note(h, { note: 'let', by: stan, operation: 'claimWorkItems' }),
  ],
  ['a claim by a stranger', 'nobody does what they may not', (h) => change(h, retried, 3, { by: stan })],
  [
    'a log-in that the feed lacks',
    'the feed is complete and in order',
    (h) => (h.feed = h.feed.filter(({ operation }) => operation !== 'logIn')),
  ],
  ['an event that the feed lacks', 'the feed is complete and in order', (h) => h.feed.splice(9, 1)],
  [
    'an event that is told twice',
    'the feed is complete and in order',
    (h) => h.feed.splice(9, 0, ...h.feed.slice(9, 10)),
  ],
  ['a feed that goes back', 'the feed is complete and in order', (h) => (h.feed = h.feed.toReversed())],
  [
    'an event that did not happen',
    'the feed is complete and in order',
    (h) => drop(h, ({ operation }) => operation === 'createQueue'),
  ],
  [
    'an event that is told otherwise',
    'the feed is complete and in order',
    (h) => (h.feed = h.feed.map((one) => ({ ...one, by: olga }))),
  ],
  [
    'a grant that is told before the creation',
    'feed and timelines tell the same',
    (h) => h.feed.splice(1, 0, ...h.feed.splice(7, 1)),
  ],
  ['a timeline without an event', 'feed and timelines tell the same', (h) => h.timelines.get(retried)?.pop()],
  [
    'a status without an event',
    'events explain every item',
    (h) => item(h, unresolved, { status: 'FAILED' }),
  ],
  ['events without an item', 'events explain every item', (h) => h.items.pop()],
  [
    'a deleted item that is there',
    'events explain every item',
    (h) => h.items.push({ ...(h.items[0] as FinalItem), id: deleted }),
  ],
  [
    'an item without events',
    'events explain every item',
    (h) => drop(h, ({ itemId }) => itemId === returned),
  ],
  [
    'an event that starts elsewhere than the last one ended',
    'events explain every item',
    (h) => change(h, retried, 3, { from: 'DEFERRED' }),
  ],
  [
    'an event of a kind that cannot be',
    'events explain every item',
    (h) => change(h, expired, 3, { operation: 'expireItems' }),
  ],
  ['a count that has drifted', 'counts equal reality', (h) => h.counts.set(given, { COMPLETE: 3 })],
  ['an item that nobody ends', 'everything comes to an end', (h) => item(h, returned, { status: 'NEW' })],
  ['a slot that is never free again', 'everything comes to an end', (h) => h.busySlots.set(device, 1)],
];

test.each(lies)('%s is noticed: %s', (_title, promise, lie) => {
  const history = honestHistory();
  lie(history);
  expect(check(history).map((violation) => violation.promise)).toContain(promise);
});

test('no promise is left without a lie', () => {
  expect(new Set(lies.map(([, promise]) => promise))).toEqual(new Set(promiseNames));
});

test('what is known of an item that is wrong is shown', () => {
  const history = honestHistory();
  item(history, unresolved, { status: 'NEW' });
  const shown = report(history);
  expect(shown).toContain(`Broken: everything comes to an end. item ${unresolved} is left NEW`);
  expect(shown).toContain('"granted","by":6,"id":103,"version":4');
  expect(shown).toContain('"resolveWorkItem"');
  expect(shown).not.toContain(`"id":${retried}`);
});
