import { operations, type Id, type OperationId, type Schemas } from '@millrace/api';

export type User = Schemas['User'];
export type Role = Schemas['Role'];
export type Key = Schemas['ApiKey'];

/** Who looks, and what they may do. */
export interface Actor {
  readonly id: Id;
  readonly username: string;
  readonly permissions: readonly string[];
}

/** A permission, and the roles that grant it. */
export interface Granted {
  readonly permission: string;
  readonly roles: readonly string[];
}

/** What roles grant together, each permission once. */
export function grantedBy(given: readonly Schemas['RoleReference'][], roles: readonly Role[]): Granted[] {
  const own = roles.filter(({ id }) => given.some((one) => isSame(one.id, id)));
  const names = [...new Set(own.flatMap(({ permissions }) => permissions))].toSorted();
  return names.map((permission) => ({
    permission,
    roles: own.filter(({ permissions }) => permissions.includes(permission)).map(({ name }) => name),
  }));
}

export function permissionsOf({ roles: given }: Pick<User, 'roles'>, roles: readonly Role[]): string[] {
  return grantedBy(given, roles).map(({ permission }) => permission);
}

/** Of these permissions those that somebody does not have. */
export function beyond({ permissions }: Actor, wanted: readonly string[]): string[] {
  return wanted.filter((one) => !permissions.includes(one));
}

export type UserState = 'active' | 'disabled' | 'deleted' | 'temporary' | 'noPassword';

/** How a user is, as one word: what keeps them out comes first. */
export function stateOf({ deleted, disabled, mustChangePassword, passwordSet, provider }: User): UserState {
  if (deleted) return 'deleted';
  if (disabled) return 'disabled';
  if (mustChangePassword) return 'temporary';
  return passwordSet || provider !== undefined ? 'active' : 'noPassword';
}

/** All users of the tenant, as far as they are known. */
export interface Crowd {
  readonly list: readonly User[];
  /** Whether there are no others. */
  readonly isWhole: boolean;
}

export type Obstacle =
  'mayNot' | 'beyond' | 'self' | 'ownPassword' | 'lastAdministrator' | 'lastOperator' | 'provider';

/** What somebody wants to do to a user. */
export type UserAction = 'edit' | 'reset' | 'disable' | 'enable' | 'delete';

export interface Wish {
  readonly action: UserAction;
  readonly actor: Actor;
  readonly user: User;
  readonly roles: readonly Role[];
  readonly crowd: Crowd;
}

/** What keeps somebody from doing something to a user; undefined where nothing is known that does. */
export function obstacleTo({ action, actor, user, roles, crowd }: Wish): Obstacle | undefined {
  if (!actor.permissions.includes('manageUsers')) return 'mayNot';
  if (beyond(actor, permissionsOf(user, roles)).length > 0) return 'beyond';
  if (isSame(actor.id, user.id) && action === 'reset') return 'ownPassword';
  if (action === 'reset' && user.provider !== undefined && !user.passwordSet) return 'provider';
  if (action !== 'disable' && action !== 'delete') return undefined;
  return lastOf(user, roles, crowd) ?? (isSame(actor.id, user.id) ? 'self' : undefined);
}

/** Whether a user is the last of those of whom there must be one. */
function lastOf(user: User, roles: readonly Role[], crowd: Crowd): Obstacle | undefined {
  if (user.disabled) return undefined;
  const others = crowd.list.filter(({ id, disabled }) => !disabled && !isSame(id, user.id));
  const isLast = (has: (one: User) => boolean) => crowd.isWhole && has(user) && !others.some(has);
  if (isLast((one) => one.roles.some(({ name }) => name === 'AAE_Admin'))) return 'lastAdministrator';
  // Operators of other tenants are not seen: whether one is left there, the server knows.
  const isOperator = (one: User) => permissionsOf(one, roles).includes('manageInstallation');
  return isLast(isOperator) ? 'lastOperator' : undefined;
}

/** What a change of roles gives and takes. */
export interface Difference {
  readonly gives: readonly string[];
  readonly takes: readonly string[];
}

export function differenceOf(before: readonly string[], after: readonly string[]): Difference {
  return {
    gives: after.filter((one) => !before.includes(one)),
    takes: before.filter((one) => !after.includes(one)),
  };
}

/** Roles whose names begin so belong to the server. */
export function isOfServer({ name }: Role): boolean {
  return name.startsWith('AAE_');
}

/** The operations that permissions open, by permission. */
export function opened(permissions: readonly string[]): readonly (readonly [string, OperationId[]])[] {
  const ids = Object.keys(operations) as OperationId[];
  return permissions
    .map((name) => [name, ids.filter((id) => operations[id].permission === name)] as const)
    .filter(([, list]) => list.length > 0);
}

export function isEnded({ expiresOn }: Key, now: Date): boolean {
  return expiresOn !== undefined && new Date(expiresOn) <= now;
}

/** Ids of any length are compared by what they say. */
export function isSame(one: Id | undefined, other: Id | undefined): boolean {
  return String(one) === String(other);
}

const days = { month: 30, quarter: 90, year: 365 } as const;
const hours = { hour: 1, day: 24, week: 7 * 24, month: 30 * 24 } as const;

export type Life = keyof typeof days | 'never' | 'time';
export type Overlap = keyof typeof hours;

const hour = 3_600_000;

/** When a key ends. @param time what was typed, as an instant; undefined while nothing was */
export function endOf(life: Life, now: Date, time: string | undefined): string | undefined {
  if (life === 'never') return undefined;
  return life === 'time' ? time : new Date(now.getTime() + days[life] * 24 * hour).toISOString();
}

export function overlapEnd(overlap: Overlap, now: Date): string {
  return new Date(now.getTime() + hours[overlap] * hour).toISOString();
}
