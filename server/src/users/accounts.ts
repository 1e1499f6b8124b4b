import type { Id, Schemas } from '@millrace/api';
import { systemRoles } from '../auth/permissions.ts';
import type { Db } from '../db.ts';
import { sameForEverybody } from './rules.ts';
import { insertUser, selectRolesByName, selectUser, upsertSystemRole } from './sql.ts';

/** A user as the contract describes one. */
export async function readUser(db: Db, userId: Id): Promise<Schemas['User'] | undefined> {
  const row = await selectUser(db, userId);
  return row && { ...row, ...sameForEverybody };
}

/** Gives every tenant the roles that this version describes. */
export async function saveSystemRoles(db: Db, now: Date): Promise<void> {
  for (const [name, role] of Object.entries(systemRoles)) await upsertSystemRole(db, now, { name, ...role });
}

/** The first user of a tenant, who may do everything in it. */
export interface Administrator {
  readonly tenantId: Id;
  readonly username: string;
  readonly passwordHash: string;
}

export async function addAdministrator(db: Db, now: Date, administrator: Administrator): Promise<Id> {
  const roles = await selectRolesByName(db, administrator.tenantId, ['AAE_Admin']);
  const roleIds = roles.map(({ id }) => id);
  return insertUser(db, now, { ...administrator, description: 'Administrator', roleIds, createdBy: 0 });
}
