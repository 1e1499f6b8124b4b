import { describe, expect, it } from 'vitest';
import { changedPool, movedDevices, newPool, refuseUnknown } from './change.ts';
import { poolCapabilitiesOf, type PoolMembership } from './pools.ts';

const stored = { ...newPool({ name: 'Finance', deviceIds: [3, 4] }, 21), id: 27, version: 5 } as never;

describe('poolCapabilitiesOf', () => {
  it.each<[PoolMembership[], string[]]>([
    [[], []],
    [['VIEWER'], ['view']],
    [['CONSUMER'], ['use', 'view']],
    [['OWNER'], ['edit', 'use', 'view']],
    [['POOL_ADMIN'], ['edit', 'use', 'view']],
    [
      ['VIEWER', 'CONSUMER'],
      ['use', 'view'],
    ],
  ])('%j may %j', (memberships, expected) => {
    expect([...poolCapabilitiesOf(memberships)].toSorted()).toEqual(expected);
  });
});

describe('newPool', () => {
  it('fills in what is left out, with the creator as owner', () => {
    expect(newPool({ name: 'Finance' }, 21)).toEqual({
      name: 'Finance',
      description: '',
      scheme: 'FAIR',
      timeSliceSeconds: 300,
      deviceIds: [],
      ownerIds: [21],
      consumerRoleIds: [],
    });
  });

  it('takes lists as sets, of ids of any size', () => {
    const big = 2n ** 62n;
    expect(newPool({ name: 'x', deviceIds: [big, 3, 20, 3], ownerIds: [] }, 21)).toMatchObject({
      deviceIds: [3, 20, big],
      ownerIds: [],
    });
  });

  it('refuses a name that is blank', () => {
    expect(() => newPool({ name: ' ' }, 21)).toThrow('name must not be blank');
  });
});

describe('changedPool', () => {
  it('keeps what is not said, and replaces a list whole', () => {
    expect(changedPool(stored, { version: 5, deviceIds: [9], scheme: 'PRIORITY' })).toEqual({
      ...newPool({ name: 'Finance' }, 21),
      deviceIds: [9],
      scheme: 'PRIORITY',
    });
  });

  it('refuses a version that has passed, and another pool than that of the path', () => {
    expect(() => changedPool(stored, { version: 4 })).toThrow('The pool 27 is at version 5 by now, not 4.');
    expect(() => changedPool(stored, { version: 5, id: 28 })).toThrow(
      'about pool 28, the path about pool 27',
    );
  });
});

describe('movedDevices', () => {
  it('names those that came and those that left', () => {
    expect(movedDevices({ deviceIds: [1, 2] }, { deviceIds: [2, 3] })).toEqual([3, 1]);
  });
});

describe('refuseUnknown', () => {
  it('names each id that is none', () => {
    const pool = newPool({ name: 'x', deviceIds: [1, 2], ownerIds: [3], consumerRoleIds: [4] }, 21);
    const known = { deviceIds: [1], ownerIds: [], consumerRoleIds: [4] };
    expect(() => refuseUnknown(pool, known)).toThrow(
      /deviceIds names no device .* id 2; ownerIds names no user.* id 3/,
    );
    expect(refuseUnknown(pool, pool)).toBeUndefined();
  });
});
