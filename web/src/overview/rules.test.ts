import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { merged, needsOf, remedyOf, standsStill, worstQueuesFirst } from './rules.ts';

const stats = (queueId: number, more: Partial<Schemas['QueueStats']> = {}): Schemas['QueueStats'] => ({
  queueId,
  queueName: `queue ${queueId}`,
  counts: { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 },
  inDoubt: 0,
  inBackOff: 0,
  recent: { minutes: 15, complete: 0, failed: 0, throughputPerMinute: 0 },
  ...more,
});
const waiting = (NEW: number) => ({ NEW, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 });
const idsOf = (list: readonly Schemas['QueueStats'][]) => list.map(({ queueId }) => queueId);

const device = (id: number, more: Partial<Schemas['Device']> = {}) =>
  ({
    id,
    hostName: `host-${id}`,
    nickname: '',
    state: 'ACTIVE',
    status: 'CONNECTED',
    busySlots: 0,
    ...more,
  }) as Schemas['Device'];
const why = (code: Schemas['Explanation']['code']): Schemas['Explanation'] => ({
  code,
  sentence: code,
  reasons: [],
});

test('figures that are newer take the places of those that are known, and new queues come last', () => {
  const [one, two] = [stats(1), stats(2)];
  const newer = stats(2, { inDoubt: 3 });
  expect(merged([one, two], [newer, stats(3)])).toEqual([one, newer, stats(3)]);
});

test('a queue stands still when items could start and none runs', () => {
  expect(standsStill(stats(1, { counts: waiting(2) }))).toBe(true);
  expect(standsStill(stats(1, { counts: waiting(2), inBackOff: 2 }))).toBe(false);
  expect(standsStill(stats(1, { counts: { ...waiting(2), IN_PROGRESS: 1 } }))).toBe(false);
  expect(standsStill(stats(1))).toBe(false);
});

test('what needs a person comes by urgency, and of the same kind by age', () => {
  const doubt = (queueId: number, since: string) =>
    ({ queueId, queueName: `queue ${queueId}`, id: 1, version: 1, since }) as Schemas['ItemInDoubt'];
  const needs = needsOf({
    doubts: [
      doubt(7, '2026-03-02T08:00:00Z'),
      doubt(7, '2026-03-02T09:00:00Z'),
      doubt(8, '2026-03-02T07:00:00Z'),
    ],
    devices: [
      device(1, { state: 'QUARANTINED' }),
      device(2, { status: 'DISCONNECTED' }),
      device(3, { status: 'DISCONNECTED', busySlots: 2 }),
      device(4),
      device(5, { state: 'DRAINING' }),
    ],
    whys: [
      { stats: stats(1), why: why('WORKING') },
      { stats: stats(2), why: why('NO_DEVICE') },
    ],
    now: 0,
  });
  expect(needs.map(({ kind }) => kind)).toEqual([
    'doubts',
    'doubts',
    'lostWithItems',
    'queue',
    'quarantined',
    'lost',
  ]);
  expect(needs[0]).toMatchObject({ queueId: 8, amount: 1 });
  expect(needs[1]).toMatchObject({ queueId: 7, amount: 2, since: '2026-03-02T08:00:00Z' });
});

test('a reason leads to the page of its remedy', () => {
  expect(remedyOf('NO_AUTOMATION')).toBe('automation');
  expect(remedyOf('AUTOMATION_PAUSED')).toBe('automation');
  expect(remedyOf('NO_DEVICE_CONNECTED')).toBe('device');
  expect(remedyOf('QUEUE_PAUSED')).toBe('queue');
});

test('the worst queue comes first', () => {
  const failed = { minutes: 15, complete: 0, failed: 1, throughputPerMinute: 0 };
  const all = [
    stats(1),
    stats(2, { counts: waiting(9) }),
    stats(3, { recent: failed }),
    stats(4, { inDoubt: 1 }),
    stats(5),
  ];
  expect(idsOf(worstQueuesFirst(all, new Set([5])))).toEqual([5, 4, 3, 2, 1]);
});
