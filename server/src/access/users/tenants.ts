import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { systemRoles } from './permissions.ts';
import type { RoleDescription } from './users.ts';

/** Creates a tenant with the roles of this version, without users. */
export async function addTenant(db: Db, now: Date, name: string): Promise<Id> {
  const tenantId = await insertTenant(db, now, name);
  await saveSystemRoles(db, now);
  return tenantId;
}

async function insertTenant(db: Db, now: Date, name: string): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(
    sql`insert into tenants (name, created_on) values (${name}, ${now}) returning id`,
  );
  return (row as { id: Id }).id;
}

/** Gives every tenant the roles that this version describes. */
export async function saveSystemRoles(db: Db, now: Date): Promise<void> {
  for (const [name, role] of Object.entries(systemRoles)) await upsertSystemRole(db, now, { name, ...role });
}

/** Gives every tenant the role, as described: a release may have changed its permissions. */
async function upsertSystemRole(db: Db, now: Date, role: RoleDescription): Promise<void> {
  const { name, description, permissions } = role;
  await db.rows(sql`
    insert into roles as r (tenant_id, name, description, permissions, created_by, created_on, updated_by, updated_on)
    select t.id, ${name}, ${description}, ${permissions}::text[], 0, ${now}, 0, ${now} from tenants t order by t.id
    on conflict (tenant_id, name) do update set description = excluded.description, permissions = excluded.permissions,
      version = r.version + 1, updated_by = 0, updated_on = excluded.updated_on
    where (r.description, r.permissions) is distinct from (excluded.description, excluded.permissions)`);
}
