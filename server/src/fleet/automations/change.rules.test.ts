import type { Schemas } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../engine/errors.ts';
import type { Membership } from '../../access/members/rules.ts';
import { refuseBound } from '../pools/change.ts';
import { poolCapabilitiesOf, type PoolMembership } from '../pools/pools.ts';
import {
  changedAutomation,
  heldBy,
  newAutomation,
  refuseBinding,
  refuseChange,
  refuseSecond,
  refuseUnknownUsers,
  refuseWhileRunning,
} from './change.ts';

const least = { name: 'Post', queueId: 7, poolId: 27, botName: 'post' };
const stored = { ...newAutomation(least), id: 4, version: 2 } as Schemas['Automation'];
const paused = { ...stored, status: 'PAUSED', statusReason: 'ERP', statusBy: 21, statusOn: 'then' } as const;

/** The code of the refusal, if there is one. */
function verdict(decide: () => unknown): string | undefined {
  try {
    decide();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('newAutomation', () => {
  it('fills in what is left out', () => {
    expect(newAutomation(least)).toEqual({
      ...least,
      description: '',
      labels: [],
      priority: 4,
      weight: 1,
      status: 'ACTIVE',
      runAsUserIds: [],
    });
  });

  it('takes labels and run-as users as sets', () => {
    const sent = { ...least, labels: ['b', 'a', 'b'], runAsUserIds: [20, 3, 3] };
    expect(newAutomation(sent)).toMatchObject({ labels: ['a', 'b'], runAsUserIds: [3, 20] });
  });

  it.each([
    [{ name: ' ' }, 'name must not be blank'],
    [{ botName: 'x ' }, 'botName must not begin or end with white space'],
    [{ labels: ['\n'] }, 'labels must not'],
    [{ status: 'PAUSED' as const }, 'statusReason is missing: say why the automation is PAUSED'],
  ])('refuses %j', (members, message) => {
    expect(() => newAutomation({ ...least, ...members })).toThrow(message);
  });
});

describe('changedAutomation', () => {
  it('keeps what is not said', () => {
    expect(changedAutomation(stored, { version: 2, priority: 9 })).toEqual({
      ...newAutomation(least),
      priority: 9,
    });
    expect(changedAutomation(paused, { version: 2, weight: 2 })).toMatchObject({
      statusReason: 'ERP',
      weight: 2,
    });
  });

  it('takes the reason away with the pause', () => {
    expect(changedAutomation(paused, { ...paused, status: 'ACTIVE' })).toEqual(newAutomation(least));
  });

  it('needs a reason to pause and to stop', () => {
    for (const status of ['PAUSED', 'STOPPED'] as const) {
      expect(verdict(() => changedAutomation(stored, { version: 2, status }))).toBe('INVALID_REQUEST');
    }
  });

  it('refuses another queue, a version that has passed and another automation', () => {
    expect(verdict(() => changedAutomation(stored, { version: 2, queueId: 8 }))).toBe('INVALID_REQUEST');
    expect(verdict(() => changedAutomation(stored, { version: 1 }))).toBe('VERSION_CONFLICT');
    expect(verdict(() => changedAutomation(stored, { version: 2, id: 5 }))).toBe('INVALID_REQUEST');
  });
});

describe('heldBy', () => {
  const author = { statusBy: 9, statusOn: 'now' };

  it.each([
    ['nobody when it is ACTIVE', paused, { status: 'ACTIVE' as const }, {}],
    ['who creates it so', undefined, { status: 'STOPPED' as const, statusReason: 'x' }, author],
    ['who changes the status', paused, { status: 'STOPPED' as const, statusReason: 'ERP' }, author],
    ['who changes the reason', paused, { status: 'PAUSED' as const, statusReason: 'SAP' }, author],
    [
      'who did before',
      paused,
      { status: 'PAUSED' as const, statusReason: 'ERP' },
      { statusBy: 21, statusOn: 'then' },
    ],
  ])('is %s', (_, before, after, expected) => {
    expect(heldBy(before, after, author)).toEqual(expected);
  });
});

const queues: [Membership[], { uses: boolean; owns: boolean; sees: boolean }][] = [
  [[], { uses: false, owns: false, sees: false }],
  [['PARTICIPANT'], { uses: false, owns: false, sees: true }],
  [['MEMBER'], { uses: false, owns: false, sees: true }],
  [['CONSUMER'], { uses: true, owns: false, sees: true }],
  [['OWNER'], { uses: true, owns: true, sees: true }],
  [['QUEUE_ADMIN'], { uses: true, owns: true, sees: true }],
];
const pools: [PoolMembership[], { uses: boolean; owns: boolean; sees: boolean }][] = [
  [[], { uses: false, owns: false, sees: false }],
  [['VIEWER'], { uses: false, owns: false, sees: true }],
  [['CONSUMER'], { uses: true, owns: false, sees: true }],
  [['OWNER'], { uses: true, owns: true, sees: true }],
  [['POOL_ADMIN'], { uses: true, owns: true, sees: true }],
];
const cells = queues.flatMap(([queue, inQueue]) =>
  pools.map(([pool, inPool]) => ({ queue, pool, inQueue, inPool })),
);

describe('who may bind and change', () => {
  it.each(cells)('$queue of the queue and $pool of the pool', ({ queue, pool, inQueue, inPool }) => {
    const use = { queue, pool: poolCapabilitiesOf(pool) };
    const seesBoth = inQueue.sees && inPool.sees;
    const usesBoth = inQueue.uses && inPool.uses;
    const binding = verdict(() => refuseBinding(newAutomation(least), use));
    expect(binding).toBe(usesBoth ? undefined : seesBoth ? 'FORBIDDEN' : 'INVALID_REQUEST');
    const mayChange = usesBoth || inQueue.owns || inPool.owns;
    expect(verdict(() => refuseChange(stored, use))).toBe(mayChange ? undefined : 'FORBIDDEN');
  });
});

describe('refusals', () => {
  it('refuseSecond names the automation that is there', () => {
    expect(() => refuseSecond(7, { id: 4, name: 'Post' })).toThrow('ACTIVE automation already: 4, "Post".');
    expect(refuseSecond(7, undefined)).toBeUndefined();
  });

  it('refuseUnknownUsers names each id that is none', () => {
    const automation = newAutomation({ ...least, runAsUserIds: [1, 2, 3] });
    expect(() => refuseUnknownUsers(automation, [2])).toThrow(/no user.* id 1 .*no user.* id 3 /);
    expect(refuseUnknownUsers(automation, [3, 2, 1])).toBeUndefined();
  });

  it('refuseBound names what is bound', () => {
    const two = [
      { id: 4, name: 'Post' },
      { id: 5, name: 'Check' },
    ];
    expect(() => refuseBound(1, two.slice(0, 1))).toThrow(
      'Pool 1 has the automation 4 "Post". Delete it first.',
    );
    expect(() => refuseBound(1, two)).toThrow('has the automations 4 "Post", 5 "Check". Delete them first.');
    expect(refuseBound(1, [])).toBeUndefined();
  });

  it('refuseWhileRunning says how many items run', () => {
    expect(() => refuseWhileRunning(4, 1)).toThrow('1 item runs by automation 4.');
    expect(() => refuseWhileRunning(4, 2)).toThrow('2 items run by automation 4.');
    expect(refuseWhileRunning(4, 0)).toBeUndefined();
  });
});
