import { describe, expect, test } from 'vitest';
import { transitions, type TransitionName } from '@millrace/api';
import { codeOf, earlier, expectConsistent, holder, itemIn, now, states } from '../../testing/items.ts';
import { backOffMs, decideReport, type Report } from './rules.ts';
import { arrivalIn, type Item, type Move } from '../item/rules.ts';

type Queue = Parameters<typeof decideReport>[2]['queue'];
const retrying: Queue = { autoRetryLimit: 1 };
const by = (report: Report, actorId = holder) => ({ actorId, report });
const decide = (item: Item, report: Omit<Report, 'version'>, queue = retrying, chance = 0) =>
  decideReport(item, by({ version: 5, ...report }), { queue, now, chance });
const granted = (...asked: Parameters<typeof decide>) => decide(...asked) as Move;

const reports: Record<string, Omit<Report, 'version'>> = {
  done: { status: 'COMPLETE', output: { score: 1 } },
  'a business failure': { status: 'FAILED', failureKind: 'BUSINESS', error: 'no' },
  'a technical failure': { status: 'FAILED', error: 'no' },
  'put aside': { status: 'DEFERRED', deferredUntil: '2026-04-01T00:00:00Z' },
  'given back': { status: 'NEW', reason: 'drained' },
};

/** The transitions of running items, by the report; for all other items, a report is late. */
const expected: Record<string, Record<string, TransitionName>> = {
  IN_PROGRESS: {
    done: 'finish',
    'a business failure': 'fail',
    'a technical failure': 'retry',
    'put aside': 'park',
    'given back': 'giveBack',
  },
  'past the point of no return': {
    done: 'finish',
    'a business failure': 'fail',
    'a technical failure': 'doubt',
    'put aside': 'park',
    'given back': 'doubt',
  },
  cancelled: {
    done: 'finish',
    'a business failure': 'stop',
    'a technical failure': 'stop',
    'put aside': 'stop',
    'given back': 'stop',
  },
  'cancelled past the point of no return': {
    done: 'finish',
    'a business failure': 'fail',
    'a technical failure': 'doubt',
    'put aside': 'doubt',
    'given back': 'doubt',
  },
};

describe('a report', () => {
  for (const [state, item] of Object.entries(states)) {
    for (const [name, report] of Object.entries(reports)) {
      const transition = expected[state]?.[name];
      test(`of ${name} ${transition ?? 'is late'}, when the item is ${state}`, () => {
        const verdict = decide(item, report);
        if (!transition) return expect(codeOf(verdict)).toBe('LATE_REPORT');
        expect(verdict).toMatchObject({
          transition,
          item: { version: 6, status: transitions[transition].to },
        });
        expectConsistent((verdict as Move).item);
      });
    }
  }

  test('is late with another version, and by somebody else', () => {
    const circumstances = { queue: retrying, now, chance: 0 };
    const [item, status] = [itemIn('IN_PROGRESS'), 'COMPLETE'] as const;
    expect(codeOf(decideReport(item, by({ status, version: 4 }), circumstances))).toBe('LATE_REPORT');
    expect(codeOf(decideReport(item, by({ status, version: 5 }, 8), circumstances))).toBe('LATE_REPORT');
  });

  test('that repeats the last one changes nothing, but only for the one who sent it', () => {
    const last = { reportedBy: holder, reportedVersion: 5, reportedStatus: 'COMPLETE' };
    const reported = itemIn('COMPLETE', { version: 6, ...last });
    const circumstances = { queue: retrying, now, chance: 0 };
    const again = { status: 'COMPLETE', version: 5 } as const;
    expect(decideReport(reported, by(again), circumstances)).toBe('repeated');
    expect(codeOf(decideReport(reported, by(again, 8), circumstances))).toBe('LATE_REPORT');
    const other = by({ ...again, status: 'FAILED' });
    expect(codeOf(decideReport(reported, other, circumstances))).toBe('LATE_REPORT');
  });

  test('whose result contradicts its status is refused', () => {
    expect(codeOf(decide(itemIn('IN_PROGRESS'), { status: 'COMPLETE', result: 'FAILURE' }))).toBe(
      'INVALID_REQUEST',
    );
  });

  test('leaves output, comment, result text and tags on the item, and what it does not mention', () => {
    const before = itemIn('IN_PROGRESS', { comment: 'kept', tags: ['a'], resultText: 'old' });
    const { item } = granted(before, { status: 'COMPLETE', output: { score: 1 }, resultText: 'Booked' });
    expect(item).toMatchObject({ output: { score: 1 }, comment: 'kept', tags: ['a'], resultText: 'Booked' });
    expect(granted(before, { status: 'COMPLETE', tags: [] }).item.tags).toBeUndefined();
  });
});

describe('a technical failure', () => {
  const failure = { status: 'FAILED', error: 'timeout' } as const;

  test('is retried until the limit is reached, then final', () => {
    const verdicts = [0, 1, 2].map((retryCount) =>
      granted(itemIn('IN_PROGRESS', { retryCount }), failure, { autoRetryLimit: 2 }),
    );
    expect(verdicts.map(({ transition }) => transition)).toEqual(['retry', 'retry', 'fail']);
    expect(verdicts[2]?.item).toMatchObject({ failureKind: 'SYSTEM', error: 'timeout' });
  });

  test('puts the item behind those that wait now, when the queue has no back-off', () => {
    const { item, reason } = granted(itemIn('IN_PROGRESS'), failure);
    expect(arrivalIn(item.sortKey)).toEqual(now);
    expect(item).toMatchObject({ retryCount: 1, startedOn: earlier, error: 'timeout' });
    expect([item.notBefore, item.progress, reason]).toEqual([undefined, undefined, 'timeout']);
  });

  test('puts the item behind those that wait when the back-off is over', () => {
    const retryBackOff = { type: 'EXPONENTIAL', seconds: 10, jitterPercent: 50 };
    const waits = [0, 1].map((retryCount) => {
      const queue = { autoRetryLimit: 3, retryBackOff };
      const { item } = granted(itemIn('IN_PROGRESS', { retryCount }), failure, queue, 0.5);
      expect(arrivalIn(item.sortKey)).toEqual(item.notBefore);
      return Number(item.notBefore) - Number(now);
    });
    expect(waits).toEqual([7_500, 15_000]);
  });
});

describe('an item whose attempt does not count', () => {
  test('keeps its retries and its place, and tells why', () => {
    const before = itemIn('IN_PROGRESS', { retryCount: 1 });
    const { item, reason } = granted(before, { status: 'NEW', reason: 'drained' });
    expect(item).toMatchObject({ retryCount: 1, sortKey: before.sortKey });
    expect([item.startedOn, item.error, reason]).toEqual([undefined, undefined, 'drained']);
  });
});

describe('an item that was cancelled', () => {
  test('says by whom and why, and what its holder says', () => {
    const item = { ...(states['cancelled'] as Item), cancelReason: 'sent twice' };
    const { item: after, reason } = granted(item, { status: 'FAILED', error: 'killed' });
    const error = 'Cancelled by alice: sent twice. killed';
    expect(after).toMatchObject({ failureKind: 'BUSINESS', error });
    expect(reason).toBe(error);
    const nameless = { ...item, canceller: undefined, cancelReason: undefined };
    const repeated = granted(item, {
      status: 'FAILED',
      error: 'Cancelled by alice: sent twice, at step 3',
    });
    expect(repeated.item.error).toBe('Cancelled by alice: sent twice, at step 3');
    expect(granted(nameless, { status: 'FAILED' }).item.error).toBe('Cancelled by user 9.');
  });
});

describe('an item in doubt', () => {
  test('keeps the evidence: when, where, how far, and what its holder said', () => {
    const before = states['past the point of no return'] as Item;
    const { item, reason } = granted(before, { status: 'FAILED', error: 'connection reset' });
    expect(item).toMatchObject({ pointOfNoReturnOn: earlier, deviceId: 12, progress: { percent: 40 } });
    expect(item.error).toContain('2026-03-01T09:29:00.000Z on device 12');
    expect(item.error).toContain('connection reset');
    expect(reason).toBe('connection reset');
  });
});

describe('the wait before a retry', () => {
  const waits = (backOff: Parameters<typeof backOffMs>[0], chance = 0) =>
    [0, 1, 2, 9].map((retries) => backOffMs(backOff, retries, chance) / 1000);

  test('is none without a back-off, and always the same with a FIXED one', () => {
    expect(waits(undefined)).toEqual([0, 0, 0, 0]);
    expect(waits({ type: 'FIXED', seconds: 30 })).toEqual([30, 30, 30, 30]);
  });

  test('doubles with an EXPONENTIAL one, up to its longest', () => {
    const backOff = { type: 'EXPONENTIAL', seconds: 30 };
    expect(waits(backOff)).toEqual([30, 60, 120, 15_360]);
    expect(waits({ ...backOff, maxSeconds: 100 })).toEqual([30, 60, 100, 100]);
    expect(waits({ ...backOff, seconds: 3600 })).toEqual([3600, 7200, 14_400, 86_400]);
  });

  test('is shortened by chance, up to the jitter', () => {
    const backOff = { type: 'EXPONENTIAL', seconds: 10, maxSeconds: 40, jitterPercent: 20 };
    expect(waits(backOff, 0)).toEqual([10, 20, 40, 40]);
    expect(waits(backOff, 0.5)).toEqual([9, 18, 36, 36]);
    expect(waits({ type: 'FIXED', seconds: 10, jitterPercent: 100 }, 1)).toEqual([0, 0, 0, 0]);
  });
});
