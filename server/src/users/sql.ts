import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';
import type { ListQuery } from '../lists.ts';
import type { GrantedRole, sameForEverybody } from './rules.ts';

/** A user as the database holds it. */
export type UserRow = Omit<Schemas['User'], keyof typeof sameForEverybody>;

/** What is known of a user that is to be. */
export interface NewUserRow {
  readonly tenantId: Id;
  readonly username: string;
  readonly passwordHash?: string | undefined;
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
  readonly roleIds: readonly Id[];
  /** 0 for the server itself. */
  readonly createdBy: Id;
}

const userColumns = raw(`
  u.id, u.username, u.id as "principalId", u.first_name as "firstName", u.last_name as "lastName", u.email, u.version,
  u.password_hash is not null as "passwordSet", u.disabled, u.description, u.created_by as "createdBy",
  u.created_on as "createdOn", u.updated_by as "updatedBy", u.updated_on as "updatedOn",
  (select coalesce(json_agg(json_build_object('id', r.id, 'name', r.name, 'version', r.version) order by r.id), '[]')
     from user_roles ur join roles r on r.id = ur.role_id where ur.user_id = u.id) as roles`);

export function selectUser(db: Db, userId: Id): Promise<UserRow | undefined> {
  return db.row<UserRow>(sql`select ${userColumns} from users u where u.id = ${userId}`);
}

export function selectUsers(
  db: Db,
  tenantId: Id,
  { where, orderBy, limit, offset }: ListQuery,
): Promise<UserRow[]> {
  return db.rows<UserRow>(sql`
    select ${userColumns} from users u where u.tenant_id = ${tenantId} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** How many rows there are, and how many match the filter. */
export interface Counts {
  readonly total: number;
  readonly totalFilter: number;
}

const counts = (where: Sql) => sql`count(*) as total, count(*) filter (where ${where}) as "totalFilter"`;

export function countUsers(db: Db, tenantId: Id, { where }: ListQuery): Promise<Counts | undefined> {
  return db.row<Counts>(sql`select ${counts(where)} from users u where u.tenant_id = ${tenantId}`);
}

export async function insertUser(db: Db, now: Date, user: NewUserRow): Promise<Id> {
  const { tenantId, username, passwordHash, email, firstName, lastName, description, disabled, createdBy } =
    user;
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into users (tenant_id, username, password_hash, email, first_name, last_name, description, disabled,
      created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${username}, ${passwordHash}, ${email ?? ''}, ${firstName ?? ''}, ${lastName ?? ''},
      ${description ?? ''}, ${disabled ?? false}, ${createdBy}, ${now}, ${createdBy}, ${now})
    returning id`);
  const { id } = row as { id: Id };
  await db.rows(
    sql`insert into user_roles (user_id, role_id) select ${id}, unnest(${user.roleIds}::bigint[])`,
  );
  return id;
}

/** What the roles of a user of the tenant allow; undefined when there is no such user. */
export async function selectPermissions(db: Db, tenantId: Id, userId: Id): Promise<string[] | undefined> {
  const row = await db.row<{ permissions: string[] }>(sql`
    select array(select distinct unnest(r.permissions) from user_roles ur join roles r on r.id = ur.role_id
                  where ur.user_id = u.id) as permissions
    from users u where u.id = ${userId} and u.tenant_id = ${tenantId}`);
  return row?.permissions;
}

const roleColumns = raw(`
  r.id, r.name, r.description, r.permissions, r.version, r.created_by as "createdBy", r.created_on as "createdOn",
  r.updated_by as "updatedBy", r.updated_on as "updatedOn",
  (select count(*) from user_roles ur where ur.role_id = r.id) as "countPrincipals"`);

export function selectRoles(db: Db, tenantId: Id, { where, orderBy, limit, offset }: ListQuery) {
  return db.rows<Schemas['Role']>(sql`
    select ${roleColumns} from roles r where r.tenant_id = ${tenantId} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

export function countRoles(db: Db, tenantId: Id, { where }: ListQuery): Promise<Counts | undefined> {
  return db.row<Counts>(sql`select ${counts(where)} from roles r where r.tenant_id = ${tenantId}`);
}

/** The roles of the tenant among these ids. */
export function selectRolesById(db: Db, tenantId: Id, ids: readonly Id[]): Promise<GrantedRole[]> {
  return db.rows<GrantedRole>(sql`
    select id, name, permissions from roles where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`);
}

export function selectRolesByName(db: Db, tenantId: Id, names: readonly string[]): Promise<GrantedRole[]> {
  return db.rows<GrantedRole>(sql`
    select id, name, permissions from roles where tenant_id = ${tenantId} and name = any(${names}::text[])`);
}

/** What makes a role. */
export interface RoleDescription {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
}

export interface NewRoleRow extends RoleDescription {
  readonly tenantId: Id;
  readonly createdBy: Id;
}

export async function insertRole(db: Db, now: Date, role: NewRoleRow): Promise<Schemas['Role']> {
  const { tenantId, name, description, permissions, createdBy } = role;
  const [row] = await db.rows<Schemas['Role']>(sql`
    insert into roles as r (tenant_id, name, description, permissions, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${name}, ${description}, ${permissions}, ${createdBy}, ${now}, ${createdBy}, ${now})
    returning ${roleColumns}`);
  return row as Schemas['Role'];
}

/** Gives every tenant the role, as described: a release may have changed what it permits. */
export async function upsertSystemRole(db: Db, now: Date, role: RoleDescription): Promise<void> {
  const { name, description, permissions } = role;
  await db.rows(sql`
    insert into roles as r (tenant_id, name, description, permissions, created_by, created_on, updated_by, updated_on)
    select t.id, ${name}, ${description}, ${permissions}::text[], 0, ${now}, 0, ${now} from tenants t order by t.id
    on conflict (tenant_id, name) do update set description = excluded.description, permissions = excluded.permissions,
      version = r.version + 1, updated_by = 0, updated_on = excluded.updated_on
    where (r.description, r.permissions) is distinct from (excluded.description, excluded.permissions)`);
}

const keyColumns = raw(`
  k.id, k.name, k.user_id as "userId", k.expires_on as "expiresOn", k.created_by as "createdBy",
  k.created_on as "createdOn"`);

/** What is known of an API key that is to be. */
export interface NewApiKeyRow {
  readonly userId: Id;
  readonly name: string;
  readonly hash: Buffer;
  readonly expiresOn: Date | undefined;
  readonly createdBy: Id;
}

export async function insertApiKey(db: Db, now: Date, key: NewApiKeyRow): Promise<Schemas['ApiKey']> {
  const { userId, name, hash, expiresOn, createdBy } = key;
  const [row] = await db.rows<Schemas['ApiKey']>(sql`
    insert into api_keys as k (user_id, name, hash, expires_on, created_by, created_on)
    values (${userId}, ${name}, ${hash}, ${expiresOn}, ${createdBy}, ${now}) returning ${keyColumns}`);
  return row as Schemas['ApiKey'];
}

/** Whose keys somebody may see: those of one user, or of all users of the tenant. */
export interface KeyScope {
  readonly tenantId: Id;
  readonly userId: Id | undefined;
}

const inScope = ({ tenantId, userId }: KeyScope) =>
  userId === undefined
    ? sql`k.user_id in (select u.id from users u where u.tenant_id = ${tenantId})`
    : sql`k.user_id = ${userId}`;

export function selectApiKeys(db: Db, scope: KeyScope, { where, orderBy, limit, offset }: ListQuery) {
  return db.rows<Schemas['ApiKey']>(sql`
    select ${keyColumns} from api_keys k where ${inScope(scope)} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

export function countApiKeys(db: Db, scope: KeyScope, { where }: ListQuery): Promise<Counts | undefined> {
  return db.row<Counts>(sql`select ${counts(where)} from api_keys k where ${inScope(scope)}`);
}

/** Deletes the key; the answer is false when there is none in scope. */
export async function deleteApiKey(db: Db, scope: KeyScope, id: Id): Promise<boolean> {
  const row = await db.row(
    sql`delete from api_keys k where k.id = ${id} and ${inScope(scope)} returning k.id`,
  );
  return row !== undefined;
}
