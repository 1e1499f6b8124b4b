import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import type { Context } from '../engine/operation.ts';
import { millrace, recordTenantEvents } from './journal.ts';

/**
 * Moves the events of a database that was restored from a dump into a cluster whose transaction numbers start again: with their numbers
 * from the future, the feed would bring them late and out of order. All of them count as the oldest, in the order of their ids, sealed ones
 * before the others, so that it stays known which are sealed. This is recorded where there are seals. On any other start this looks up one
 * index entry for each tenant.
 */
export async function restartFeed(context: Pick<Context, 'db' | 'now'>): Promise<void> {
  const chains = await moveEvents(context.db);
  for (const { tenantId, sealed } of chains) {
    const event = { operation: 'restartFeed', actorId: millrace, changes: { sealed } };
    // The feed has no readers before the start is done.
    await recordTenantEvents({ ...context, wake: () => undefined }, tenantId, [event]);
  }
}

/** Moves events, where there are any from future transactions. @returns the tenants with seals, with the number of the newest */
async function moveEvents(db: Db): Promise<{ tenantId: Id; sealed: number }[]> {
  const ahead = await db.row(sql`
    select from tenants t, lateral (
      select from events e where e.tenant_id = t.id and e.tx >= pg_snapshot_xmax(pg_current_snapshot()) limit 1) e limit 1`);
  if (!ahead) return [];
  await db.rows(sql`
    update events e set tx = case when exists (
      select from audit_chains c where c.tenant_id = e.tenant_id and (e.tx, e.id) <= (c.tx, c.event_id)) then '0' else '1' end::xid8`);
  return db.rows(sql`
    update audit_chains set tx = '1', event_id = 0, moved_through = number returning tenant_id as "tenantId", number as sealed`);
}
