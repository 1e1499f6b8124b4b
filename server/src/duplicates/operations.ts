import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import { Refusal } from '../errors.ts';
import { recordHash, type JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { deleteHashes, insertHashes } from './sql.ts';

type Item = { readonly id: Id; readonly json: JsonRecord };

const shownProblems = 100;

/**
 * Keeps the hash of each new item of a queue that takes no duplicates.
 * @returns the refusal when one is taken; then none of them is kept.
 */
export async function keepHashes(
  db: Db,
  queue: QueueDefinition,
  items: readonly Item[],
): Promise<Refusal | undefined> {
  const taken = await insertHashes(
    db,
    queue.id,
    items.map((item) => hashOf(queue, item)),
  );
  if (taken.length === 0) return undefined;
  const ids = items.map(({ id }) => id);
  await deleteHashes(db, queue.id, ids);
  return duplicates(ids, new Map(taken.map(({ itemId, existingId }) => [itemId, existingId])));
}

/** Exchanges the hash of an item whose data changes. @throws Refusal when another item has the same data. */
export async function moveHash(db: Db, queue: QueueDefinition, item: Item): Promise<void> {
  await deleteHashes(db, queue.id, [item.id]);
  const [taken] = await insertHashes(db, queue.id, [hashOf(queue, item)]);
  if (!taken) return;
  throw new Refusal(
    'DUPLICATE',
    `This queue takes no duplicates, and item ${taken.existingId} has this data already.`,
  );
}

/** Frees the data of an item that is deleted for others. */
export async function freeHash(db: Db, queueId: Id, itemId: Id): Promise<void> {
  await deleteHashes(db, queueId, [itemId]);
}

function hashOf(queue: QueueDefinition, { id, json }: Item) {
  return { itemId: id, hash: `\\x${recordHash(queue.attributes, json).toString('hex')}` };
}

function duplicates(ids: readonly Id[], existing: ReadonlyMap<Id, Id>): Refusal {
  const details = ids.flatMap((id, index) => {
    const other = existing.get(id);
    if (other === undefined) return [];
    const twin = ids.indexOf(other);
    return [{ index, message: twin < 0 ? `equals item ${other}` : `equals the item at index ${twin}` }];
  });
  const [first] = details;
  const what = `This queue takes no duplicates, and the item at index ${first?.index} ${first?.message}.`;
  return new Refusal('DUPLICATE', `${what} Nothing was created.`, {
    details: details.slice(0, shownProblems),
  });
}
