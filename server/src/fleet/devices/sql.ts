import type { Id } from '@millrace/api';
import { raw, sql, type Sql } from '../../engine/db.ts';

export const deviceColumns = raw(`d.id, d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slots,
  coalesce(held.items, 0) as "busySlots", d.agent_version as "agentVersion",
  case when d.is_connected then 'CONNECTED' else 'DISCONNECTED' end as status,
  d.state, d.state_reason as "stateReason", d.state_by as "stateBy", d.state_on as "stateOn",
  array(select pd.pool_id from pool_devices pd where pd.device_id = d.id order by pd.pool_id) as "poolIds",
  d.last_seen_on as "lastSeenOn", d.user_id as "userId", d.created_by as "createdBy", d.created_on as "createdOn",
  d.updated_by as "updatedBy", d.updated_on as "updatedOn", d.version`);

// Counts the items in progress for devices, whether sent to them or claimed for them, once for all devices.
export const withHeldItems = raw(`
  devices d left join (
    select device_id, count(*) as items from work_items where status = 'IN_PROGRESS' and device_id is not null
    group by device_id) held on held.device_id = d.id`);

/** The devices that a user may see: all of the tenant, or the user's own and those of some pools. */
export interface DeviceScope {
  readonly tenantId: Id;
  readonly userId: Id;
  /** The ids of the pools; undefined for all devices. */
  readonly pools: Sql | undefined;
}

export function inScope({ tenantId, userId, pools }: DeviceScope): Sql {
  if (!pools) return sql`d.tenant_id = ${tenantId}`;
  return sql`d.tenant_id = ${tenantId} and (d.user_id = ${userId}
    or d.id in (select pd.device_id from pool_devices pd where pd.pool_id in (${pools})))`;
}
