import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../db.ts';
import type { MemberRole } from './rules.ts';

/** Gives a user a role in a queue, whatever it was before. */
export async function saveMember(db: Db, queueId: Id, userId: Id, role: MemberRole): Promise<void> {
  await db.rows(sql`
    insert into queue_members (queue_id, user_id, role) values (${queueId}, ${userId}, ${role})
    on conflict (queue_id, user_id) do update set role = excluded.role`);
}

/** The role of a user of the tenant in a queue: no row for a user that does not exist, no role for one outside. */
export function selectMember(db: Db, tenantId: Id, queueId: Id, userId: Id) {
  return db.row<{ userId: Id; role?: MemberRole }>(sql`
    select u.id as "userId", m.role
    from users u left join queue_members m on m.user_id = u.id and m.queue_id = ${queueId}
    where u.tenant_id = ${tenantId} and u.id = ${userId}`);
}

export async function hasOtherOwner(db: Db, queueId: Id, userId: Id): Promise<boolean> {
  const rows = await db.rows(sql`
    select from queue_members where queue_id = ${queueId} and role = 'OWNER' and user_id <> ${userId} limit 1`);
  return rows.length > 0;
}

/** A role of the tenant as a consumer. */
export function selectConsumer(
  db: Db,
  tenantId: Id,
  roleId: Id,
): Promise<Schemas['QueueConsumer'] | undefined> {
  return db.row(sql`
    select r.id as "roleId", r.name as "roleName" from roles r where r.tenant_id = ${tenantId} and r.id = ${roleId}`);
}

export async function saveConsumer(db: Db, queueId: Id, roleId: Id): Promise<void> {
  await db.rows(sql`
    insert into queue_consumers (queue_id, role_id) values (${queueId}, ${roleId}) on conflict do nothing`);
}
