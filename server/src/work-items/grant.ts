import type { Schemas } from '@millrace/api';
import type { BatchContext } from '../operation.ts';
import { claimItems, type Claim } from './leases.sql.ts';
import { renameGranted } from './names.ts';

/**
 * Leases the next items of a queue, in the order of the slots; fewer than these where no more wait, or no more go into one answer:
 * then those who wait for the others are woken at once.
 */
export async function grantItems(
  { db, queue, now, woken }: Pick<BatchContext, 'db' | 'queue' | 'now' | 'woken'>,
  claim: Claim,
): Promise<Schemas['WorkItem'][]> {
  const granted = await claimItems(db, queue, claim, now);
  const left = (granted[0]?.picked ?? 0) - granted.length;
  if (left > 0) woken.set(queue.id, (woken.get(queue.id) ?? 0) + left);
  const items = granted.map(({ turn: _, picked: __, ...item }) => item);
  return renameGranted(db, queue, items);
}
