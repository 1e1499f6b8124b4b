import type { Id, Schemas } from '@millrace/api';
import { sql, type Db, type Sql } from '../db.ts';
import type { MemberRole, Standing } from './rules.ts';

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

/** Why a user belongs to a queue; undefined when the tenant has no such queue. */
export async function selectStandings(
  db: Db,
  user: { readonly id: Id; readonly tenantId: Id },
  queueId: Id,
): Promise<Standing[] | undefined> {
  const row = await db.row<{ standings: Standing[] }>(sql`
    select array(
      select m.role from queue_members m where m.queue_id = q.id and m.user_id = ${user.id}
      union select 'CONSUMER' from queue_consumers c join user_roles ur on ur.role_id = c.role_id
       where c.queue_id = q.id and ur.user_id = ${user.id}) as standings
    from queues q where q.id = ${queueId} and q.tenant_id = ${user.tenantId}`);
  return row?.standings;
}

/** The ids of the queues that a user belongs to, as SQL. */
export function queuesOfUser(userId: Id): Sql {
  return sql`
    select m.queue_id from queue_members m where m.user_id = ${userId}
    union all
    select c.queue_id from queue_consumers c join user_roles ur on ur.role_id = c.role_id where ur.user_id = ${userId}`;
}
