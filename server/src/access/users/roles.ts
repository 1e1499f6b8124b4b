import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import { storedName } from '../../engine/checks.ts';
import { registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { checkRoleName, readPermissions, refuseBeyond } from './rules.ts';
import { changes, type RoleDescription } from './users.ts';

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

export const rolesOf = (tenantId: Id): Kind => ({
  things: 'roles in this tenant',
  rows: sql`roles where tenant_id = ${tenantId}`,
  quota: 1000,
  wayOut: 'Give users one of those; POST /v2/usermanagement/roles/list lists them.',
});

const roleFields: Record<string, Field> = {
  id: { column: raw('r.id'), type: 'id' },
  name: { column: raw('r.name'), type: 'text' },
  ...changes,
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
export function selectRole(db: Db, tenantId: Id, id: Id): Promise<Schemas['Role'] | undefined> {
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
