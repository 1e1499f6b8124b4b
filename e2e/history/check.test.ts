import { expect, test } from 'vitest';
import { check, evidence, promiseNames, type Kept } from './check.ts';
import type { FinalItem, Happening, History, Note } from './record.ts';

type Draft = {
  retryLimit: number;
  logs: Note[][];
  items: FinalItem[];
  timelines: Map<number, Happening[]>;
  counts: Record<string, number>;
  finished: { complete: number; failed: number };
};

const [producer, ada, ben, server] = [4, 5, 6, 0];

const created: Happening = { operation: 'createWorkItems', by: producer, to: 'NEW' };
const claimed = (by: number): Happening => {
  return { operation: 'claimWorkItems', by, from: 'NEW', to: 'IN_PROGRESS' };
};
const finished = (by: number, to: string): Happening => {
  return { operation: 'finishWorkItems', by, from: 'IN_PROGRESS', to };
};
const lapsed: Happening = { operation: 'returnLapsedItems', by: server, from: 'IN_PROGRESS', to: 'NEW' };

/**
 * Item 1 fails for Ada, is tried again and done by Ben. Item 2 begins deferred, lapses in Ada's hands, who is told so
 * when she comes back, and fails on business grounds for Ben. An unanswered create has left item 3, which Ada does.
 */
function honestHistory(): Draft {
  return {
    retryLimit: 1,
    logs: [
      [
        { note: 'creating', keys: ['a', 'b'] },
        { note: 'created', id: 1, key: 'a' },
        { note: 'created', id: 2, key: 'b' },
        { note: 'creating', keys: ['c'] },
        { note: 'creating', keys: ['d'] },
      ],
      [
        { note: 'granted', by: ada, id: 1, version: 1 },
        { note: 'kept', by: ada, id: 1, version: 1 },
        { note: 'reporting', by: ada, id: 1, version: 1, says: 'SYSTEM' },
        { note: 'accepted', by: ada, id: 1, version: 1, says: 'SYSTEM', versionAfter: 2 },
        { note: 'granted', by: ada, id: 2, version: 2 },
        { note: 'reporting', by: ada, id: 2, version: 2, says: 'COMPLETE' },
        { note: 'refused', by: ada, id: 2, version: 2, says: 'COMPLETE', code: 'LATE_REPORT' },
        { note: 'granted', by: ada, id: 3, version: 1 },
        { note: 'reporting', by: ada, id: 3, version: 1, says: 'COMPLETE' },
        { note: 'reporting', by: ada, id: 3, version: 1, says: 'COMPLETE' },
        { note: 'accepted', by: ada, id: 3, version: 1, says: 'COMPLETE', versionAfter: 2 },
      ],
      [
        { note: 'granted', by: ben, id: 1, version: 3 },
        { note: 'reporting', by: ben, id: 1, version: 3, says: 'COMPLETE' },
        { note: 'accepted', by: ben, id: 1, version: 3, says: 'COMPLETE', versionAfter: 4 },
        { note: 'granted', by: ben, id: 2, version: 4 },
        { note: 'reporting', by: ben, id: 2, version: 4, says: 'BUSINESS' },
        { note: 'accepted', by: ben, id: 2, version: 4, says: 'BUSINESS', versionAfter: 5 },
      ],
    ],
    items: [
      { id: 1, key: 'a', status: 'COMPLETE', version: 4, retryCount: 1 },
      { id: 2, key: 'b', status: 'FAILED', version: 5, retryCount: 0 },
      { id: 3, key: 'c', status: 'COMPLETE', version: 2, retryCount: 0 },
    ],
    timelines: new Map([
      [1, [created, claimed(ada), finished(ada, 'NEW'), claimed(ben), finished(ben, 'COMPLETE')]],
      [
        2,
        [
          { ...created, to: 'DEFERRED' },
          { operation: 'promoteDueItems', by: server, from: 'DEFERRED', to: 'NEW' },
          claimed(ada),
          lapsed,
          claimed(ben),
          { operation: 'lateReport', by: ada },
          finished(ben, 'FAILED'),
        ],
      ],
      [3, [created, claimed(ada), finished(ada, 'COMPLETE')]],
    ]),
    counts: { NEW: 0, IN_PROGRESS: 0, COMPLETE: 2, FAILED: 1, DEFERRED: 0 },
    finished: { complete: 2, failed: 1 },
  };
}

test('an honest history is believed', () => {
  expect(check(honestHistory() satisfies History)).toEqual([]);
});

/** What a broken server would leave behind, and the promise that it breaks. */
const lies: [title: string, promise: Kept, lie: (history: Draft) => void][] = [
  ['an acknowledged item that is gone', 'every acknowledged create is kept', (h) => h.items.shift()],
  [
    'an acknowledged item with the data of another',
    'every acknowledged create is kept',
    (h) => change(h, 1, { key: 'd' }),
  ],
  ['two items from one create', 'every create happens once', (h) => change(h, 3, { key: 'b' })],
  ['an item that nobody has sent', 'every create happens once', (h) => change(h, 3, { key: 'x' })],
  [
    'one right in two hands',
    'an item has one live lease at a time',
    (h) => note(h, 1, { note: 'granted', by: ada, id: 2, version: 4 }),
  ],
  [
    'a grant that no event knows',
    'an item has one live lease at a time',
    (h) => note(h, 2, { note: 'granted', by: ben, id: 3, version: 2 }),
  ],
  [
    'a second claim while the first one holds',
    'events explain every item',
    (h) => h.timelines.get(2)?.splice(3, 1),
  ],
  [
    'a version that a client has seen before',
    'fences only rise',
    (h) => note(h, 1, { note: 'granted', by: ada, id: 1, version: 1 }),
  ],
  [
    'a version that goes back after a report',
    'fences only rise',
    (h) => note(h, 2, { note: 'accepted', by: ben, id: 1, version: 3, says: 'COMPLETE', versionAfter: 3 }),
  ],
  ['a change without a version', 'fences only rise', (h) => change(h, 1, { version: 3 })],
  [
    'a report that was accepted from a former holder',
    'only the holder is believed',
    (h) => note(h, 1, { note: 'accepted', by: ada, id: 2, version: 4, says: 'BUSINESS', versionAfter: 5 }),
  ],
  [
    'a heartbeat that kept the lease of another',
    'only the holder is believed',
    (h) => note(h, 1, { note: 'kept', by: ada, id: 1, version: 3 }),
  ],
  [
    'a report of somebody else that changed the item',
    'only the holder is believed',
    (h) => happen(h, 1, 4, finished(ada, 'COMPLETE')),
  ],
  [
    'an accepted report that the item knows nothing of',
    'an accepted report takes effect',
    (h) => happen(h, 1, 2, lapsed),
  ],
  [
    'an accepted report with another effect',
    'an accepted report takes effect',
    (h) => happen(h, 1, 4, finished(ben, 'FAILED')),
  ],
  [
    'a refused report that counted',
    'a refused report changes nothing',
    (h) => happen(h, 2, 3, finished(ada, 'COMPLETE')),
  ],
  ['a done item that lives on', 'what is over stays over', (h) => change(h, 1, { version: 5 })],
  ['a done item that has failed', 'what is over stays over', (h) => change(h, 1, { status: 'FAILED' })],
  ['a retry beyond the limit', 'retries stay within the limit', (h) => (h.retryLimit = 0)],
  ['a retry that was not counted', 'retries stay within the limit', (h) => change(h, 1, { retryCount: 0 })],
  ['a status without an event', 'events explain every item', (h) => change(h, 3, { status: 'FAILED' })],
  ['events without an item', 'events explain every item', (h) => h.items.pop()],
  ['an item without events', 'events explain every item', (h) => h.timelines.delete(3)],
  [
    'an event that starts elsewhere than the last one ended',
    'events explain every item',
    (h) => happen(h, 1, 3, { ...claimed(ben), from: 'DEFERRED' }),
  ],
  [
    'an event of a kind that cannot be',
    'events explain every item',
    (h) => happen(h, 2, 3, { ...lapsed, operation: 'expireItems' }),
  ],
  ['a count that has drifted', 'counts equal reality', (h) => (h.counts['FAILED'] = 0)],
  ['a tally of ends that has drifted', 'counts equal reality', (h) => (h.finished.complete = 3)],
  [
    'an item that nobody brings to an end',
    'everything comes to an end',
    (h) => change(h, 3, { status: 'NEW' }),
  ],
];

test.each(lies)('%s is noticed: %s', (_title, promise, lie) => {
  const history = honestHistory();
  lie(history);
  expect(check(history).map((violation) => violation.promise)).toContain(promise);
});

test('what is known of an item that is wrong is shown', () => {
  const history = honestHistory();
  change(history, 3, { status: 'NEW' });
  const shown = evidence(history, check(history));
  expect(shown).toContain('"granted","by":5,"id":3,"version":1');
  expect(shown).toContain('"finishWorkItems"');
  expect(shown).not.toContain('"id":1');
});

test('no promise is left without a lie', () => {
  expect(new Set(lies.map(([, promise]) => promise))).toEqual(new Set(promiseNames));
});

function change(history: Draft, id: number, members: Partial<FinalItem>): void {
  history.items = history.items.map((item) => (item.id === id ? { ...item, ...members } : item));
}

function happen(history: Draft, id: number, version: number, happening: Happening): void {
  history.timelines.get(id)?.splice(version, 1, happening);
}

function note(history: Draft, client: number, line: Note): void {
  history.logs[client]?.push(line);
}
