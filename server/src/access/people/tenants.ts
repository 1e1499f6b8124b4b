import type { Id, Schemas } from '@millrace/api';
import { storedName } from '../../engine/checks.ts';
import { raw, sql, type Db } from '../../engine/db.ts';
import { Refusal, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Context, PlainOperation } from '../../engine/operation.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { endSessionsOfTenant } from '../auth/session-store.ts';
import { hashPassword, makePassword } from '../users/passwords.ts';
import { checkName } from '../users/rules.ts';
import { addTenant } from '../users/tenants.ts';
import { addAdministrator } from '../users/users.ts';

export const createTenant: PlainOperation<'createTenant'> = async (context, { body }) => {
  const { db, now } = context;
  const [name, username] = [storedName(body.name), storedName(body.administrator)];
  checkName('name', name);
  checkName('administrator', username);
  const temporaryPassword = makePassword();
  const passwordHash = await hashPassword(temporaryPassword);
  const tenantId = await addTenant(db, now, name);
  const administrator = { tenantId, username, passwordHash, mustChangePassword: true };
  const administratorId = await addAdministrator(db, now, administrator);
  await recordOfAccess(context, { operation: 'createTenant', changes: { tenantId, name, administratorId } });
  return { tenant: await findTenant(db, tenantId), administratorId, temporaryPassword };
};

export const rewrapTenantKeys: PlainOperation<'rewrapTenantKeys'> = async (context) => {
  const { db, vault } = context;
  const rewrapped = await vault.rewrapAll(db);
  const masterKey = vault.masterName;
  await recordOfAccess(context, { operation: 'rewrapTenantKeys', changes: { masterKey, rewrapped } });
  return { masterKey, rewrapped };
};

const fields: Record<string, Field> = {
  id: { column: raw('t.id'), type: 'id' },
  uuid: { column: raw('t.uuid::text'), type: 'text' },
  name: { column: raw('t.name'), type: 'text' },
  disabled: { column: raw('t.disabled'), type: 'boolean' },
  createdOn: { column: raw('t.created_on'), type: 'time' },
};

export const listTenants: PlainOperation<'listTenants'> = async ({ db }, { body }) => {
  const { where, orderBy, limit, offset } = listQuery(body, fields, raw('t.id'));
  const list = await db.rows<Schemas['Tenant']>(sql`
    select ${tenantColumns} from tenants t where ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
  return { page: await pageOf(db, { where, offset }, sql`tenants t where true`), list };
};

export const disableTenant: PlainOperation<'disableTenant'> = async (context, { path }) => {
  const { db, actor } = context;
  if (path.id === actor.tenantId)
    throw new Refusal('STATUS_CONFLICT', 'This is your own tenant: nobody could let it in again.');
  const tenant = await findTenant(db, path.id);
  if (tenant.disabled) return tenant;
  await setDisabled(db, path.id, true);
  const endedSessions = await endSessionsOfTenant(context, path.id);
  await recordOfAccess(context, {
    operation: 'disableTenant',
    changes: { tenantId: path.id, endedSessions },
  });
  return { ...tenant, disabled: true };
};

export const enableTenant: PlainOperation<'enableTenant'> = async (context: Context, { path }) => {
  const { db } = context;
  const tenant = await findTenant(db, path.id);
  if (!tenant.disabled) return tenant;
  await setDisabled(db, path.id, false);
  await recordOfAccess(context, { operation: 'enableTenant', changes: { tenantId: path.id } });
  return { ...tenant, disabled: false };
};

registerConstraints({
  tenants_name_unique: { code: 'NAME_TAKEN', message: 'There is a tenant of this name. Choose another.' },
});

const tenantColumns = raw('t.id, t.uuid, t.name, t.disabled, t.created_on as "createdOn"');

async function findTenant(db: Db, id: Id): Promise<Schemas['Tenant']> {
  const tenant = await db.row<Schemas['Tenant']>(
    sql`select ${tenantColumns} from tenants t where t.id = ${id} for no key update`,
  );
  if (tenant) return tenant;
  throw new Refusal('NOT_FOUND', `There is no tenant ${id}. POST /v2/usermanagement/tenants/list lists all.`);
}

async function setDisabled(db: Db, id: Id, disabled: boolean): Promise<void> {
  await db.rows(sql`update tenants set disabled = ${disabled} where id = ${id}`);
}
