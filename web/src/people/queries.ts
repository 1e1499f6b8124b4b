import { toId, type Id, type Output, type Schemas } from '@millrace/api';
import { keepPreviousData } from '@tanstack/react-query';
import { session, tenantNow } from '../connection/client.ts';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { carryOut, tryOut } from '../dialogs/queries.ts';
import type { Actor, Crowd, Key, Role, User } from './rules.ts';

const most = 1000;

/** The current user, with their permissions. */
export function whoAmI(): Actor {
  const now = session.get();
  if (now.state === 'none') return { id: 0, username: '', permissions: [] };
  const { id, username, permissions } = now.user;
  return { id, username, permissions: permissions.map(({ name }) => name) };
}

export function may(permission: string): boolean {
  return whoAmI().permissions.includes(permission);
}

const searched = ['username', 'firstName', 'lastName', 'email'];

/** The users with a text in a name or in the e-mail address. */
export function usersQuery(text: string, length: number) {
  const operands = searched.map((field) => ({ operator: 'substring', field, value: text }));
  const filter = text === '' ? {} : { filter: { operator: 'or', operands } };
  const body = { ...filter, sort: [{ field: 'username' }], page: { length } };
  return { ...query('listUsers', { body }), placeholderData: keepPreviousData };
}

/** All users, as far as one answer has them. */
export function crowdQuery() {
  return query('listUsers', { body: { sort: [{ field: 'username' }], page: { length: most } } });
}

export function crowdOf({ list, page }: Output<'listUsers'>): Crowd {
  return { list, isWhole: page.total <= list.length };
}

export function rolesQuery() {
  return query('listRoles', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function userQuery(id: Id) {
  return query('getUser', { path: { id } });
}

export function roleQuery(id: Id) {
  return query('getRole', { path: { id } });
}

/** The sessions of a user, newest first. */
export function sessionsQuery(userId: Id) {
  const filter = { operator: 'eq', field: 'userId', value: String(userId) };
  const sort = [{ field: 'renewedOn', direction: 'desc' }];
  return query('listSessions', { body: { filter, sort, page: { length: most } } });
}

/** The visible keys, or those of one user; newest first. */
export function keysQuery(userId?: Id) {
  const filter =
    userId === undefined ? {} : { filter: { operator: 'eq', field: 'userId', value: String(userId) } };
  const sort = [{ field: 'createdOn', direction: 'desc' }];
  return query('listApiKeys', { body: { ...filter, sort, page: { length: most } } });
}

export function tenantsQuery() {
  return query('listTenants', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function loadUsers(): Promise<unknown> {
  return read(rolesQuery());
}

export async function loadUser(params: Params): Promise<void> {
  const id = toId(params['id'] ?? '');
  await Promise.all([
    read(userQuery(id)),
    read(rolesQuery()),
    read(crowdQuery()),
    may('manageUsers') && read(sessionsQuery(id)),
    seesKeysOf(id) && read(keysQuery(id)),
  ]);
}

export function loadRoles(): Promise<unknown> {
  return read(rolesQuery());
}

export async function loadRole(params: Params): Promise<void> {
  await Promise.all([read(roleQuery(toId(params['id'] ?? ''))), read(rolesQuery()), read(crowdQuery())]);
}

export async function loadKeys(): Promise<void> {
  await Promise.all([read(keysQuery()), ...(seesUsers() ? [read(crowdQuery()), read(rolesQuery())] : [])]);
}

export function loadTenants(): Promise<unknown> {
  return read(tenantsQuery());
}

/** Whether the current user sees the keys of a user: their own, or those of others. */
export function seesKeysOf(userId: Id): boolean {
  return may('generateApiKey') && (may('manageUsers') || String(whoAmI().id) === String(userId));
}

/** Whether the current user may make keys for others, and choose whom for. */
export function seesUsers(): boolean {
  return may('manageUsers') && may('viewUsers');
}

/** A user in a form. */
export interface UserDraft {
  readonly username: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly description: string;
  /** Ids of roles. */
  readonly roles: readonly string[];
}

export function userDraftOf(user: User): UserDraft {
  const { username, firstName, lastName, email, description, roles } = user;
  return { username, firstName, lastName, email, description, roles: roles.map(({ id }) => String(id)) };
}

function bodyOf({ username: _, roles, ...about }: UserDraft) {
  return { ...about, roles: roles.map((id) => ({ id: toId(id) })) };
}

export function createUserRequest(draft: UserDraft): Request {
  return requestFor('createUser', { body: { username: draft.username.trim(), ...bodyOf(draft) } });
}

/** The request for what a form changes in a user as seen; roles only where they differ. */
export function updateUserRequest(user: User, draft: UserDraft): Request {
  const { roles, ...about } = bodyOf(draft);
  const before = userDraftOf(user).roles;
  const isSame = before.length === draft.roles.length && before.every((id) => draft.roles.includes(id));
  const body = { version: user.version, ...about, ...(isSame ? {} : { roles }) };
  return requestFor('updateUser', { path: { id: user.id }, body });
}

/** The user as they are now. */
export function getUserRequest({ id }: User): Request {
  return requestFor('getUser', { path: { id } });
}

export function resetRequest(id: Id): Request {
  return requestFor('resetUserPassword', { path: { id } });
}

/** Generates a password for a user, which is answered only once. */
export async function resetPassword(id: Id): Promise<string> {
  const [answer] = await carryOut([resetRequest(id)]);
  return (answer as Schemas['TemporaryPassword']).temporaryPassword;
}

export async function createUser(draft: UserDraft): Promise<User> {
  const [answer] = await carryOut([createUserRequest(draft)]);
  return answer as User;
}

/** Disables, enables or deletes a user. */
export function userRequest(action: 'disable' | 'enable' | 'delete', id: Id): Request {
  const operation = { disable: 'disableUser', enable: 'enableUser', delete: 'deleteUser' } as const;
  return requestFor(operation[action], { path: { id } });
}

export function endSessionRequest(sessionId: string): Request {
  return requestFor('endSession', { path: { sessionId } });
}

/** A role in a form. */
export interface RoleDraft {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
}

export async function createRole(request: Request): Promise<Role> {
  const [answer] = await carryOut([request]);
  return answer as Role;
}

export function createRoleRequest({ name, description, permissions }: RoleDraft): Request {
  return requestFor('createRole', {
    body: { name: name.trim(), description, permissions: [...permissions] },
  });
}

/** The request for what a form changes in a role as seen, or for the trial of it. */
export function updateRoleRequest(
  { id, version, name: before }: Role,
  { name, description, permissions }: RoleDraft,
  dryRun: boolean,
): Request {
  const renamed = name.trim() === before ? {} : { name: name.trim() };
  const body = { version, ...renamed, description, permissions: [...permissions], dryRun };
  return requestFor('updateRole', { path: { id }, body });
}

/** The role as it is now. */
export function roleRequest({ id }: Role): Request {
  return requestFor('getRole', { path: { id } });
}

export function deleteRoleRequest({ id }: Role, dryRun: boolean): Request {
  return requestFor('deleteRole', { path: { id }, query: dryRun ? { dryRun } : {} });
}

/** The permissions that a change of a role would take, and from whom. */
export async function effectOf(request: Request): Promise<Schemas['RoleEffect']> {
  return (await tryOut(request)) as Schemas['RoleEffect'];
}

/** A key in a form. */
export interface KeyDraft {
  readonly name: string;
  readonly userId: Id;
  readonly expiresOn: string | undefined;
  /** All where undefined. */
  readonly permissions: readonly string[] | undefined;
  readonly queueIds: readonly string[] | undefined;
}

export function createKeyRequest({ name, userId, expiresOn, permissions, queueIds }: KeyDraft): Request {
  return requestFor('createApiKey', {
    body: {
      name: name.trim(),
      ...(String(userId) !== String(whoAmI().id) && { userId }),
      ...(expiresOn !== undefined && { expiresOn }),
      ...(permissions && { permissions: [...permissions] }),
      ...(queueIds && { queueIds: queueIds.map(toId) }),
    },
  });
}

export function rotateRequest({ id }: Key, overlapUntil: string): Request {
  return requestFor('rotateApiKey', { path: { id }, body: { overlapUntil } });
}

export function revokeRequest({ id }: Key): Request {
  return requestFor('revokeApiKey', { path: { id } });
}

/** Makes a key, new or in place of another. It is answered only once. */
export async function makeKey(request: Request): Promise<Key> {
  const [answer] = await carryOut([request]);
  return answer as Key;
}

/** Whether it is the current user's tenant. */
export function isOwnTenant(uuid: string): boolean {
  return tenantNow() === uuid;
}

export function createTenantRequest(name: string, administrator: string): Request {
  return requestFor('createTenant', {
    body: { name: name.trim(), administrator: administrator.trim() },
  });
}

export async function createTenant(request: Request): Promise<Schemas['CreatedTenant']> {
  const [answer] = await carryOut([request]);
  return answer as Schemas['CreatedTenant'];
}

export function tenantRequest({ id, disabled }: Schemas['Tenant']): Request {
  return requestFor(disabled ? 'enableTenant' : 'disableTenant', { path: { id } });
}

export function rewrapRequest(): Request {
  return requestFor('rewrapTenantKeys', {});
}

export async function rewrap(): Promise<Schemas['RewrappedKeys']> {
  const [answer] = await carryOut([rewrapRequest()]);
  return answer as Schemas['RewrappedKeys'];
}
