import { operations, type Operation } from '@millrace/api';
import { systemRoles } from './auth/permissions.ts';
import { functions } from './operations.ts';

/**
 * Refuses to start when an operation of the contract has no function, or needs a permission that no role grants.
 * @throws Error that names each such operation.
 */
export function checkPermissions(
  table: Record<string, Operation> = operations,
  kept: Record<string, unknown> = functions,
): void {
  const granted = new Set(
    Object.values(systemRoles).flatMap(({ permissions }) => permissions as readonly string[]),
  );
  const problems = Object.entries(table).flatMap(([operationId, { permission }]) => [
    ...(Object.hasOwn(kept, operationId) ? [] : [`${operationId} has no function`]),
    ...(permission ? [] : [`${operationId} names no permission`]),
    ...(!permission || permission === 'public' || granted.has(permission)
      ? []
      : [`${operationId} needs the permission ${permission}, which no role grants`]),
  ]);
  if (problems.length > 0) throw new Error(`The server does not keep its contract: ${problems.join('; ')}.`);
}
