import type { Id, Schemas } from '@millrace/api';
import { textProblems } from '../../engine/checks.ts';
import { Refusal, type ErrorDetail } from '../../engine/errors.ts';
import { permissions, type Permission } from './permissions.ts';

const defaultPermissions: readonly Permission[] = ['useQueues'];

/**
 * A user can grant only permissions of their own: otherwise a manager of users could take all of them.
 * @param permitted the permissions of the user who grants
 */
export function refuseBeyond(permitted: ReadonlySet<string>, granted: readonly string[], what: string): void {
  const beyond = granted.filter((permission) => !permitted.has(permission));
  if (beyond.length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `${what} would give more than you may do yourself: ${beyond.join(', ')}. Ask somebody who may.`,
  );
}

/** Refuses a name that people cannot tell from others. @throws Refusal INVALID_REQUEST */
export function checkName(field: string, name: string): void {
  const details = name === '' ? [] : textProblems(field, [name]);
  if (details.length > 0) throw invalid(details);
}

/** The permissions of a new role, each once. @throws Refusal INVALID_REQUEST that names each unknown one. */
export function readPermissions(names: readonly string[] = defaultPermissions): Permission[] {
  const known = Object.keys(permissions);
  const details = names.flatMap((name, index) => {
    const message = `is no permission: ${JSON.stringify(name.slice(0, 60))}; those are ${known.join(', ')}`;
    return known.includes(name) ? [] : [{ index, field: `permissions.${index}`, message }];
  });
  if (details.length > 0) throw invalid(details);
  return [...new Set(names as Permission[])];
}

/** The ids in a request, each once; undefined when it leaves the roles open. */
export function idsOf(references: readonly Schemas['RoleReference'][] | undefined): Id[] | undefined {
  return references && [...new Set(references.map(({ id }) => id))];
}

export function invalid(details: ErrorDetail[]): Refusal {
  const [first] = details;
  return new Refusal('INVALID_REQUEST', `${first?.field} ${first?.message}.`, { details });
}
