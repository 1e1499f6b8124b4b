import type { Schemas } from '@millrace/api';
import { deviceName } from '../page/device-name.ts';
import { expect, test } from 'vitest';
import { conditionOf, fatesOf, groupsOf, hasText, outcomesOn, worstFirst } from './rules.ts';

const device = (id: number, more: Partial<Schemas['Device']> = {}) =>
  ({
    id,
    hostName: `host-${id}`,
    nickname: '',
    state: 'ACTIVE',
    status: 'CONNECTED',
    slots: 2,
    busySlots: 0,
    labels: ['sap'],
    bots: ['post'],
    poolIds: [],
    ...more,
  }) as unknown as Schemas['Device'];

const lost = { status: 'DISCONNECTED' } as const;

test('what takes a device out of use counts before whether it is connected, and devices that need somebody come first', () => {
  const all = [
    device(1),
    device(2, { busySlots: 2 }),
    device(3, { state: 'DRAINING' }),
    device(4, { ...lost, state: 'QUARANTINED' }),
    device(5, { ...lost, state: 'DRAINING' }),
  ];
  expect(all.map(conditionOf)).toEqual(['free', 'busy', 'draining', 'quarantined', 'lost']);
  expect(worstFirst(all.toReversed()).map(({ id }) => id)).toEqual([5, 4, 3, 1, 2]);
});

test('devices stay where they are while they take work and finish it', () => {
  const named = ['Beta', 'alpha', 'Gamma'].map((nickname, id) => device(id, { nickname }));
  const names = (devices: typeof named) => worstFirst(devices).map(({ nickname }) => nickname);
  expect(names(named)).toEqual(['alpha', 'Beta', 'Gamma']);
  expect(names(named.map((one, index) => ({ ...one, busySlots: index })))).toEqual(names(named));
});

test('the items of a device are counted by what becomes of them', () => {
  const running = (['NEW', 'NEW', 'IN_DOUBT', 'FAILED'] as const).map(
    (ifTakenBack) => ({ ifTakenBack }) as Schemas['RunningItem'],
  );
  expect(fatesOf(running)).toEqual({ back: 2, inDoubt: 1, failed: 1 });
});

test('a device is found by its names, labels, bots and condition', () => {
  const named = device(1, { nickname: 'Runner' });
  for (const text of ['run', 'HOST', 'sap', 'post', 'free']) expect(hasText(named, text), text).toBe(true);
  expect(hasText(named, 'quarantined')).toBe(false);
  expect([deviceName(named), deviceName(device(2))]).toEqual(['Runner', 'host-2']);
});

test('each device stands in the first of its pools that one sees, and others together', () => {
  const pools = [
    { id: 8, name: 'Office' },
    { id: 9, name: 'Night' },
  ] as Schemas['Pool'][];
  const all = [device(1, { poolIds: [8, 9] }), device(2, { poolIds: [7] }), device(3, { poolIds: [8] })];
  const groups = groupsOf(all, pools, 'none').map(({ name, devices }) => [name, devices.map(({ id }) => id)]);
  expect(groups).toEqual([
    ['Office', [1, 3]],
    ['none', [2]],
  ]);
});

/** The event of an end of an attempt; a completion does not name its transition. */
function ended(deviceId: number | undefined, to: string, transition?: string): Schemas['Event'] {
  const changes = transition !== undefined && { changes: { transition } };
  const on = deviceId !== undefined && { deviceId };
  return { from: 'IN_PROGRESS', to, ...on, ...changes } as Schemas['Event'];
}

test('attempts that were tried again or fell silent have failed, and what consumers did on no device does not count', () => {
  const events = [
    ended(1, 'COMPLETE'),
    ended(1, 'NEW', 'retry'),
    ended(1, 'NEW', 'lapse'),
    ended(1, 'FAILED', 'exhaust'),
    ended(1, 'FAILED', 'fail'),
    ended(1, 'FAILED', 'doubt'),
    ended(2, 'COMPLETE'),
    ended(undefined, 'FAILED', 'fail'),
    { ...ended(2, 'DEFERRED', 'defer'), from: 'NEW' } as Schemas['Event'],
  ];
  expect(outcomesOn('1', events)).toEqual({ own: { all: 6, failed: 5 }, others: { all: 1, failed: 0 } });
});

test('attempts that were put aside or given back untried have not failed: they do not count', () => {
  const events = [
    ended(1, 'DEFERRED', 'park'),
    ended(1, 'NEW', 'giveBack'),
    ended(2, 'DEFERRED', 'park'),
    ended(2, 'NEW', 'retry'),
  ];
  expect(outcomesOn('1', events)).toEqual({ own: { all: 0, failed: 0 }, others: { all: 1, failed: 1 } });
});
