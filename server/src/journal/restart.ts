import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import type { Context } from '../engine/operation.ts';
import { millrace, recordTenantEvents } from './journal.ts';

/**
 * After a database was restored from a dump into a cluster that counts its transactions anew, events are there from
 * transactions that are yet to come: the feed would bring them late and out of order. All count as the oldest then, in the order
 * of their ids, those that are sealed before the others: which they are must stay known. It is on record where there are seals.
 * On any other start this looks up one index entry a tenant.
 */
export async function restartFeed(context: Pick<Context, 'db' | 'now'>): Promise<void> {
  const chains = await moveEvents(context.db);
  for (const { tenantId, sealed } of chains) {
    const event = { operation: 'restartFeed', actorId: millrace, changes: { sealed } };
    // Nobody reads the feed before the start is done.
    await recordTenantEvents({ ...context, wake: () => undefined }, tenantId, [event]);
  }
}

/** Moves events, where there are any from transactions yet to come. @returns the tenants of seals, with the number of the newest */
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
