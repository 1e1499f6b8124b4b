import { operations, type Schemas } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { m } from './messages.ts';
import {
  differenceOf,
  endOf,
  grantedBy,
  isEnded,
  obstacleTo,
  overlapEnd,
  stateOf,
  type Actor,
  type Role,
  type User,
  type UserAction,
} from './rules.ts';

const role = (id: number, name: string, permissions: string[]) => ({ id, name, permissions }) as Role;
const roles = [
  role(1, 'AAE_Admin', ['manageUsers', 'useQueues']),
  role(2, 'AAE_Operator', ['manageInstallation']),
  role(3, 'Clerks', ['useQueues']),
];
const user = (id: number, ids: number[], more: Partial<User> = {}) =>
  ({
    id,
    username: `user ${id}`,
    roles: ids.map((one) => ({ id: one, name: roles.find((known) => known.id === one)?.name })),
    disabled: false,
    deleted: false,
    passwordSet: true,
    ...more,
  }) as User;
const admin: Actor = {
  id: 1,
  username: 'user 1',
  permissions: ['manageUsers', 'useQueues', 'manageInstallation'],
};

describe('what a user may', () => {
  it('is what the roles grant together, each permission once, with all roles that grant it', () => {
    expect(grantedBy([{ id: 1 }, { id: 3n }], roles)).toEqual([
      { permission: 'manageUsers', roles: ['AAE_Admin'] },
      { permission: 'useQueues', roles: ['AAE_Admin', 'Clerks'] },
    ]);
  });

  it('is told in a sentence for every permission that an operation needs', () => {
    const needed = Object.values(operations).map(({ permission }) => permission);
    const named = needed.filter((one) => !['public', 'oneself'].includes(one));
    expect(named.filter((one) => m.people.permissions[one] === undefined)).toEqual([]);
  });

  it('is compared before and after a change', () => {
    expect(differenceOf(['a', 'b'], ['b', 'c'])).toEqual({ gives: ['c'], takes: ['a'] });
  });
});

describe('how a user is', () => {
  const cases: [Partial<User>, string][] = [
    [{}, 'active'],
    [{ passwordSet: false }, 'noPassword'],
    [{ passwordSet: false, provider: 'acme' }, 'active'],
    [{ mustChangePassword: true }, 'temporary'],
    [{ mustChangePassword: true, disabled: true }, 'disabled'],
    [{ disabled: true, deleted: true }, 'deleted'],
  ];
  it.each(cases)('%o is %s', (more, state) => {
    expect(stateOf(user(1, [], more))).toBe(state);
  });
});

describe('what keeps somebody from changing a user', () => {
  const [me, other, clerk] = [user(1, [1, 2]), user(2, [1]), user(3, [3])];
  const wish = (action: UserAction, whom: User, list: User[], actor = admin) =>
    obstacleTo({ action, actor, user: whom, roles, crowd: { list, isWhole: true } });

  it('is a missing permission, and a user who may do more', () => {
    expect(wish('edit', clerk, [me, clerk], { ...admin, permissions: ['useQueues'] })).toBe('mayNot');
    const manager = { ...admin, id: 9, permissions: ['manageUsers', 'useQueues'] };
    expect(wish('edit', me, [me, other], manager)).toBe('beyond');
    expect(wish('edit', other, [me, other], manager)).toBeUndefined();
  });

  it('is that it is oneself, for what would shut one out', () => {
    const list = [me, user(2, [1, 2]), clerk];
    expect(wish('reset', me, list)).toBe('ownPassword');
    expect(wish('disable', me, list)).toBe('self');
    expect(wish('delete', me, list)).toBe('self');
    expect(wish('edit', me, list)).toBeUndefined();
  });

  it('is that it is the last administrator or operator who is let in', () => {
    expect(wish('delete', me, [me, user(2, [1], { disabled: true })])).toBe('lastAdministrator');
    expect(wish('disable', me, [me, other])).toBe('lastOperator');
    expect(wish('delete', other, [me, other])).toBeUndefined();
    expect(wish('delete', clerk, [me, clerk])).toBeUndefined();
  });

  it('is nothing that is not known: where not all users are seen, the server decides', () => {
    const crowd = { list: [other], isWhole: false };
    expect(obstacleTo({ action: 'delete', actor: admin, user: other, roles, crowd })).toBeUndefined();
  });

  it('is that the password is with a provider', () => {
    const far = user(4, [3], { provider: 'acme', passwordSet: false });
    expect(wish('reset', far, [me, far])).toBe('provider');
  });
});

describe('the end of a key', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  it('is days from now, a time, or none', () => {
    expect(endOf('month', now, undefined)).toBe('2026-01-31T00:00:00.000Z');
    expect(endOf('time', now, '2026-02-02T08:00:00.000Z')).toBe('2026-02-02T08:00:00.000Z');
    expect(endOf('never', now, undefined)).toBeUndefined();
    expect(overlapEnd('week', now)).toBe('2026-01-08T00:00:00.000Z');
  });

  it('has come when it is not in the future any more', () => {
    const key = (expiresOn?: string) => ({ expiresOn }) as Schemas['ApiKey'];
    expect(isEnded(key('2026-01-01T00:00:00Z'), now)).toBe(true);
    expect(isEnded(key('2026-01-01T00:00:01Z'), now)).toBe(false);
    expect(isEnded(key(), now)).toBe(false);
  });
});
