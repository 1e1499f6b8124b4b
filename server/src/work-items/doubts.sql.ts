import type { Id, Schemas } from '@millrace/api';
import { sql, type Db, type Sql } from '../db.ts';

/** Queues whose items somebody may see: all of the tenant, or some of them by their ids. */
export interface QueueScope {
  readonly tenantId: Id;
  readonly queues: Sql | undefined;
}

function inScope({ tenantId, queues }: QueueScope): Sql {
  return queues ? sql`q.tenant_id = ${tenantId} and q.id in (${queues})` : sql`q.tenant_id = ${tenantId}`;
}

/** How many items in doubt there are in some queues. */
export async function countDoubts(db: Db, scope: QueueScope): Promise<number> {
  const row = await db.row<{ count: Id }>(sql`
    select count(*) from work_items i join queues q on q.id = i.queue_id
    where i.failure_kind = 'IN_DOUBT' and ${inScope(scope)}`);
  return Number(row?.count);
}

/** The items in doubt of some queues that have waited longest, so many at most. */
export function selectDoubts(db: Db, scope: QueueScope, limit: number): Promise<Schemas['ItemInDoubt'][]> {
  return db.rows(sql`
    select i.queue_id as "queueId", q.name as "queueName", i.id, i.version, i.ended_on as since,
      i.point_of_no_return_on as "pointOfNoReturnOn", i.device_id as "deviceId", i.error
    from work_items i join queues q on q.id = i.queue_id
    where i.failure_kind = 'IN_DOUBT' and ${inScope(scope)} order by i.ended_on, i.id limit ${limit}`);
}
