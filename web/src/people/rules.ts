import { operations, type Id, type OperationId, type Schemas } from '@millrace/api';

export type User = Schemas['User'];
export type Role = Schemas['Role'];
export type Key = Schemas['ApiKey'];

/** The current user, with their permissions. */
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

/** The permissions that roles grant together, each once. */
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

/** The wanted permissions that somebody lacks. */
export function beyond({ permissions }: Actor, wanted: readonly string[]): string[] {
  return wanted.filter((one) => !permissions.includes(one));
}

export type UserState = 'active' | 'disabled' | 'deleted' | 'temporary' | 'noPassword';

/** The state of a user, as one word: reasons that keep them out come first. */
export function stateOf({ deleted, disabled, mustChangePassword, passwordSet, provider }: User): UserState {
  if (deleted) return 'deleted';
  if (disabled) return 'disabled';
  if (mustChangePassword) return 'temporary';
  return passwordSet || provider !== undefined ? 'active' : 'noPassword';
}

/** The known users of the tenant. */
export interface Crowd {
  readonly list: readonly User[];
  /** Whether these are all. */
  readonly isWhole: boolean;
}

export type Obstacle =
  'mayNot' | 'beyond' | 'self' | 'ownPassword' | 'lastAdministrator' | 'lastOperator' | 'provider';

/** An action on a user. */
export type UserAction = 'edit' | 'reset' | 'disable' | 'enable' | 'delete';

export interface Wish {
  readonly action: UserAction;
  readonly actor: Actor;
  readonly user: User;
  readonly roles: readonly Role[];
  readonly crowd: Crowd;
}

/** The obstacle to an action on a user; undefined where none is known. */
export function obstacleTo({ action, actor, user, roles, crowd }: Wish): Obstacle | undefined {
  if (!actor.permissions.includes('manageUsers')) return 'mayNot';
  if (beyond(actor, permissionsOf(user, roles)).length > 0) return 'beyond';
  if (isSame(actor.id, user.id) && action === 'reset') return 'ownPassword';
  if (action === 'reset' && user.provider !== undefined && !user.passwordSet) return 'provider';
  if (action !== 'disable' && action !== 'delete') return undefined;
  return lastOf(user, roles, crowd) ?? (isSame(actor.id, user.id) ? 'self' : undefined);
}

/** The obstacle for a user who is the last enabled administrator or operator: there must be one. */
function lastOf(user: User, roles: readonly Role[], crowd: Crowd): Obstacle | undefined {
  if (user.disabled) return undefined;
  const others = crowd.list.filter(({ id, disabled }) => !disabled && !isSame(id, user.id));
  const isLast = (has: (one: User) => boolean) => crowd.isWhole && has(user) && !others.some(has);
  if (isLast((one) => one.roles.some(({ name }) => name === 'AAE_Admin'))) return 'lastAdministrator';
  // Operators of other tenants are invisible here: only the server knows whether one is left there.
  const isOperator = (one: User) => permissionsOf(one, roles).includes('manageInstallation');
  return isLast(isOperator) ? 'lastOperator' : undefined;
}

/** The permissions that a change of roles gives and takes. */
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

/** Whether a role belongs to the server, by the beginning of its name. */
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

/** Compared as texts, as ids can be numbers or bigints. */
export function isSame(one: Id | undefined, other: Id | undefined): boolean {
  return String(one) === String(other);
}

const days = { month: 30, quarter: 90, year: 365 } as const;
const hours = { hour: 1, day: 24, week: 7 * 24, month: 30 * 24 } as const;

export type Life = keyof typeof days | 'never' | 'time';
export type Overlap = keyof typeof hours;

const hour = 3_600_000;

/** The end of a key. @param time the typed time, as an instant; undefined while there is none */
export function endOf(life: Life, now: Date, time: string | undefined): string | undefined {
  if (life === 'never') return undefined;
  return life === 'time' ? time : new Date(now.getTime() + days[life] * 24 * hour).toISOString();
}

export function overlapEnd(overlap: Overlap, now: Date): string {
  return new Date(now.getTime() + hours[overlap] * hour).toISOString();
}
