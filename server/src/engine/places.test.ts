import { describe, expect, test } from 'vitest';
import { Places } from './places.ts';

const kind = { name: 'streams', ofAll: 5, ofTenant: 3, ofUser: 2 };

describe('places', () => {
  test('are refused to a user, a tenant and all, with how many they hold, and come back once', () => {
    const places = new Places();
    const take = (userId: number, tenantUuid = 'a') => places.take(kind, { userId, tenantUuid });
    const first = take(1);
    expect(take(1)).not.toHaveProperty('full');
    expect(take(1)).toEqual({ full: 'user', held: 2 });
    expect(take(2)).not.toHaveProperty('full');
    expect(take(2)).toEqual({ full: 'tenant', held: 3 });
    expect([take(3, 'b'), take(4, 'b')].map(({ full }) => full)).toEqual([undefined, undefined]);
    expect(take(5, 'c')).toEqual({ full: 'all', held: 5 });
    for (let times = 0; times < 2; times += 1) if (!first.full) first.release();
    expect(take(1)).not.toHaveProperty('full');
    expect(take(5, 'c')).toEqual({ full: 'all', held: 5 });
  });

  test('of one kind are none of another', () => {
    const places = new Places();
    const one = { ...kind, ofAll: 1 };
    const holder = { userId: 1, tenantUuid: 'a' };
    expect(places.take(one, holder)).not.toHaveProperty('full');
    expect(places.take({ ...one, name: 'exports' }, holder)).not.toHaveProperty('full');
  });
});
