import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { bornSince, inOrder, merged, needsOf, standsStill, worstQueuesFirst } from './rules.ts';

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

const cluster = (more: Partial<Schemas['FailureCluster']>) =>
  ({
    failureKind: 'SYSTEM',
    signature: 'x',
    count: 4,
    isNew: true,
    queues: [],
    ...more,
  }) as Schemas['FailureCluster'];
const nothing = {
  doubts: { total: 0, list: [] },
  stats: [],
  devices: [],
  whys: [],
  levels: [],
  clusters: [],
  idle: [],
  now: 0,
};

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
    ...nothing,
    doubts: {
      total: 3,
      list: [
        doubt(8, '2026-03-02T07:00:00Z'),
        doubt(7, '2026-03-02T08:00:00Z'),
        doubt(7, '2026-03-02T09:00:00Z'),
      ],
    },
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

test('an automation whose run-as users are all disabled needs a person, unless its queue says so', () => {
  const automation = (id: number, queueId: number) => ({ id, queueId }) as Schemas['Automation'];
  const whys = [
    { stats: stats(1), why: why('RUN_AS_USERS_DISABLED') },
    { stats: stats(2), why: why('NO_DEVICE') },
  ];
  const needs = needsOf({ ...nothing, idle: [automation(4, 1), automation(5, 2)], whys });
  expect(needs.map((need) => (need.kind === 'runAs' ? need.automation.id : need.kind))).toEqual([
    'queue',
    'queue',
    5,
  ]);
});

test('a promise that is not kept and a new cause of failures need a person', () => {
  const level = (state: Schemas['LevelState']) => ({ queueId: 1, state }) as Schemas['QueueLevelState'];
  const all = needsOf({
    ...nothing,
    levels: [level('AT_RISK'), level('KEPT'), level('BROKEN')],
    clusters: [
      cluster({}),
      cluster({ isNew: false }),
      cluster({ count: 0 }),
      cluster({ failureKind: 'IN_DOUBT' }),
    ],
    whys: [{ stats: stats(2), why: why('NO_DEVICE') }],
  });
  expect(all.map((need) => (need.kind === 'level' ? need.level.state : need.kind))).toEqual([
    'BROKEN',
    'queue',
    'failures',
    'AT_RISK',
  ]);
});

test('where more is in doubt than is listed, the figures of the queues say how many there are', () => {
  const listed = { queueId: 7, queueName: 'queue 7', id: 1, version: 1, since: '2026-03-02T08:00:00Z' };
  const needs = needsOf({
    ...nothing,
    doubts: { total: 1500, list: [listed as Schemas['ItemInDoubt']] },
    stats: [stats(7, { inDoubt: 1200 }), stats(8, { inDoubt: 300 }), stats(9)],
  });
  expect(needs).toMatchObject([
    { queueId: 8, amount: 300, since: undefined },
    { queueId: 7, amount: 1200, since: '2026-03-02T08:00:00Z' },
  ]);
});

test('causes are new since a time when they were first seen then or later', () => {
  const [old, young] = ['2026-03-02T08:00:00Z', '2026-03-02T09:00:00.000Z'];
  const clusters = [cluster({ firstSeenOn: old }), cluster({ firstSeenOn: young })];
  expect(bornSince(clusters, '2026-03-02T09:00:00Z').map(({ on }) => on)).toEqual([young]);
  expect(bornSince(clusters, undefined)).toEqual([]);
});

test('rows stay in the order that was chosen, and new ones come last', () => {
  const all = [stats(4), stats(1), stats(2), stats(3)];
  expect(idsOf(inOrder(all, [3, 2, 1]))).toEqual([3, 2, 1, 4]);
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
