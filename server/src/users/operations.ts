import type { Id, Schemas } from '@millrace/api';
import { hashApiKey, makeApiKey } from '../auth/api-keys.ts';
import { hashPassword } from '../auth/passwords.ts';
import { raw } from '../db.ts';
import { Refusal } from '../errors.ts';
import { insertTenantEvents } from '../events/sql.ts';
import { listQuery, type Field } from '../lists.ts';
import type { Actor, Context, PlainOperation } from '../operation.ts';
import { readUser } from './accounts.ts';
import {
  checkName,
  checkRoleName,
  defaultRole,
  idsOf,
  readExpiry,
  readPermissions,
  refuseBeyond,
  refuseUnknownRoles,
  sameForEverybody,
  type GrantedRole,
} from './rules.ts';
import {
  countApiKeys,
  countRoles,
  countUsers,
  deleteApiKey,
  insertApiKey,
  insertRole,
  insertUser,
  selectApiKeys,
  selectPermissions,
  selectRoles,
  selectRolesById,
  selectRolesByName,
  selectUsers,
  type Counts,
  type KeyScope,
} from './sql.ts';

export const createUser: PlainOperation<'createUser'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { roles, password, ...user } = body;
  checkName('username', user.username);
  const granted = await rolesToGrant(context, idsOf(roles));
  // The connection is held through the hashing; but few people create users, and the first check for them is cheap.
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const roleIds = granted.map(({ id }) => id);
  const row = { ...user, tenantId: actor.tenantId, passwordHash, roleIds, createdBy: actor.id };
  const userId = await insertUser(db, now, row);
  await record(context, 'createUser', { userId, username: user.username, roleIds });
  return (await readUser(db, userId)) as Schemas['User'];
};

/** Who may do what, the record has to say of itself: no secrets go into it. */
function record({ db, actor, now }: Context, operation: string, changes: object): Promise<void> {
  return insertTenantEvents(db, actor.tenantId, [{ operation, actorId: actor.id, changes }], now);
}

async function rolesToGrant({ db, actor }: Context, ids: Id[] | undefined): Promise<GrantedRole[]> {
  const roles = ids
    ? await selectRolesById(db, actor.tenantId, ids)
    : await selectRolesByName(db, actor.tenantId, [defaultRole]);
  refuseUnknownRoles(ids ?? [], roles);
  for (const { name, permissions } of roles) refuseBeyond(actor.permissions, permissions, `The role ${name}`);
  return roles;
}

const changes: Record<string, Field> = {
  createdOn: { column: raw('created_on'), type: 'time' },
  updatedOn: { column: raw('updated_on'), type: 'time' },
};

const userFields: Record<string, Field> = {
  id: { column: raw('u.id'), type: 'id' },
  username: { column: raw('u.username'), type: 'text' },
  email: { column: raw('u.email'), type: 'text' },
  firstName: { column: raw('u.first_name'), type: 'text' },
  lastName: { column: raw('u.last_name'), type: 'text' },
  disabled: { column: raw('u.disabled'), type: 'boolean' },
  ...changes,
};

export const listUsers: PlainOperation<'listUsers'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, userFields, raw('u.id'));
  const counts = await countUsers(db, actor.tenantId, query);
  const rows = await selectUsers(db, actor.tenantId, query);
  return { page: pageOf(query.offset, counts), list: rows.map((row) => ({ ...row, ...sameForEverybody })) };
};

export const createRole: PlainOperation<'createRole'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { name, description = '' } = body;
  checkRoleName(name);
  const permissions = readPermissions(body.permissions);
  refuseBeyond(actor.permissions, permissions, `The role ${name}`);
  const row = { name, description, permissions, tenantId: actor.tenantId, createdBy: actor.id };
  const role = await insertRole(db, now, row);
  await record(context, 'createRole', { roleId: role.id, name, permissions });
  return role;
};

const roleFields: Record<string, Field> = {
  id: { column: raw('r.id'), type: 'id' },
  name: { column: raw('r.name'), type: 'text' },
  ...changes,
};

export const listRoles: PlainOperation<'listRoles'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, roleFields, raw('r.id'));
  const counts = await countRoles(db, actor.tenantId, query);
  return { page: pageOf(query.offset, counts), list: await selectRoles(db, actor.tenantId, query) };
};

export const createApiKey: PlainOperation<'createApiKey'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { userId = actor.id, name = '' } = body ?? {};
  checkName('name', name);
  const expiresOn = readExpiry(body?.expiresOn, now);
  if (userId !== actor.id) await refuseKeyFor(context, userId);
  const apiKey = makeApiKey();
  const row = { userId, name, hash: hashApiKey(apiKey), expiresOn, createdBy: actor.id };
  const key = await insertApiKey(db, now, row);
  await record(context, 'createApiKey', { apiKeyId: key.id, userId, name });
  return { ...key, apiKey };
};

/** A key makes whoever holds it the user it is for. */
async function refuseKeyFor({ db, actor }: Context, userId: Id): Promise<void> {
  if (!actor.permissions.has('manageUsers')) {
    throw new Refusal(
      'FORBIDDEN',
      'An API key for somebody else needs the permission manageUsers. Leave out userId.',
    );
  }
  const permissions = await selectPermissions(db, actor.tenantId, userId);
  const message = permissions ? 'names a user without the permission generateApiKey' : 'names no user';
  if (!permissions?.includes('generateApiKey')) {
    throw new Refusal('INVALID_REQUEST', `userId ${message}.`, { details: [{ field: 'userId', message }] });
  }
  refuseBeyond(actor.permissions, permissions, 'An API key for this user');
}

const keyFields: Record<string, Field> = {
  id: { column: raw('k.id'), type: 'id' },
  name: { column: raw('k.name'), type: 'text' },
  userId: { column: raw('k.user_id'), type: 'id' },
  createdOn: { column: raw('k.created_on'), type: 'time' },
};

export const listApiKeys: PlainOperation<'listApiKeys'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, keyFields, raw('k.id'));
  const counts = await countApiKeys(db, keysOf(actor), query);
  return { page: pageOf(query.offset, counts), list: await selectApiKeys(db, keysOf(actor), query) };
};

export const revokeApiKey: PlainOperation<'revokeApiKey'> = async (context, { path }) => {
  const { db, actor } = context;
  if (!(await deleteApiKey(db, keysOf(actor), path.id)))
    throw new Refusal('NOT_FOUND', `There is no API key ${path.id}, or it is not yours.`);
  await record(context, 'revokeApiKey', { apiKeyId: path.id });
};

function keysOf({ tenantId, id, permissions }: Actor): KeyScope {
  return { tenantId, userId: permissions.has('manageUsers') ? undefined : id };
}

function pageOf(offset: number, counts: Counts | undefined): Schemas['Page'] {
  return { offset, total: 0, totalFilter: 0, ...counts };
}
