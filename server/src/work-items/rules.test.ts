import { describe, expect, test } from 'vitest';
import { mayHappen, statuses, transitions, type Status, type TransitionName } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { expiryOf } from '../queues/rules.ts';
import {
  decideProgress,
  decideRepair,
  decideReport,
  moved,
  tallyOf,
  type Item,
  type Report,
  type Update,
} from './rules.ts';

const now = new Date('2026-03-01T09:30:00Z');
const earlier = new Date('2026-03-01T09:29:00Z');
const holder = 7;

function itemIn(status: Status, members: Partial<Item> = {}): Item {
  const base = {
    id: 1,
    status,
    version: 5,
    priority: 4,
    sortKey: Buffer.alloc(9),
    retryCount: 0,
    claimedBy: holder,
  };
  const byStatus: Record<Status, Partial<Item>> = {
    NEW: {},
    IN_PROGRESS: { leaseExpiresOn: now, startedOn: earlier },
    COMPLETE: { result: 'SUCCESS', startedOn: earlier, endedOn: earlier },
    FAILED: {
      result: 'FAILURE',
      failureKind: 'SYSTEM',
      error: 'broken',
      startedOn: earlier,
      endedOn: earlier,
    },
    DEFERRED: { notBefore: now },
  };
  return { ...base, ...byStatus[status], ...members };
}

function codeOf(verdict: unknown): string | undefined {
  return verdict instanceof Refusal ? verdict.code : undefined;
}

/** What the database checks as well: the columns go with the status. */
function expectConsistent(item: Item): void {
  expect(item.leaseExpiresOn !== undefined, 'lease').toBe(item.status === 'IN_PROGRESS');
  expect(item.result === 'SUCCESS', 'success').toBe(item.status === 'COMPLETE');
  expect(item.result === 'FAILURE', 'failure').toBe(item.status === 'FAILED');
  expect(item.failureKind !== undefined, 'failure kind').toBe(item.status === 'FAILED');
  expect(item.endedOn !== undefined, 'end').toBe(item.status === 'COMPLETE' || item.status === 'FAILED');
}

const reports: Record<string, { report: Omit<Report, 'version'>; transition: TransitionName }> = {
  done: { report: { status: 'COMPLETE', output: { score: 1 } }, transition: 'finish' },
  'a business failure': {
    report: { status: 'FAILED', failureKind: 'BUSINESS', error: 'no' },
    transition: 'fail',
  },
  'a technical failure': { report: { status: 'FAILED', error: 'no' }, transition: 'retry' },
  'put aside': { report: { status: 'DEFERRED', deferredUntil: '2026-04-01T00:00:00Z' }, transition: 'park' },
};

describe('a report', () => {
  for (const status of statuses) {
    for (const [name, { report, transition }] of Object.entries(reports)) {
      const isAllowed = status === 'IN_PROGRESS';
      test(`of ${name} ${isAllowed ? 'moves' : 'is late for'} an item that is ${status}`, () => {
        const verdict = decideReport(
          itemIn(status),
          { report: { ...report, version: 5 }, actorId: holder },
          { autoRetryLimit: 1 },
          now,
        );
        if (!isAllowed) return expect(codeOf(verdict)).toBe('LATE_REPORT');
        expect(verdict).toMatchObject({
          transition,
          item: { version: 6, status: transitions[transition].to },
        });
        expectConsistent((verdict as { item: Item }).item);
      });
    }
  }

  test('is late with another version, and by somebody else', () => {
    const item = itemIn('IN_PROGRESS');
    const done = { status: 'COMPLETE', version: 4 } as const;
    expect(codeOf(decideReport(item, { report: done, actorId: holder }, { autoRetryLimit: 0 }, now))).toBe(
      'LATE_REPORT',
    );
    expect(
      codeOf(decideReport(item, { report: { ...done, version: 5 }, actorId: 8 }, { autoRetryLimit: 0 }, now)),
    ).toBe('LATE_REPORT');
  });

  test('that repeats the last one changes nothing, but only for the one who sent it', () => {
    const last = { reportedBy: holder, reportedVersion: 5, reportedStatus: 'COMPLETE' };
    const reported = itemIn('COMPLETE', { version: 6, ...last });
    const again = { status: 'COMPLETE', version: 5 } as const;
    expect(decideReport(reported, { report: again, actorId: holder }, { autoRetryLimit: 0 }, now)).toBe(
      'repeated',
    );
    expect(codeOf(decideReport(reported, { report: again, actorId: 8 }, { autoRetryLimit: 0 }, now))).toBe(
      'LATE_REPORT',
    );
    expect(
      codeOf(
        decideReport(
          reported,
          { report: { ...again, status: 'FAILED' }, actorId: holder },
          { autoRetryLimit: 0 },
          now,
        ),
      ),
    ).toBe('LATE_REPORT');
  });

  test('of a technical failure is retried until the limit is reached, then final', () => {
    const report = { status: 'FAILED', version: 5, error: 'timeout' } as const;
    for (const [retryCount, transition] of [
      [0, 'retry'],
      [1, 'retry'],
      [2, 'fail'],
    ] as const) {
      const verdict = decideReport(
        itemIn('IN_PROGRESS', { retryCount }),
        { report, actorId: holder },
        { autoRetryLimit: 2 },
        now,
      );
      expect(verdict).toMatchObject({ transition });
    }
  });

  test('of a retried failure puts the item behind those that wait now', () => {
    const report = { status: 'FAILED', version: 5 } as const;
    const item = itemIn('IN_PROGRESS');
    const verdict = decideReport(item, { report, actorId: holder }, { autoRetryLimit: 1 }, now) as {
      item: Item;
    };
    expect(Buffer.compare(verdict.item.sortKey, item.sortKey)).toBe(1);
    expect(verdict.item).toMatchObject({ retryCount: 1, status: 'NEW', startedOn: earlier });
  });

  test('whose result contradicts its status is refused', () => {
    const report = { status: 'COMPLETE', result: 'FAILURE', version: 5 } as const;
    expect(
      codeOf(decideReport(itemIn('IN_PROGRESS'), { report, actorId: holder }, { autoRetryLimit: 0 }, now)),
    ).toBe('INVALID_REQUEST');
  });
});

const repairs: Record<string, { update: Partial<Update>; transition: TransitionName }> = {
  complete: { update: { status: 'COMPLETE' }, transition: 'complete' },
  fail: { update: { status: 'FAILED' }, transition: 'giveUp' },
  defer: { update: { status: 'DEFERRED', deferredUntil: '2026-04-01T00:00:00Z' }, transition: 'defer' },
  edit: { update: { comment: 'checked' }, transition: 'edit' },
};

describe('a repair by a person', () => {
  for (const status of statuses) {
    for (const [name, { update, transition }] of Object.entries(repairs)) {
      const isSame = update.status === status && status !== 'DEFERRED';
      const actual = isSame ? 'edit' : transition;
      test(`to ${name} ${mayHappen(actual, status) ? 'moves' : 'is refused for'} an item that is ${status}`, () => {
        const verdict = decideRepair(itemIn(status), { ...update, version: 5 }, now);
        if (!mayHappen(actual, status)) return expect(codeOf(verdict)).toBe('STATUS_CONFLICT');
        expect(verdict).toMatchObject({ transition: actual, item: { version: 6 } });
        expectConsistent((verdict as { item: Item }).item);
      });
    }

    test(`cannot bring an item that is ${status} into progress`, () => {
      const verdict = decideRepair(itemIn(status), { status: 'IN_PROGRESS', version: 5 }, now);
      expect(codeOf(verdict)).toBe('STATUS_CONFLICT');
    });

    test(`of an item that is ${status} needs the current version, and says so before anything else`, () => {
      expect(codeOf(decideRepair(itemIn(status), { status: 'COMPLETE', version: 4 }, now))).toBe(
        'VERSION_CONFLICT',
      );
    });
  }

  test('that completes a failed item clears its error', () => {
    const verdict = decideRepair(itemIn('FAILED'), { status: 'COMPLETE', version: 5 }, now) as { item: Item };
    expect(verdict.item.error).toBeUndefined();
  });

  test('that edits a deferred item leaves it deferred until its time', () => {
    const verdict = decideRepair(itemIn('DEFERRED'), { comment: 'x', version: 5 }, now) as { item: Item };
    expect(verdict.item).toMatchObject({ status: 'DEFERRED', notBefore: now, comment: 'x' });
  });
});

describe('Millrace itself', () => {
  for (const [name, status] of [
    ['lapse', 'IN_PROGRESS'],
    ['due', 'DEFERRED'],
  ] as const) {
    test(`brings an item back by ${name}, with its retries and its place untouched`, () => {
      const before = itemIn(status, { retryCount: 1 });
      const after = moved(before, name, now);
      expectConsistent(after);
      expect(after).toMatchObject({ status: 'NEW', version: 6, retryCount: 1, sortKey: before.sortKey });
    });
  }

  test('counts the expiry of an item from its creation, or takes the date of the queue', () => {
    expect(expiryOf({ expiry: { type: 'DURATION', duration: 2, durationUnit: 'HOURS' } }, now)).toEqual(
      new Date('2026-03-01T11:30:00Z'),
    );
    expect(expiryOf({ expiry: { type: 'DATE', date: '2026-03-05T00:00:00Z' } }, now)).toEqual(
      new Date('2026-03-05T00:00:00Z'),
    );
    expect(expiryOf({}, now)).toBeUndefined();
  });
});

test('progress keeps the lease and raises the version', () => {
  const { item } = decideProgress(itemIn('IN_PROGRESS'), {
    version: 5,
    progress: { percent: 50 },
    comment: 'half',
  });
  expect(item).toMatchObject({
    status: 'IN_PROGRESS',
    version: 6,
    leaseExpiresOn: now,
    progress: { percent: 50 },
    comment: 'half',
  });
});

test('a tally counts moves between statuses, and the handling time of what was finished', () => {
  const running = itemIn('IN_PROGRESS');
  const tally = tallyOf([
    { after: itemIn('NEW') },
    { before: running, after: itemIn('COMPLETE', { endedOn: now }) },
    { before: running, after: itemIn('NEW') },
    { before: itemIn('FAILED') },
  ]);
  expect(tally).toEqual({
    counts: { NEW: 2, IN_PROGRESS: -2, COMPLETE: 1, FAILED: -1, DEFERRED: 0 },
    finishedComplete: 1,
    finishedFailed: 0,
    handlingMilliseconds: 60_000,
  });
});
