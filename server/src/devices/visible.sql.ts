import type { Id } from '@millrace/api';
import { sql, type Sql } from '../db.ts';
import { poolsOfUser } from '../pools/visible.sql.ts';

/** The ids of the devices that a user registered, or that are in pools which the user owns or consumes. */
export function devicesOf(userId: Id): Sql {
  return sql`
    select d.id from devices d where d.user_id = ${userId}
    union all
    select pd.device_id from pool_devices pd where pd.pool_id in (${poolsOfUser(userId)})`;
}
