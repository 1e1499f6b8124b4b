import type { Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import type { Actor, Capability, Context } from '../../engine/operation.ts';
import { seesAllQueues } from '../users/permissions.ts';
import { capabilitiesOf, membershipsBy, type Membership } from './rules.ts';

/** The memberships of the caller in a queue that is not the one of the operation; empty when the caller has none. */
export async function membershipsIn(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  queueId: Id,
): Promise<readonly Membership[]> {
  if (actor.queueIds && !actor.queueIds.includes(queueId)) return [];
  const memberships = await selectMemberships(db, actor, queueId);
  if (!memberships) return [];
  return [...memberships, ...membershipsBy(actor.permissions)];
}

/** Memberships by which one sees a queue; those by devices are about single calls. */
type LastingMembership = Exclude<Membership, 'DEVICE'>;

/** Queues with the caller's memberships and capabilities in each of them. */
export async function withMemberships<Queue extends { readonly id: Id }>(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  queues: readonly Queue[],
): Promise<(Queue & { memberships: LastingMembership[]; capabilities: Capability[] })[]> {
  const rows = await db.rows<{ memberships: LastingMembership[] }>(sql`
    select ${membershipsOf(actor.id)} as memberships
    from unnest(${queues.map(({ id }) => id)}::bigint[]) with ordinality as q (id, place) order by q.place`);
  return queues.map((queue, index) => {
    const memberships = [...(rows[index]?.memberships ?? []), ...membershipsBy(actor.permissions)];
    return { ...queue, memberships, capabilities: [...capabilitiesOf(memberships)] };
  });
}

/** The first of these queues that the caller does not belong to, by a membership of their own. */
export async function firstOutside(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  queueIds: readonly Id[],
): Promise<Id | undefined> {
  const row = await db.row<{ queueId: Id }>(sql`
    select q.id as "queueId" from unnest(${queueIds}::bigint[]) with ordinality as q (id, place)
    where q.id not in (${queuesOfUser(actor.id)}) order by q.place limit 1`);
  return row?.queueId;
}

/** Whether the caller may see a queue that is not the one of the operation. */
export async function maySee(context: Pick<Context, 'db' | 'actor'>, queueId: Id): Promise<boolean> {
  return capabilitiesOf(await membershipsIn(context, queueId)).has('view');
}

/** The memberships of a user in a queue; undefined when the tenant has no such queue. */
async function selectMemberships(
  db: Db,
  user: { readonly id: Id; readonly tenantId: Id },
  queueId: Id,
): Promise<Membership[] | undefined> {
  const row = await db.row<{ memberships: Membership[] }>(sql`
    select ${membershipsOf(user.id)} as memberships
    from queues q where q.id = ${queueId} and q.tenant_id = ${user.tenantId}`);
  return row?.memberships;
}

/** The condition on queues `q` that the caller may see: as member or by a consumer role, or all of the tenant. */
export function seenBy({ id, tenantId, permissions, queueIds }: Actor): Sql {
  const ofKey = queueIds ? sql`q.id = any(${queueIds}::bigint[])` : sql`true`;
  if (seesAllQueues(permissions)) return sql`q.tenant_id = ${tenantId} and ${ofKey}`;
  return sql`q.tenant_id = ${tenantId} and ${ofKey} and q.id in (${queuesOfUser(id)})`;
}

/** The memberships of a user in the queue `q`, as SQL. */
function membershipsOf(userId: Id): Sql {
  return sql`array(
    select m.role from queue_members m where m.queue_id = q.id and m.user_id = ${userId}
    union select 'CONSUMER' from queue_consumers c join user_roles ur on ur.role_id = c.role_id
     where c.queue_id = q.id and ur.user_id = ${userId})`;
}

/** The ids of the queues that a user belongs to, as SQL. */
export function queuesOfUser(userId: Id): Sql {
  return sql`
    select m.queue_id from queue_members m where m.user_id = ${userId}
    union all
    select c.queue_id from queue_consumers c join user_roles ur on ur.role_id = c.role_id where ur.user_id = ${userId}`;
}

/** The owners of a queue other than a user, as SQL. A disabled one does not count, unless the user is disabled as well. */
export const otherOwners = (queueId: Sql, userId: Id): Sql => sql`
  select from queue_members o join users u on u.id = o.user_id
  where o.queue_id = ${queueId} and o.role = 'OWNER' and o.user_id <> ${userId}
    and (not u.disabled or exists (select from users d where d.id = ${userId} and d.disabled))`;
