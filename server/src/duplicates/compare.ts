import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal, shownProblems, type ErrorDetail } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import { inSlices } from '../engine/slices.ts';
import { readRecords } from '../records/stored.ts';
import { hashOf, holdsKey, inWhat, type Comparison } from './rules.ts';
import { decideKeys, takeKeys, type Claim, type Duplicate } from './unique-keys.ts';

// The queue is locked while its items are read: some seconds, during which all writers to it wait.
const mostCompared = 100_000;

/**
 * Compares the items of a queue by settings that are not in force yet.
 * @returns the unique keys that they claim, when no two claim the same
 * @throws Refusal that names the items that equal others, or says that there are too many to compare
 */
export async function comparedItems(db: Db, queue: QueueDefinition): Promise<Claim[]> {
  const claims: Claim[] = [];
  for await (const { id, status, json } of readRecords(db, queue)) {
    if (!holdsKey(queue, status)) continue;
    if (claims.length === mostCompared) throw tooMany(queue);
    claims.push({ itemId: id, hash: hashOf(queue, json) });
  }
  const [duplicates = []] = await inSlices(decideKeys([claims], new Map()));
  const refusal = refuseComparing(queue, claims, duplicates);
  if (refusal) throw refusal;
  return claims;
}

/** Gives the items of a queue the unique keys found by the comparison. There must be no other writers to the queue meanwhile. */
export async function replaceAll(db: Db, queue: QueueDefinition, claims: readonly Claim[]): Promise<void> {
  await deleteAllHashes(db, queue.id);
  await takeKeys(db, queue.id, claims);
}

function tooMany({ id, duplicateScope }: QueueDefinition): Refusal {
  const which = duplicateScope === 'OPEN' ? 'open items' : 'items';
  return new Refusal(
    'IN_USE',
    `Queue ${id} holds more than ${mostCompared} ${which}, too many to compare them while others wait. Delete some first, ` +
      'or create another queue.',
  );
}

async function deleteAllHashes(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`delete from work_item_hashes where queue_id = ${queueId}`);
}

/** The reason why a queue cannot begin to refuse duplicates: these items equal others. */
export function refuseComparing(
  queue: Comparison,
  claims: readonly Claim[],
  duplicates: readonly Duplicate[],
): Refusal | undefined {
  const details = duplicates.slice(0, shownProblems).flatMap(({ index, itemId: other }): ErrorDetail[] => {
    const itemId = claims[index]?.itemId;
    return itemId === undefined
      ? []
      : [{ itemId, message: `item ${itemId} equals item ${other}${inWhat(queue)}` }];
  });
  const [first] = details;
  if (!first) return undefined;
  const rest = duplicates.length > 1 ? `, and ${duplicates.length - 1} more equal others` : '';
  return new Refusal(
    'DUPLICATE',
    `The queue holds duplicates: ${first.message}${rest}. Delete them first. Nothing was changed.`,
    { details },
  );
}
