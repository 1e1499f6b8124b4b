import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';

/** The offices of a user that must not become vacant: at least one administrator and one operator remain. */
export interface Offices {
  readonly isAdministrator: boolean;
  readonly isOperator: boolean;
}

/** Whether an administrator and an operator who can log in remain. */
interface Remaining {
  readonly hasAdministrator: boolean;
  readonly hasOperator: boolean;
}

/** The refusal of a change after which nobody could undo it. @param before the offices of the changed user */
export function decideLast(before: Offices, after: Remaining): Refusal | undefined {
  if (before.isAdministrator && !after.hasAdministrator)
    return last('administrator of the tenant', 'AAE_Admin');
  if (before.isOperator && !after.hasOperator) return last('operator of the installation', 'AAE_Operator');
  return undefined;
}

function last(what: string, role: string): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `This would take the last ${what} who can log in. Give the role ${role} to somebody else first, who has a password or an API key of their own that is good for everything.`,
  );
}

// Any number will do, as long as every Millrace server takes the same.
const peopleLock = 7_455_703;

/** The lock lasts until the transaction ends. Operators are counted over all tenants, hence one for all. */
export async function lockPeople(db: Db): Promise<void> {
  await db.rows(sql`select pg_advisory_xact_lock(${peopleLock})`);
}

/**
 * Whether the user `u` can log in. One created without a password can do so once they have a key for all that they may do. A key for less,
 * as keys made by somebody else are, does not help a user who must set things right.
 */
export const canLogIn = sql`not u.disabled and not exists (select from tenants t where t.id = u.tenant_id and t.disabled)
  and (u.password_hash is not null or (
    exists (select from api_keys k where k.user_id = u.id and k.permissions is null and k.queue_ids is null
      and (k.expires_on is null or k.expires_on > now()))
    and exists (select from user_roles l join roles lr on lr.id = l.role_id
      where l.user_id = u.id and 'generateApiKey' = any(lr.permissions))))`;

/** Whether an administrator and an operator remain who can log in: there must be one of each. */
export async function selectRemaining(db: Db, tenantId: Id): Promise<Remaining> {
  const row = await db.row<Remaining>(sql`
    select exists (select from roles r join user_roles ur on ur.role_id = r.id join users u on u.id = ur.user_id
        where r.tenant_id = ${tenantId} and r.name = 'AAE_Admin' and ${canLogIn}) as "hasAdministrator",
      exists (select from roles r join user_roles ur on ur.role_id = r.id join users u on u.id = ur.user_id
        where 'manageInstallation' = any(r.permissions) and ${canLogIn}) as "hasOperator"`);
  return row as Remaining;
}

/** Refuses a change, already made, that took the last administrator or operator. @throws Refusal STATUS_CONFLICT */
export async function refuseLast(db: Db, tenantId: Id, before: Offices): Promise<void> {
  const refusal = decideLast(before, await selectRemaining(db, tenantId));
  if (refusal) throw refusal;
}
