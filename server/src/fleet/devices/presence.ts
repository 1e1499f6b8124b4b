import type { Id, Schemas } from '@millrace/api';
import { named, sql, type Db } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import type { PublicContext } from '../../engine/operation.ts';
import { millrace, recordTenantEvents, type Event } from '../../journal/journal.ts';

type Where = Pick<PublicContext, 'db' | 'now' | 'wake'>;

/**
 * Notes signs of life of devices, each from the user who registered it; other signs are left out of the answer. The devices cannot be
 * drained or quarantined until the transaction ends: their state stays as answered.
 * @param operation the call that was the sign
 */
export async function noteSigns(
  context: Where,
  signs: readonly Sign[],
  operation: string,
): Promise<SeenDevice[]> {
  const seen = await markSeen(context.db, signs, context.now);
  const returned = seen.filter(({ wasConnected }) => !wasConnected);
  const changes = { status: 'CONNECTED' };
  await recordOfDevices(
    context,
    returned.map(({ id, tenantId, userId }) => ({
      tenantId,
      operation,
      actorId: userId,
      deviceId: id,
      changes,
    })),
  );
  return seen;
}

/** A sign of life, and its user. */
interface Sign {
  readonly deviceId: Id;
  readonly userId: Id;
}

/** A device that gave a sign: its present state, and whether it had been thought lost. */
interface SeenDevice {
  readonly id: Id;
  readonly tenantId: Id;
  readonly userId: Id;
  readonly state: Schemas['Device']['state'];
  readonly stateReason?: string;
  readonly wasConnected: boolean;
}

/**
 * Notes signs of life of devices, each from the user who registered it; returns the existing devices, locked until the transaction ends.
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

/** An event of a device, with its tenant. */
type DeviceEvent = Event & { readonly tenantId: Id };

/** Records events of devices, possibly of several tenants. */
export async function recordOfDevices(context: Where, events: readonly DeviceEvent[]): Promise<void> {
  for (const id of new Set(events.map(({ tenantId }) => tenantId))) {
    const ofTenant = events.filter(({ tenantId }) => tenantId === id);
    await recordTenantEvents(context, id, ofTenant);
  }
}

/** The silence after which a device is DISCONNECTED. */
const silenceMs = 45_000;
const pauseMs = 2000;
const portion = 500;

/** Marks devices that have gone silent. Their items go back when the leases expire, like those of any holder. */
export const disconnectSilentDevices: Job = {
  name: 'disconnectSilentDevices',
  run: async (context) => {
    const silentSince = new Date(context.now.getTime() - silenceMs);
    const lost = await markLost(context.db, silentSince, portion);
    await recordOfDevices(context, lost.map(lossOf));
    return lost.length === portion ? 0 : pauseMs;
  },
};

function lossOf({ id, tenantId, lastSeenOn }: LostDevice) {
  return {
    tenantId,
    operation: 'disconnectSilentDevices',
    actorId: millrace,
    deviceId: id,
    reason: `not heard of since ${lastSeenOn.toISOString()}`,
    changes: { status: 'DISCONNECTED' },
  };
}

/** A device that has fallen silent. */
interface LostDevice {
  readonly id: Id;
  readonly tenantId: Id;
  readonly lastSeenOn: Date;
}

/** Marks connected devices that were last heard of before a time, up to a limit; returns them. */
function markLost(db: Db, silentSince: Date, limit: number): Promise<LostDevice[]> {
  return db.rows<LostDevice>(sql`
    with lost as materialized (
      select id from devices where is_connected and last_seen_on < ${silentSince}
      order by id limit ${limit} for no key update skip locked)
    update devices d set is_connected = false from lost where d.id = lost.id
    returning d.id, d.tenant_id as "tenantId", d.last_seen_on as "lastSeenOn"`);
}
