import type { Id, Schemas } from '@millrace/api';
import type { BatchContext, TenantContext } from '../operation.ts';
import { grantItems } from './grant.ts';
import { leaseFrom } from './lease.rules.ts';
import { selectClaimable, type Slot } from './leases.sql.ts';

/** A device's slot for an item, and how long it is held without a heartbeat. */
export type DeviceSlot = Omit<Slot, 'leaseExpiresOn' | 'leaseSeconds'> & {
  readonly leaseSeconds: number | undefined;
};

/** Leases the next items of a queue to devices, in the order of the slots; fewer than these where no more wait. */
export async function takeItems(
  context: Pick<BatchContext, 'db' | 'queue' | 'now' | 'woken'>,
  slots: readonly DeviceSlot[],
  operation: string,
): Promise<Schemas['WorkItem'][]> {
  const leased = slots.map(({ leaseSeconds, ...slot }) => ({
    ...slot,
    ...leaseFrom(context.now, leaseSeconds),
  }));
  return grantItems(context, { slots: leased, operation });
}

/** How many items of a queue can be claimed now, counted up to a limit. */
export function countClaimable(
  { db, now }: Pick<TenantContext, 'db' | 'now'>,
  queueId: Id,
  limit: number,
): Promise<number> {
  return selectClaimable(db, queueId, limit, now);
}
