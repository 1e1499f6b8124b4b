import type { Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../db.ts';

/** The ids of the queues that a user belongs to, as a member or by a consumer role. */
export function queuesOf(userId: Id): Sql {
  return sql`
    select m.queue_id from queue_members m where m.user_id = ${userId}
    union all
    select c.queue_id from queue_consumers c join user_roles ur on ur.role_id = c.role_id
     where ur.user_id = ${userId}`;
}

/** Whether a user belongs to a queue. */
export async function belongsTo(db: Db, userId: Id, queueId: Id): Promise<boolean> {
  const rows = await db.rows(sql`select from (${queuesOf(userId)}) q where q.queue_id = ${queueId} limit 1`);
  return rows.length > 0;
}
