import { operations, type Operation } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { permissions, systemRoles } from './access/users/permissions.ts';
import { checkPermissions } from './admission.ts';
import * as functions from './operations.ts';

const known: Operation = operations.createQueue;
const table = (more: Partial<Operation>) => ({ createQueue: { ...known, ...more } as Operation });

describe('the server', () => {
  test('starts with the contract as it is', () => {
    expect(() => checkPermissions(functions)).not.toThrow();
  });

  test.each(Object.keys(operations))('refuses to start without a function for %s', (operationId) => {
    const others = Object.fromEntries(Object.entries(functions).filter(([name]) => name !== operationId));
    expect(() => checkPermissions(others)).toThrow(`: ${operationId} has no function.`);
  });

  test('refuses to start when an operation names no permission', () => {
    expect(() => checkPermissions(functions, table({ permission: '' }))).toThrow(
      'createQueue names no permission',
    );
  });

  test.each(['createQueuez', 'constructor', '__proto__'])(
    'refuses to start when no role grants what an operation needs: %s',
    (permission) => {
      expect(() => checkPermissions(functions, table({ permission }))).toThrow(
        `createQueue needs the permission ${permission}, which no role grants`,
      );
    },
  );

  test('names all that is wrong at once', () => {
    const two = { one: { ...known, permission: 'nothing' } as Operation, constructor: known };
    expect(() => checkPermissions({}, two)).toThrow(
      'one has no function; one needs the permission nothing, which no role grants; constructor has no function',
    );
  });

  test('starts where an operation needs nobody’s permission, as logging in does', () => {
    expect(() => checkPermissions(functions, table({ permission: 'public' }))).not.toThrow();
    expect(() => checkPermissions(functions, table({ permission: 'oneself' }))).not.toThrow();
  });
});

describe('the roles that every tenant has', () => {
  test('grant permissions that exist', () => {
    const granted = Object.values(systemRoles).flatMap((role) => role.permissions);
    expect(granted.filter((permission) => !Object.hasOwn(permissions, permission))).toEqual([]);
  });

  test('leave no permission that nobody can have or nobody needs', () => {
    const needed = Object.values<Operation>(operations).map(({ permission }) => permission);
    const unneeded = Object.keys(permissions).filter((permission) => !needed.includes(permission));
    // They belong to no operation, but open every queue to their holder, and show every device and every event.
    expect(unneeded).toEqual(['viewAllQueues', 'viewDevices']);
    const ofTenant = Object.keys(permissions).filter((permission) => permission !== 'manageInstallation');
    expect(systemRoles['AAE_Admin']?.permissions).toEqual(ofTenant);
    expect(systemRoles['AAE_Operator']?.permissions).toEqual(['manageInstallation']);
  });

  test('are those that existing programs look for', () => {
    expect(Object.keys(systemRoles)).toEqual([
      'AAE_Admin',
      'AAE_Queue Admin',
      'AAE_Pool Admin',
      'AAE_Basic',
      'AAE_Bot Runner',
      'AAE_Auditor',
      'AAE_Operator',
    ]);
  });
});
