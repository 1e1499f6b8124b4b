import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import { commonForm, storedName } from '../../engine/checks.ts';
import { Refusal, refuseStale, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Context, PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { changedMembers, recordOfAccess } from '../../journal/journal.ts';
import { seenBy } from '../members/membership.ts';
import { decideLast, lockPeople, selectRemaining } from '../users/administrators.ts';
import { checkName, invalid, readPermissions, refuseBeyond } from '../users/rules.ts';
import { changeFields, type RoleDescription } from '../users/users.ts';

type Role = Schemas['Role'];
type Effect = Schemas['RoleEffect'];

export const getRole: PlainOperation<'getRole'> = async (context, { path }) => findRole(context, path.id);

export const updateRole: PlainOperation<'updateRole'> = async (context, { path, body }) => {
  const { actor } = context;
  const before = await lockRole(context, path.id);
  refuseStale('role', before, body);
  const after = changedRole(before, body);
  refuseBeyond(actor.permissions, after.permissions, `The role ${after.name}`);
  const taken = before.permissions.filter((permission) => !after.permissions.includes(permission));
  const effect = await effectOf(context, path.id, { taken, queues: [] });
  const role = await tryOut(context, body.dryRun === true, async () => {
    await saveRole(context, path.id, after);
    if (after.name !== before.name)
      await refuseLookalike(context.db, rolesOf(actor.tenantId).rows, raw('name'), after.name);
    return findRole(context, path.id);
  });
  const changes = { roleId: path.id, ...changedMembers(settingsOf(before), after) };
  if (!body.dryRun) await recordOfAccess(context, { operation: 'updateRole', changes });
  return { ...effect, role };
};

export const deleteRole: PlainOperation<'deleteRole'> = async (context, { path, query }) => {
  const { db } = context;
  const { name, permissions } = await lockRole(context, path.id);
  const queues = await selectQueues(context, path.id);
  const effect = await effectOf(context, path.id, { taken: permissions, queues });
  await tryOut(context, query.dryRun === true, async () => {
    await db.rows(sql`delete from queue_consumers where role_id = ${path.id}`);
    await db.rows(sql`delete from user_roles where role_id = ${path.id}`);
    await db.rows(sql`delete from roles where id = ${path.id}`);
  });
  const queueIds = queues.slice(0, shown).map(({ queueId }) => queueId);
  const changes = { roleId: path.id, name, permissions, queueIds };
  if (!query.dryRun) await recordOfAccess(context, { operation: 'deleteRole', changes });
  return effect;
};

async function findRole({ db, actor }: Context, id: Id): Promise<Role> {
  const role = await selectRole(db, actor.tenantId, id);
  if (role) return role;
  throw new Refusal('NOT_FOUND', `There is no role ${id}. POST /v2/usermanagement/roles/list lists all.`);
}

/** A role that the caller may change. Changes of rights come one after the other, so that an operator remains. */
async function lockRole(context: Context, id: Id): Promise<Role> {
  await lockPeople(context.db);
  const role = await findRole(context, id);
  refuseSystemRole(role.name);
  refuseBeyond(context.actor.permissions, role.permissions, `The role ${role.name}`);
  return role;
}

type Settings = Pick<Role, 'name' | 'description' | 'permissions'>;

function settingsOf({ name, description, permissions }: Role): Settings {
  return { name, description, permissions };
}

/** The role as a request wants it. @throws Refusal INVALID_REQUEST */
function changedRole(role: Role, wanted: Schemas['RoleUpdate']): Settings {
  const { description = role.description } = wanted;
  const name = wanted.name === undefined ? role.name : storedName(wanted.name);
  if (name !== role.name) checkRoleName(name);
  const permissions = wanted.permissions ? readPermissions(wanted.permissions) : role.permissions;
  return { name, description, permissions };
}

/** Makes a change, and undoes it again in a trial run, so that every check that would refuse it runs. */
async function tryOut<T>(context: Context, isDry: boolean, change: () => Promise<T>): Promise<T> {
  const { db, actor } = context;
  const before = await selectRemaining(db, actor.tenantId);
  await db.rows(sql`savepoint tried_out`);
  const result = await change();
  const offices = { isAdministrator: before.hasAdministrator, isOperator: before.hasOperator };
  const refusal = decideLast(offices, await selectRemaining(db, actor.tenantId));
  if (refusal) throw refusal;
  if (isDry) await db.rows(sql`rollback to savepoint tried_out`);
  return result;
}

async function saveRole({ db, actor, now }: Context, id: Id, settings: Settings): Promise<void> {
  const { name, description, permissions } = settings;
  await db.rows(sql`
    update roles set name = ${name}, description = ${description}, permissions = ${permissions}::text[],
      version = version + 1, updated_by = ${actor.id}, updated_on = ${now} where id = ${id}`);
}

/** Permissions and queues that a change of a role takes away. */
interface Taking {
  /** The permissions that it no longer grants. */
  readonly taken: readonly string[];
  /** The queues that it no longer processes. */
  readonly queues: readonly ConsumedQueue[];
}

/** The effect of a change; names only the queues that the caller sees, and counts all. */
async function effectOf({ db }: Context, id: Id, { taken, queues }: Taking): Promise<Effect> {
  const losers = await selectLosers(db, id, taken, queues.length > 0);
  const seen = queues.filter(({ isSeen }) => isSeen).slice(0, shown);
  return {
    taken: losers.slice(0, shown),
    takenCount: losers.length,
    queues: seen.map(({ queueId, name }) => ({ queueId, name })),
    queueCount: queues.length,
  };
}

const shown = 100;

type RoleQueue = Schemas['RoleQueue'];

interface ConsumedQueue extends RoleQueue {
  /** Whether the caller may know of the queue. */
  readonly isSeen: boolean;
}

function selectQueues({ db, actor }: Context, roleId: Id): Promise<ConsumedQueue[]> {
  return db.rows(sql`
    select q.id as "queueId", q.name, (${seenBy(actor)}) as "isSeen"
    from queue_consumers c join queues q on q.id = c.queue_id where c.role_id = ${roleId} order by q.id`);
}

/**
 * The users of a role who lose permissions that no other role of theirs grants; or all users of it, when they lose more than permissions.
 */
function selectLosers(
  db: Db,
  roleId: Id,
  taken: readonly string[],
  isAll: boolean,
): Promise<Effect['taken']> {
  return db.rows(sql`
    select u.id as "userId", u.username, lost.permissions
    from user_roles ur join users u on u.id = ur.user_id, lateral (select array(
      select p from unnest(${taken}::text[]) p where not exists (
        select from user_roles o join roles r on r.id = o.role_id
        where o.user_id = u.id and r.id <> ${roleId} and p = any(r.permissions)) order by p) as permissions) lost
    where ur.role_id = ${roleId} and (${isAll} or lost.permissions <> '{}') order by u.id`);
}

export const createRole: PlainOperation<'createRole'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { description = '' } = body;
  const name = storedName(body.name);
  checkRoleName(name);
  const permissions = readPermissions(body.permissions);
  refuseBeyond(actor.permissions, permissions, `The role ${name}`);
  const row = { name, description, permissions, tenantId: actor.tenantId, createdBy: actor.id };
  const role = await insertRole(db, now, row);
  const kind = rolesOf(actor.tenantId);
  await refuseExcess(db, kind);
  await refuseLookalike(db, kind.rows, raw('name'), name);
  await recordOfAccess(context, { operation: 'createRole', changes: { roleId: role.id, name, permissions } });
  return role;
};

const rolesOf = (tenantId: Id): Kind => ({
  things: 'roles in this tenant',
  rows: sql`roles where tenant_id = ${tenantId}`,
  quota: 1000,
  wayOut: 'Give users one of those; POST /v2/usermanagement/roles/list lists them.',
});

const roleFields: Record<string, Field> = {
  id: { column: raw('r.id'), type: 'id' },
  name: { column: raw('r.name'), type: 'text' },
  ...changeFields,
};

export const listRoles: PlainOperation<'listRoles'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, roleFields, raw('r.id'));
  const page = await pageOf(db, query, sql`roles r where r.tenant_id = ${actor.tenantId}`);
  return { page, list: await selectRoles(db, actor.tenantId, query) };
};

const roleColumns = raw(`
  r.id, r.name, r.description, r.permissions, r.version, r.created_by as "createdBy", r.created_on as "createdOn",
  r.updated_by as "updatedBy", r.updated_on as "updatedOn",
  (select count(*) from user_roles ur where ur.role_id = r.id) as "countPrincipals"`);

function selectRoles(db: Db, tenantId: Id, { where, orderBy, limit, offset }: ListQuery) {
  return db.rows<Schemas['Role']>(sql`
    select ${roleColumns} from roles r where r.tenant_id = ${tenantId} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** A role of a tenant, with the number of its users. */
function selectRole(db: Db, tenantId: Id, id: Id): Promise<Schemas['Role'] | undefined> {
  return db.row<Schemas['Role']>(
    sql`select ${roleColumns} from roles r where r.tenant_id = ${tenantId} and r.id = ${id}`,
  );
}

interface NewRoleRow extends RoleDescription {
  readonly tenantId: Id;
  readonly createdBy: Id;
}

registerConstraints({
  roles_name_unique: {
    code: 'NAME_TAKEN',
    message: 'A role of this name exists already. Choose another name.',
  },
});

async function insertRole(db: Db, now: Date, role: NewRoleRow): Promise<Schemas['Role']> {
  const { tenantId, name, description, permissions, createdBy } = role;
  const [row] = await db.rows<Schemas['Role']>(sql`
    insert into roles as r (tenant_id, name, description, permissions, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${name}, ${description}, ${permissions}, ${createdBy}, ${now}, ${createdBy}, ${now})
    returning ${roleColumns}`);
  return row as Schemas['Role'];
}

/** Refuses to change a role of the server: the next start would restore it. @throws Refusal STATUS_CONFLICT */
function refuseSystemRole(name: string): void {
  if (!name.startsWith('AAE_')) return;
  throw new Refusal(
    'STATUS_CONFLICT',
    `The role ${name} is one of the server and stays as it is. Create one of your own, and give it in its place.`,
  );
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
