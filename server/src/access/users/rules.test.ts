import { describe, expect, it } from 'vitest';
import { checkRoleName } from '../people/roles.ts';
import { readExpiry } from './api-keys.ts';
import { checkName, idsOf, readPermissions, refuseBeyond } from './rules.ts';
import { refuseUnknownRoles } from './users.ts';

const now = new Date('2024-03-01T09:30:00Z');
const invalid = (field: string) =>
  expect.objectContaining({ code: 'INVALID_REQUEST', details: [expect.objectContaining({ field })] });

describe('the rules of users, roles and keys', () => {
  it('let nobody grant what they may not do', () => {
    const permitted = new Set(['useQueues', 'viewUsers']);
    expect(() => refuseBeyond(permitted, [], 'It')).not.toThrow();
    expect(() => refuseBeyond(permitted, ['viewUsers', 'useQueues'], 'It')).not.toThrow();
    expect(() => refuseBeyond(permitted, ['useQueues', 'manageUsers', 'viewEvents'], 'It')).toThrow(
      expect.objectContaining({
        code: 'FORBIDDEN',
        message:
          'It would give more than you may do yourself: manageUsers, viewEvents. Ask somebody who may.',
      }),
    );
  });

  it.each(['admin', 'EMEA\\jdoe', 'Jane Doe', 'jdoe@example.com', '金', ''])('take the name "%s"', (name) => {
    expect(() => checkName('username', name)).not.toThrow();
  });

  it.each([' ', ' admin', 'admin ', 'ad\nmin', 'ad\u0000min', 'ad\u0007min', '\u00a0admin', 'ad\u0085min'])(
    'refuse the name %j',
    (name) => {
      expect(() => checkName('username', name)).toThrow(invalid('username'));
    },
  );

  it('keep names that begin with AAE_ for the roles of the server', () => {
    for (const name of ['AAE_Admin', 'aae_queue_admin', 'Aae_']) {
      expect(() => checkRoleName(name)).toThrow(invalid('name'));
    }
    for (const name of ['AAE', 'Finance AAE_']) expect(() => checkRoleName(name)).not.toThrow();
  });

  it('read permissions by name, each once, and useQueues where none are said', () => {
    expect(readPermissions()).toEqual(['useQueues']);
    expect(readPermissions([])).toEqual([]);
    expect(readPermissions(['viewUsers', 'useQueues', 'viewUsers'])).toEqual(['viewUsers', 'useQueues']);
    for (const name of ['', 'everything', 'constructor', 'USEQUEUES']) {
      expect(() => readPermissions(['useQueues', name])).toThrow(invalid('permissions.1'));
    }
  });

  it('read role ids, each once, also beyond 2^53', () => {
    expect(idsOf(undefined)).toBeUndefined();
    expect(idsOf([])).toEqual([]);
    const large = (2n ** 60n) as unknown as number;
    expect(idsOf([{ id: 2 }, { id: large, name: 'x' }, { id: 2 }, { id: large }])).toEqual([2, large]);
  });

  it('name each role that does not exist', () => {
    const roles = [{ id: 2, name: 'Finance', permissions: [] }];
    expect(() => refuseUnknownRoles([2], roles)).not.toThrow();
    expect(() => refuseUnknownRoles([3, 2, 4], roles)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', details: [expect.anything(), expect.anything()] }),
    );
  });

  it('let keys end in the future only', () => {
    expect(readExpiry('expiresOn', undefined, now)).toBeUndefined();
    expect(readExpiry('expiresOn', null, now)).toBeUndefined();
    expect(readExpiry('expiresOn', '2024-03-01T18:30:00.001+09:00', now)).toEqual(
      new Date('2024-03-01T09:30:00.001Z'),
    );
    for (const text of ['2024-03-01T09:30:00Z', '0000-01-01T00:00:00Z', '2024-03-01T23:59:60Z', 'soon']) {
      expect(() => readExpiry('expiresOn', text, now)).toThrow(invalid('expiresOn'));
    }
  });
});
