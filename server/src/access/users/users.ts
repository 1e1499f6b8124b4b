import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { storedName } from '../../engine/checks.ts';
import { Refusal, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Context, PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { hashPassword, problemOf } from './passwords.ts';
import { checkName, idsOf, invalid, refuseBeyond } from './rules.ts';

/** The default role of a user. */
const defaultRole = 'AAE_Basic';

export const createUser: PlainOperation<'createUser'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { roles, password, mustChangePassword, ...sent } = body;
  const user = { ...sent, username: storedName(sent.username) };
  checkName('username', user.username);
  const message = password === undefined ? undefined : await problemOf(password, user.username);
  if (message !== undefined) throw invalid([{ field: 'password', message }]);
  const granted = await rolesToGrant(context, idsOf(roles));
  // The connection is held during the hashing; but few people create users, and the first check for them is cheap.
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const roleIds = granted.map(({ id }) => id);
  const own = { passwordHash, mustChangePassword: mustChangePassword === true && password !== undefined };
  const row = { ...user, ...own, tenantId: actor.tenantId, roleIds, createdBy: actor.id };
  const userId = await insertUser(db, now, row);
  await refuseExcess(db, usersOf(actor.tenantId));
  // User names are unique over all tenants, in any case.
  await refuseLookalike(db, raw('users where true'), raw('lower(username)'), user.username.toLowerCase());
  await recordOfAccess(context, {
    operation: 'createUser',
    changes: { userId, username: user.username, roleIds },
  });
  return (await readUser(db, userId)) as Schemas['User'];
};

export const usersOf = (tenantId: Id): Kind => ({
  things: 'users in this tenant',
  rows: sql`users where tenant_id = ${tenantId}`,
  quota: 100_000,
  wayOut: 'Ask who runs the server.',
});

/**
 * The roles with these ids, or else the basic one.
 * @param had the ids of the roles that the user has already
 * @throws Refusal for one that gives more than the caller may do, or opens queues to the user in which the caller has no say.
 */
export async function rolesToGrant(
  context: Context,
  ids: Id[] | undefined,
  had: readonly Id[] = [],
): Promise<GrantedRole[]> {
  const { db, actor } = context;
  const roles = ids
    ? await selectRolesById(db, actor.tenantId, ids)
    : await selectRolesByName(db, actor.tenantId, [defaultRole]);
  refuseUnknownRoles(ids ?? [], roles);
  for (const { name, permissions } of roles) refuseBeyond(actor.permissions, permissions, `The role ${name}`);
  for (const { id, name } of roles)
    if (!had.includes(id)) await refuseQueuesBeyond(context, queuesOfRoles([id]), `The role ${name}`);
  return roles;
}

export const changeFields: Record<string, Field> = {
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
  lastSeenOn: { column: raw('u.last_seen_on'), type: 'time' },
  ...changeFields,
};

export const listUsers: PlainOperation<'listUsers'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, userFields, raw('u.id'));
  const page = await pageOf(
    db,
    query,
    sql`users u where u.tenant_id = ${actor.tenantId} and u.deleted_on is null`,
  );
  const rows = await selectUsers(db, actor.tenantId, query);
  return { page, list: rows.map((row) => ({ ...row, ...sameForEverybody })) };
};

/** Members of a user that older clients read, and that are the same for everybody. */
const sameForEverybody = {
  domain: null,
  emailVerified: true,
  questionsSet: true,
  enableAutoLogin: false,
  clientRegistered: false,
  licenseFeatures: ['RUNTIME'],
};

/** A user as the contract describes one. */
export async function readUser(db: Db, userId: Id): Promise<Schemas['User'] | undefined> {
  const row = await selectUser(db, userId);
  return row && { ...row, ...sameForEverybody };
}

/** The first user of a tenant, with all permissions in it. */
interface Administrator {
  readonly tenantId: Id;
  readonly username: string;
  readonly passwordHash: string;
  readonly mustChangePassword?: boolean;
  /** Whether the user also manages the installation. */
  readonly isOperator?: boolean;
}

export async function addAdministrator(db: Db, now: Date, administrator: Administrator): Promise<Id> {
  const names = administrator.isOperator ? ['AAE_Admin', 'AAE_Operator'] : ['AAE_Admin'];
  const roles = await selectRolesByName(db, administrator.tenantId, names);
  const roleIds = roles.map(({ id }) => id);
  return insertUser(db, now, { ...administrator, description: 'Administrator', roleIds, createdBy: 0 });
}

/** A user as stored in the database. */
type UserRow = Omit<Schemas['User'], keyof typeof sameForEverybody>;

/** A user before it is stored. */
interface NewUserRow {
  readonly tenantId: Id;
  readonly username: string;
  readonly passwordHash?: string | undefined;
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
  readonly mustChangePassword?: boolean;
  readonly roleIds: readonly Id[];
  /** 0 for the server itself. */
  readonly createdBy: Id;
}

/** The description of a role. */
export interface RoleDescription {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
}

const userColumns = raw(`
  u.id, u.username, u.id as "principalId", u.first_name as "firstName", u.last_name as "lastName", u.email, u.version,
  u.password_hash is not null as "passwordSet", u.disabled, u.description,
  u.deleted_on is not null as deleted, case when u.must_change_password then true end as "mustChangePassword", u.created_by as "createdBy",
  (select i.provider from user_identities i where i.user_id = u.id) as provider,
  u.last_seen_on as "lastSeenOn", u.created_on as "createdOn", u.updated_by as "updatedBy", u.updated_on as "updatedOn",
  (select coalesce(json_agg(json_strip_nulls(json_build_object('id', r.id, 'name', r.name, 'version', r.version,
       'provider', ur.provider)) order by r.id), '[]')
     from user_roles ur join roles r on r.id = ur.role_id where ur.user_id = u.id) as roles`);

function selectUser(db: Db, userId: Id): Promise<UserRow | undefined> {
  return db.row<UserRow>(sql`select ${userColumns} from users u where u.id = ${userId}`);
}

function selectUsers(db: Db, tenantId: Id, { where, orderBy, limit, offset }: ListQuery): Promise<UserRow[]> {
  return db.rows<UserRow>(sql`
    select ${userColumns} from users u where u.tenant_id = ${tenantId} and u.deleted_on is null and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

registerConstraints({
  users_username_unique: {
    code: 'NAME_TAKEN',
    message: 'This user name is taken, or was that of a user who was deleted. Choose another.',
  },
});

/** Stores a new user with the roles. @returns the id */
export async function insertUser(db: Db, now: Date, user: NewUserRow): Promise<Id> {
  const { tenantId, username, passwordHash, email, firstName, lastName, description, createdBy } = user;
  const { disabled = false, mustChangePassword = false } = user;
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into users (tenant_id, username, password_hash, email, first_name, last_name, description, disabled,
      must_change_password, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${username}, ${passwordHash}, ${email ?? ''}, ${firstName ?? ''}, ${lastName ?? ''},
      ${description ?? ''}, ${disabled}, ${mustChangePassword}, ${createdBy}, ${now}, ${createdBy}, ${now})
    returning id`);
  const { id } = row as { id: Id };
  await db.rows(
    sql`insert into user_roles (user_id, role_id) select ${id}, unnest(${user.roleIds}::bigint[])`,
  );
  return id;
}

/** The roles of the tenant among these ids. */
function selectRolesById(db: Db, tenantId: Id, ids: readonly Id[]): Promise<GrantedRole[]> {
  return db.rows<GrantedRole>(sql`
    select id, name, permissions from roles where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`);
}

function selectRolesByName(db: Db, tenantId: Id, names: readonly string[]): Promise<GrantedRole[]> {
  return db.rows<GrantedRole>(sql`
    select id, name, permissions from roles where tenant_id = ${tenantId} and name = any(${names}::text[])`);
}

/** Queues that roles open by consuming them, with the membership, as SQL with the columns queue_id and role. */
const queuesOfRoles = (roleIds: readonly Id[]): Sql =>
  sql`select c.queue_id, 'CONSUMER' as role from queue_consumers c where c.role_id = any(${roleIds}::bigint[])`;

/** All queues that a user belongs to. */
export const queuesInReachOf = (userId: Id): Sql => sql`
  select m.queue_id, m.role from queue_members m where m.user_id = ${userId}
  union
  select c.queue_id, 'CONSUMER' from queue_consumers c join user_roles ur on ur.role_id = c.role_id
   where ur.user_id = ${userId}`;

/** Of these queues, those in which the caller has no say: neither as an owner nor with the same role. */
export async function queuesBeyond(
  { db, actor }: { readonly db: Db; readonly actor: Actor },
  reached: Sql,
): Promise<Id[]> {
  if (actor.permissions.has('manageAllQueues')) return [];
  const rows = await db.rows<{ id: Id }>(sql`
    select distinct r.queue_id as id from (${reached}) r
    where not exists (select from (${queuesInReachOf(actor.id)}) own
      where own.queue_id = r.queue_id and own.role in ('OWNER', r.role)) order by id`);
  return rows.map(({ id }) => id);
}

/**
 * Users cannot open queues in which they have no say, neither to others nor through others to themselves: a manager of users could enter
 * all of them. The refusal does not name the queue, as the caller may not know of it.
 * @param what the beginning of the sentence
 */
async function refuseQueuesBeyond(context: Context, reached: Sql, what: string): Promise<void> {
  if ((await queuesBeyond(context, reached)).length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `${what} would open a queue in which you have no say. Ask an owner of the queue, or somebody who manages all queues.`,
  );
}

/** A role, as far as granting it needs. */
interface GrantedRole {
  readonly id: Id;
  readonly name: string;
  readonly permissions: readonly string[];
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
