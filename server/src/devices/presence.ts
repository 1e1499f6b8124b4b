import type { Id } from '@millrace/api';
import { insertTenantEvents, type Event } from '../events/sql.ts';
import type { PublicContext } from '../operation.ts';
import { markSeen, type SeenDevice, type Sign } from './presence.sql.ts';

type Where = Pick<PublicContext, 'db' | 'now'>;

/**
 * Notes that devices were heard of, each by the user who registered it; others are left out of the answer. Until the
 * transaction ends, nobody drains or quarantines them: what the answer says of their state stays true.
 * @param operation by which they were heard of.
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

/** What happened to a device of a tenant. */
type DeviceEvent = Event & { readonly tenantId: Id };

/** Records what happened to devices, of whichever tenants they are. */
export async function recordOfDevices({ db, now }: Where, events: readonly DeviceEvent[]): Promise<void> {
  for (const one of new Set(events.map(({ tenantId }) => tenantId))) {
    await insertTenantEvents(
      db,
      one,
      events.filter(({ tenantId }) => tenantId === one),
      now,
    );
  }
}
