import type { Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Actor, Context } from '../../engine/operation.ts';

/** Queues that roles open by consuming them, with the membership, as SQL with the columns queue_id and role. */
export const queuesOfRoles = (roleIds: readonly Id[]): Sql =>
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
export async function refuseQueuesBeyond(context: Context, reached: Sql, what: string): Promise<void> {
  if ((await queuesBeyond(context, reached)).length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `${what} would open a queue in which you have no say. Ask an owner of the queue, or somebody who manages all queues.`,
  );
}
