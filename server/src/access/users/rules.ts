import type { Id, Schemas } from '@millrace/api';
import { commonForm, textProblems } from '../../engine/checks.ts';
import { Refusal, type ErrorDetail } from '../../engine/errors.ts';
import { permissions, type Permission } from './permissions.ts';

/** A role, as far as granting it needs. */
export interface GrantedRole {
  readonly id: Id;
  readonly name: string;
  readonly permissions: readonly string[];
}

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

/** @throws Refusal INVALID_REQUEST */
export function checkRoleName(name: string): void {
  checkName('name', name);
  // Programs know the roles of the server by their names, and a later version may bring more of them.
  if (commonForm(name).toUpperCase().startsWith('AAE_')) {
    throw invalid([
      { field: 'name', message: 'must not begin with AAE_, which is kept for the roles of the server' },
    ]);
  }
}

/** Refuses to change a role of the server: the next start would restore it. @throws Refusal STATUS_CONFLICT */
export function refuseSystemRole(name: string): void {
  if (!name.startsWith('AAE_')) return;
  throw new Refusal(
    'STATUS_CONFLICT',
    `The role ${name} is one of the server and stays as it is. Create one of your own, and give it in its place.`,
  );
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

/** @throws Refusal INVALID_REQUEST that names each id without a role. */
export function refuseUnknownRoles(ids: readonly Id[], known: readonly GrantedRole[]): void {
  const details = ids.flatMap((id) =>
    known.some((role) => role.id === id)
      ? []
      : [{ field: 'roles', message: `names a role that does not exist, with the id ${id}` }],
  );
  if (details.length > 0) throw invalid(details);
}

export function invalid(details: ErrorDetail[]): Refusal {
  const [first] = details;
  return new Refusal('INVALID_REQUEST', `${first?.field} ${first?.message}.`, { details });
}

/** The permissions of an API key. @throws Refusal INVALID_REQUEST, also for keys that could make others */
export function readKeyPermissions(names: readonly string[]): Permission[] {
  const read = readPermissions(names);
  if (!read.includes('generateApiKey')) return read;
  throw invalid([
    {
      field: 'permissions',
      message: 'cannot have generateApiKey: a key that is good for less must make no other',
    },
  ]);
}

/**
 * The permissions of a key made for another user: of the wanted ones, those that its user has now, without the permission to make keys.
 * @param present those of the user; undefined when there is no such user
 * @throws Refusal INVALID_REQUEST for a user who could not use the key, or could do nothing with it
 */
export function keyPermissionsFor(
  present: readonly string[] | undefined,
  wanted: readonly string[] | undefined,
): string[] {
  if (!present) throw invalid([{ field: 'userId', message: 'names no user' }]);
  if (!present.includes('generateApiKey'))
    throw invalid([{ field: 'userId', message: 'names a user without the permission generateApiKey' }]);
  const scope = present.filter((one) => one !== 'generateApiKey' && (wanted?.includes(one) ?? true));
  if (scope.length > 0) return scope;
  const message = 'has none that this user has: a key for somebody else is good for what they may do now';
  throw invalid([{ field: 'permissions', message }]);
}

/** Whether a user is an administrator or an operator; at least one of each must remain. */
export interface Standing {
  readonly isAdministrator: boolean;
  readonly isOperator: boolean;
}

/** Whether an administrator and an operator who can log in remain. */
export interface Remaining {
  readonly hasAdministrator: boolean;
  readonly hasOperator: boolean;
}

/** The refusal of a change after which nobody could undo it. @param before the standing of the changed user */
export function decideLast(before: Standing, after: Remaining): Refusal | undefined {
  if (before.isAdministrator && !after.hasAdministrator)
    return last('administrator of the tenant', 'AAE_Admin');
  if (before.isOperator && !after.hasOperator) return last('operator of the installation', 'AAE_Operator');
  return undefined;
}

function last(what: string, role: string): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `This would take the last ${what} who can log in. Give the role ${role} to somebody else first, who has a password or an API key of their own that is good for everything.`,
  );
}
