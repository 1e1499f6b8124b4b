import type { Id, Schemas } from '@millrace/api';
import { named, sql, type Db } from '../db.ts';

/** A sign of life, and the user who gives it. */
export interface Sign {
  readonly deviceId: Id;
  readonly userId: Id;
}

/** A device that was heard of: as it is now, and whether it was thought lost. */
export interface SeenDevice {
  readonly id: Id;
  readonly tenantId: Id;
  readonly userId: Id;
  readonly state: Schemas['Device']['state'];
  readonly stateReason?: string;
  readonly wasConnected: boolean;
}

/**
 * Notes that devices were heard of, each by the user who registered it; answers those that there are, held until the
 * transaction ends.
 */
export function markSeen(db: Db, signs: readonly Sign[], now: Date): Promise<SeenDevice[]> {
  const statement = sql`
    with known as materialized (
      select d.id, d.is_connected
      from unnest(${signs.map((sign) => sign.deviceId)}::bigint[],
                  ${signs.map((sign) => sign.userId)}::bigint[]) as sign (device_id, user_id)
      join devices d on d.id = sign.device_id and d.user_id = sign.user_id
      order by d.id for no key update of d)
    update devices d set last_seen_on = ${now}, is_connected = true from known where d.id = known.id
    returning d.id, d.tenant_id as "tenantId", d.user_id as "userId", d.state, d.state_reason as "stateReason",
      known.is_connected as "wasConnected"`;
  return db.rows<SeenDevice>(named('markSeen', statement));
}

/** A device that has fallen silent. */
export interface LostDevice {
  readonly id: Id;
  readonly tenantId: Id;
  readonly lastSeenOn: Date;
}

/** Notes that connected devices have not been heard of since a time, so many of them at most; answers those. */
export function markLost(db: Db, silentSince: Date, limit: number): Promise<LostDevice[]> {
  return db.rows<LostDevice>(sql`
    with lost as materialized (
      select id from devices where is_connected and last_seen_on < ${silentSince}
      order by id limit ${limit} for no key update skip locked)
    update devices d set is_connected = false from lost where d.id = lost.id
    returning d.id, d.tenant_id as "tenantId", d.last_seen_on as "lastSeenOn"`);
}
