import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import type { Refusal } from '../errors.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { decidePlaces, firstClaims, hashOf, refuseDelivery, refuseItem, type Claim } from './rules.ts';
import { deleteHashes, insertHashes, lockWhetherDoneAreFreed, selectHolders } from './sql.ts';

// The unique key of the hashes decides between calls that run side by side: whoever comes second waits until the first one has
// ended, and finds its items there or not. For the same reason a new place is taken before the former one is given up.

// What one statement takes; a file may have very many rows.
const placesAtOnce = 10_000;

/**
 * Takes the places of new items in a queue that takes no duplicates. A delivery gets all of its places, or none.
 * @returns for each delivery the refusal, if it has got none
 */
export async function placeNewItems(
  db: Db,
  queue: QueueDefinition,
  deliveries: readonly (readonly Claim[])[],
): Promise<(Refusal | undefined)[]> {
  const all = deliveries.flat();
  const twins = decidePlaces(deliveries, await takePlaces(db, queue.id, all));
  const placed = deliveries.filter((_, index) => twins[index]?.length === 0);
  if (placed.length < deliveries.length) {
    // Those who want one of these places wait for the end of this transaction: nobody comes in between.
    await freePlaces(db, queue.id, idsOf(all));
    await takePlaces(db, queue.id, placed.flat());
  }
  return deliveries.map((claims, index) => refuseDelivery(queue, claims, twins[index] ?? []));
}

/** An item with the data that it is to have. */
interface PlacedItem {
  readonly id: Id;
  readonly json: JsonRecord;
}

/**
 * Exchanges the places of items whose data change, or takes them for items that come back.
 * @returns the refusals of those whose new place another item has; they keep the place they had
 */
export async function placeItems(
  db: Db,
  queue: QueueDefinition,
  items: readonly PlacedItem[],
): Promise<Map<Id, Refusal>> {
  const wanted = items.map((item) => claimOf(queue, item));
  const { placed, refusals } = settle(queue, wanted, await takePlaces(db, queue.id, wanted));
  const hashes = placed.map(({ hash }) => hash);
  await deleteHashes(db, queue.id, idsOf(placed), hashes);
  return refusals;
}

/** What a trial would have changed so far: who would have each place, or undefined where it would be free. */
export type Trial = Map<string, Id | undefined>;

/**
 * Answers what placeItems would, and changes nothing but the trial.
 * @param items with the data that they have now, where these keep others out
 */
export async function tryPlaces(
  db: Db,
  queue: QueueDefinition,
  items: readonly (PlacedItem & { readonly former?: JsonRecord | undefined })[],
  trial: Trial,
): Promise<Map<Id, Refusal>> {
  const wanted = items.map((item) => claimOf(queue, item));
  const hashes = firstClaims(wanted).map(({ hash }) => hash);
  const found = await selectHolders(db, queue.id, hashes);
  const stored = new Map(found.map(({ hash, itemId }) => [hash, itemId]));
  const holders = new Map<string, Id>();
  for (const hash of hashes) {
    const holder = trial.has(hash) ? trial.get(hash) : stored.get(hash);
    if (holder !== undefined) holders.set(hash, holder);
  }
  const { placed, refusals } = settle(queue, wanted, holders);
  for (const { id, former } of items)
    if (former && !refusals.has(id)) trial.set(hashOf(queue, former), undefined);
  for (const { hash, itemId } of placed) trial.set(hash, itemId);
  return refusals;
}

/** Each item alone: those that get their places, and why the others get none. */
function settle(queue: QueueDefinition, wanted: readonly Claim[], holders: ReadonlyMap<string, Id>) {
  const twins = decidePlaces(
    wanted.map((claim) => [claim]),
    holders,
  );
  const refusals = wanted.flatMap(({ itemId }, index): [Id, Refusal][] => {
    const [twin] = twins[index] ?? [];
    return twin ? [[itemId, refuseItem(queue, itemId, twin.itemId)]] : [];
  });
  const placed = wanted.filter((_, index) => twins[index]?.length === 0);
  return { placed, refusals: new Map(refusals) };
}

function claimOf(queue: QueueDefinition, { id, json }: PlacedItem): Claim {
  return { itemId: id, hash: hashOf(queue, json) };
}

/** Frees the places of items that leave the queue. */
export async function freePlaces(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<void> {
  await deleteHashes(db, queueId, itemIds, []);
}

/**
 * Frees the places of items that are done, where only open items are compared.
 * @param queue as the transaction holds it. Jobs do not hold it: here they wait for a change of it that is under way, which may
 *   have placed items that it saw open.
 */
export async function freePlacesOfDone(
  db: Db,
  queueId: Id,
  queue: QueueDefinition | undefined,
  itemIds: readonly Id[],
): Promise<void> {
  if (itemIds.length === 0) return;
  const isFreed = queue ? freesDone(queue) : await lockWhetherDoneAreFreed(db, queueId);
  if (isFreed) await freePlaces(db, queueId, itemIds);
}

function freesDone({ disallowDuplicate, duplicateScope }: QueueDefinition): boolean {
  return disallowDuplicate && duplicateScope === 'OPEN';
}

/** Takes those of the places that are free; answers who has the others. */
async function takePlaces(db: Db, queueId: Id, wanted: readonly Claim[]): Promise<Map<string, Id>> {
  const holders = new Map<string, Id>();
  let left = firstClaims(wanted);
  while (left.length > 0) {
    const taken = await insertAll(db, queueId, left);
    const others = left.filter(({ hash }) => !taken.has(hash));
    const found = await selectHolders(
      db,
      queueId,
      others.map(({ hash }) => hash),
    );
    for (const { hash, itemId } of found) holders.set(hash, itemId);
    // A place without a holder was given up just now.
    left = others.filter(({ hash }) => !holders.has(hash));
  }
  return holders;
}

async function insertAll(db: Db, queueId: Id, claims: readonly Claim[]): Promise<Set<string>> {
  const sorted = claims.toSorted((one, other) => (one.hash < other.hash ? -1 : 1));
  const taken: string[] = [];
  for (let start = 0; start < sorted.length; start += placesAtOnce) {
    taken.push(...(await insertHashes(db, queueId, sorted.slice(start, start + placesAtOnce))));
  }
  return new Set(taken);
}

function idsOf(claims: readonly Claim[]): Id[] {
  return claims.map(({ itemId }) => itemId);
}
