import { describe, expect, it } from 'vitest';
import type { ItemFacts } from './facts.ts';
import { codes, later, now, ofItem, queue, sentence } from './facts.fixture.ts';

const running = {
  status: 'IN_PROGRESS',
  startedOn: now,
  leaseExpiresOn: later(60),
  deviceName: 'bot-pc-1',
} as const;
const unresolved = { status: 'FAILED', failureKind: 'IN_DOUBT', pointOfNoReturnOn: now } as const;

describe('why an item is as it is that does not wait', () => {
  const cases: [code: string, facts: Partial<ItemFacts>, sentence: string][] = [
    [
      'RUNNING',
      running,
      'It is being processed on bot-pc-1 since 2026-03-02T08:20:00Z. Unless its holder gives a sign of life by 2026-03-02T08:21:00Z, it is taken back.',
    ],
    [
      'RUNNING',
      { ...running, lapseCount: 4, lapseLimit: 5 },
      'It is being processed on bot-pc-1 since 2026-03-02T08:20:00Z. Unless its holder gives a sign of life by 2026-03-02T08:21:00Z, it becomes FAILED: too many holders in a row fell silent.',
    ],
    [
      'RUNNING',
      { ...running, cancelRequestedOn: later(5) },
      'It is being processed on bot-pc-1 since 2026-03-02T08:20:00Z. It was asked to stop at 2026-03-02T08:20:05Z. Unless its holder gives a sign of life by 2026-03-02T08:21:00Z, it becomes FAILED.',
    ],
    [
      'RUNNING',
      { ...running, deviceName: undefined, holderName: 'runner', pointOfNoReturnOn: later(5) },
      'It is being processed by runner since 2026-03-02T08:20:00Z. It passed the point of no return at 2026-03-02T08:20:05Z. Unless its holder gives a sign of life by 2026-03-02T08:21:00Z, it is in doubt (FAILED, IN_DOUBT).',
    ],
    [
      'RUNNING',
      { ...running, pointOfNoReturnOn: now, cancelRequestedOn: later(5), lapseCount: 4 },
      'It is being processed on bot-pc-1 since 2026-03-02T08:20:00Z. It passed the point of no return at 2026-03-02T08:20:00Z. It was asked to stop at 2026-03-02T08:20:05Z. Unless its holder gives a sign of life by 2026-03-02T08:21:00Z, it is in doubt (FAILED, IN_DOUBT).',
    ],
    [
      'DONE',
      { status: 'COMPLETE', endedOn: now, changedByName: 'runner' },
      'It is done since 2026-03-02T08:20:00Z by runner.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'BUSINESS', error: 'The vendor is blocked.\nat line 5' },
      'It failed on business grounds: The vendor is blocked. It is not tried again. Correct it and restart it, or leave it.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'SYSTEM', retryCount: 2, error: 'time-out' },
      'It failed on technical grounds after 3 tries: time-out. No retry is left. Restart it when the cause is mended.',
    ],
    [
      'FAILED',
      {
        status: 'FAILED',
        failureKind: 'SYSTEM',
        lapseCount: 5,
        error: 'The lease ran out 5 times in a row.',
      },
      'It failed on technical grounds: The lease ran out 5 times in a row. No other device gets it. Restart it when the cause is mended.',
    ],
    [
      'FAILED',
      { status: 'FAILED', failureKind: 'DATA_ERROR' },
      'It failed because of its data. It is not tried again. Correct it and restart it, or leave it.',
    ],
    [
      'EXPIRED',
      { status: 'FAILED', failureKind: 'EXPIRED', error: 'expired on 2026-03-01' },
      'Nobody took it in time: expired on 2026-03-01. Restart it if it is still wanted.',
    ],
    [
      'IN_DOUBT',
      {
        ...unresolved,
        deviceName: 'bot-pc-1',
        changeReason: 'no sign of life until 2026-03-02T08:25:00.000Z',
      },
      'The device bot-pc-1 passed the point of no return at 2026-03-02T08:20:00Z and did not report success: no sign of life until 2026-03-02T08:25:00.000Z. The work may have been done: find out, and answer with done, not done or partly.',
    ],
    [
      'IN_DOUBT',
      { ...unresolved, changeReason: 'quarantined: wrong version' },
      'Its holder passed the point of no return at 2026-03-02T08:20:00Z and did not report success: quarantined: wrong version. The work may have been done: find out, and answer with done, not done or partly.',
    ],
    [
      'IN_DOUBT',
      unresolved,
      'Its holder passed the point of no return at 2026-03-02T08:20:00Z and did not report success. The work may have been done: find out, and answer with done, not done or partly.',
    ],
    [
      'DEFERRED',
      { status: 'DEFERRED', notBefore: later(3600), changedByName: 'anna', changeReason: 'asks the vendor' },
      'It was put aside until 2026-03-02T09:20:00Z by anna: asks the vendor. Then it waits like the others.',
    ],
    ['DEFERRED', { status: 'DEFERRED' }, 'It was put aside without an end. Release it to go on.'],
  ];
  for (const [code, facts, expected] of cases) {
    it(`${code}: ${expected}`, () => {
      const explained = ofItem(facts);
      expect(codes(explained)).toEqual([code]);
      expect(sentence(explained)).toBe(expected);
    });
  }

  it('adds that the queue is archived where a person would have to do something', () => {
    const archived = { ...queue, status: 'INACTIVE' as const, archivedOn: now };
    expect(codes(ofItem(unresolved, archived))).toEqual(['IN_DOUBT', 'QUEUE_ARCHIVED']);
    expect(codes(ofItem({ status: 'FAILED', failureKind: 'SYSTEM' }, archived))).toEqual([
      'FAILED',
      'QUEUE_ARCHIVED',
    ]);
    expect(codes(ofItem({ status: 'COMPLETE' }, archived))).toEqual(['DONE']);
  });
});
