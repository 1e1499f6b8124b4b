import type { Schemas } from '@millrace/api';
import type { BatchContext } from '../operation.ts';
import { claimItems, type Claim } from './leases.sql.ts';
import { renameGranted } from './names.ts';

/** Leases the next items of a queue, in the order of the slots; fewer than these where no more wait. */
export async function grantItems(
  { db, queue, now }: Pick<BatchContext, 'db' | 'queue' | 'now'>,
  claim: Claim,
): Promise<Schemas['WorkItem'][]> {
  const granted = await claimItems(db, queue, claim, now);
  const items = granted.map(({ turn: _, ...item }) => item);
  return renameGranted(db, queue, items);
}
