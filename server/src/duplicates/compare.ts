import type { Db } from '../db.ts';
import { Refusal } from '../errors.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { readRecords } from '../work-items/records.ts';
import { placeNewItems } from './operations.ts';
import { decidePlaces, hashOf, keepsOthersOut, refuseComparing, type Claim } from './rules.ts';
import { deleteAllHashes } from './sql.ts';

// The queue is held while they are read: some seconds, during which whoever writes to it waits.
const mostCompared = 100_000;

/**
 * Compares the items of a queue by settings that it does not have yet.
 * @returns the places that they want, when each can have its own
 * @throws Refusal that names those that equal others, or says that they are too many to compare
 */
export async function comparedItems(db: Db, queue: QueueDefinition): Promise<Claim[]> {
  const claims: Claim[] = [];
  for await (const { id, status, json } of readRecords(db, queue)) {
    if (!keepsOthersOut(queue, status)) continue;
    if (claims.length === mostCompared) throw tooMany(queue);
    claims.push({ itemId: id, hash: hashOf(queue, json) });
  }
  const [twins = []] = decidePlaces([claims], new Map());
  const refusal = refuseComparing(queue, claims, twins);
  if (refusal) throw refusal;
  return claims;
}

/** Gives the items of a queue the places that comparing them found. Nobody else may write to the queue meanwhile. */
export async function replaceAll(db: Db, queue: QueueDefinition, claims: readonly Claim[]): Promise<void> {
  await deleteAllHashes(db, queue.id);
  await placeNewItems(db, queue, [claims]);
}

function tooMany({ id, duplicateScope }: QueueDefinition): Refusal {
  const which = duplicateScope === 'OPEN' ? 'open items' : 'items';
  return new Refusal(
    'IN_USE',
    `Queue ${id} holds more than ${mostCompared} ${which}, too many to compare them while others wait. Delete some first, ` +
      'or create another queue.',
  );
}
