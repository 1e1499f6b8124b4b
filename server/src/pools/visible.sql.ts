import type { Id } from '@millrace/api';
import { sql, type Sql } from '../db.ts';

/** The ids of the pools that a user owns or consumes, as SQL. */
export function poolsOfUser(userId: Id): Sql {
  return sql`
    select o.pool_id from pool_owners o where o.user_id = ${userId}
    union all
    select c.pool_id from pool_consumers c join user_roles ur on ur.role_id = c.role_id where ur.user_id = ${userId}`;
}
