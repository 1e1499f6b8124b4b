import type { Id, Schemas } from '@millrace/api';
import { permissions, type Permission } from '../auth/permissions.ts';
import { Refusal, type ErrorDetail } from '../errors.ts';

/** A role, as far as granting it needs. */
export interface GrantedRole {
  readonly id: Id;
  readonly name: string;
  readonly permissions: readonly string[];
}

/** Members of a user that older clients read, and that are the same for everybody. */
export const sameForEverybody = {
  domain: null,
  emailVerified: true,
  questionsSet: true,
  enableAutoLogin: false,
  clientRegistered: false,
  licenseFeatures: ['RUNTIME'],
  deleted: false,
};

/** The role of a user for whom none is named. */
export const defaultRole = 'AAE_Basic';
const defaultPermissions: readonly Permission[] = ['useQueues'];

/**
 * Nobody grants what they do not have: otherwise whoever may manage users could make themselves anything.
 * @param permitted what the one who grants may do.
 */
export function refuseBeyond(permitted: ReadonlySet<string>, granted: readonly string[], what: string): void {
  const beyond = granted.filter((permission) => !permitted.has(permission));
  if (beyond.length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `${what} would give more than you may do yourself: ${beyond.join(', ')}. Ask somebody who may.`,
  );
}

/** A name that people can tell from others. @throws Refusal INVALID_REQUEST */
export function checkName(field: string, name: string): void {
  if (name === name.trim() && !/\p{Cc}/u.test(name)) return;
  throw invalid([{ field, message: 'must not begin or end with blanks, or hold control characters' }]);
}

/** @throws Refusal INVALID_REQUEST */
export function checkRoleName(name: string): void {
  checkName('name', name);
  // Programs know the roles of the server by their names, and a later version may bring more of them.
  if (name.toUpperCase().startsWith('AAE_')) {
    throw invalid([
      { field: 'name', message: 'must not begin with AAE_, which is kept for the roles of the server' },
    ]);
  }
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

/** The ids that a request names, each once; undefined when it leaves the roles open. */
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

/** The end of an API key. @throws Refusal INVALID_REQUEST when it is not in the future. */
export function readExpiry(text: string | null | undefined, now: Date): Date | undefined {
  if (text === null || text === undefined) return undefined;
  const expiresOn = new Date(text);
  if (expiresOn > now) return expiresOn;
  throw invalid([{ field: 'expiresOn', message: 'must be a time in the future' }]);
}

function invalid(details: ErrorDetail[]): Refusal {
  const [first] = details;
  return new Refusal('INVALID_REQUEST', `${first?.field} ${first?.message}.`, { details });
}
