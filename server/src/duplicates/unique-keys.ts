import { isOver, stringifyJson, type Id, type Status } from '@millrace/api';
import { named, sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import { inSlices, mapped, type Interruptible } from '../engine/slices.ts';
import type { JsonRecord } from '../records/record.ts';
import { readRecords } from '../records/stored.ts';
import {
  ByHash,
  decideKeys,
  firstClaims,
  hashOf,
  holdsKey,
  inOrder,
  needsKey,
  refuseBatch,
  refuseComparing,
  refuseItem,
  type Claim,
  type Holders,
} from './rules.ts';

// The primary key of work_item_hashes decides between concurrent calls: the second waits until the first has ended, and then finds its
// items or not. For the same reason a new key is taken before the former one is freed.

// About as many as one statement takes; a file may have very many rows.
const keysAtOnce = 1000;

/** An item with the data that it is to get. */
interface KeyedItem {
  readonly id: Id;
  readonly json: JsonRecord;
}

/**
 * Reserves the unique keys of new items in a queue that takes no duplicates. A batch gets all of its keys, or none.
 * @returns the refusal of each batch that got none
 */
export async function reserveNewKeys(
  db: Db,
  queue: QueueDefinition,
  batches: readonly (readonly KeyedItem[])[],
): Promise<(Refusal | undefined)[]> {
  const wanted = await inSlices(claimsOf(queue, batches));
  const duplicates = await inSlices(decideKeys(wanted, await takeKeys(db, queue.id, eachOf(wanted))));
  const unique = wanted.filter((_, index) => duplicates[index]?.length === 0);
  if (unique.length < wanted.length) {
    // Other calls that want one of these keys wait for the end of this transaction, so that none comes in between.
    for (const claims of wanted) await deleteHashes(db, queue.id, idsOf(claims), []);
    await takeKeys(db, queue.id, eachOf(unique));
  }
  return wanted.map((claims, index) => refuseBatch(queue, claims, duplicates[index] ?? []));
}

function* claimsOf(
  queue: QueueDefinition,
  batches: readonly (readonly KeyedItem[])[],
): Interruptible<Claim[][]> {
  const claims: Claim[][] = [];
  for (const items of batches) claims.push(yield* mapped(items, (item) => claimOf(queue, item)));
  return claims;
}

/** The claims of all batches, without a list of them: building one of a million would take a tenth of a second. */
function* eachOf(batches: readonly (readonly Claim[])[]): Generator<Claim> {
  for (const claims of batches) yield* claims;
}

/**
 * Exchanges the unique keys of items whose data change, or reserves them for items that come back.
 * @returns the refusals of items whose new key belongs to another item; they keep their former key
 */
export async function reserveKeys(
  db: Db,
  queue: QueueDefinition,
  items: readonly KeyedItem[],
): Promise<Map<Id, Refusal>> {
  const wanted = await inSlices(mapped(items, (item) => claimOf(queue, item)));
  const { unique, refusals } = await decideEach(queue, wanted, await takeKeys(db, queue.id, wanted));
  const hashes = unique.map(({ hash }) => hash);
  await deleteHashes(db, queue.id, idsOf(unique), hashes);
  return refusals;
}

/** The changes of keys that a trial would have made so far: the item that would have each key, or undefined where it would be free. */
export type Trial = Map<string, Id | undefined>;

/**
 * Answers like reserveKeys, but changes nothing except the trial.
 * @param items with their present data, where these hold a key
 */
export async function tryKeys(
  db: Db,
  queue: QueueDefinition,
  items: readonly (KeyedItem & { readonly former?: JsonRecord | undefined })[],
  trial: Trial,
): Promise<Map<Id, Refusal>> {
  const wanted = await inSlices(mapped(items, (item) => claimOf(queue, item)));
  const hashes = firstClaims(wanted).map(({ hash }) => hash);
  const found = await selectHolders(db, queue.id, hashes);
  const stored = new Map(found.map(({ hash, itemId }) => [hash, itemId]));
  const holders = new Map<string, Id>();
  for (const hash of hashes) {
    const holder = trial.has(hash) ? trial.get(hash) : stored.get(hash);
    if (holder !== undefined) holders.set(hash, holder);
  }
  const { unique, refusals } = await decideEach(queue, wanted, holders);
  for (const { id, former } of items)
    if (former && !refusals.has(id)) trial.set(hashOf(queue, former), undefined);
  for (const { hash, itemId } of unique) trial.set(hash, itemId);
  return refusals;
}

/** The record for an item's key, under the present names, and whether it is new to the item. */
export interface KeyedRecord {
  readonly json: JsonRecord;
  readonly isNew: boolean;
}

/** An item that changes. Without `from` it comes from another queue, which has its key; without `to` it leaves the queue. */
interface ChangedItem {
  readonly id: Id;
  readonly from: Status | undefined;
  readonly to: Status | undefined;
  readonly record?: KeyedRecord | undefined;
}

/**
 * Reserves the keys of changed items by their records, where they need one. Frees the keys of items that leave the queue and, where only
 * open items are compared, of items that are done.
 * @param queue as locked by the transaction; undefined for a job, which has no lock and waits here for a change of the queue that is under
 *   way, as that may have reserved keys for items that it saw open
 * @throws Refusal DUPLICATE that names the item that holds a key
 */
export async function changeKeys(
  db: Db,
  queueId: Id,
  queue: QueueDefinition | undefined,
  items: readonly ChangedItem[],
): Promise<void> {
  if (queue) await reserveOrThrow(db, queue, items);
  const gone = items.filter(({ to }) => to === undefined).map(({ id }) => id);
  if (gone.length > 0) await freeKeys(db, queueId, gone);
  const done = items.filter(({ from, to }) => from && to && !isOver(from) && isOver(to)).map(({ id }) => id);
  if (done.length === 0) return;
  const isFreed = queue ? freesDone(queue) : await lockWhetherDoneAreFreed(db, queueId);
  if (isFreed) await freeKeys(db, queueId, done);
}

async function reserveOrThrow(db: Db, queue: QueueDefinition, items: readonly ChangedItem[]): Promise<void> {
  const wanting = items.flatMap(({ id, from, to, record }): KeyedItem[] => {
    if (!record || !from || !to) return [];
    const isWanted = record.isNew ? holdsKey(queue, to) : needsKey(queue, from, to);
    return isWanted ? [{ id, json: record.json }] : [];
  });
  if (wanting.length === 0) return;
  const [refusal] = (await reserveKeys(db, queue, wanting)).values();
  if (refusal) throw refusal;
}

/** Frees the keys of items, whatever their status. */
export function freeKeys(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<void> {
  return deleteHashes(db, queueId, itemIds, []);
}

function freesDone({ disallowDuplicate, duplicateScope }: QueueDefinition): boolean {
  return disallowDuplicate && duplicateScope === 'OPEN';
}

/** Decides each item by itself: returns the claims that get their keys, and the refusals of the others. */
async function decideEach(queue: QueueDefinition, wanted: readonly Claim[], holders: Holders) {
  const each = wanted.map((claim) => [claim]);
  const duplicates = await inSlices(decideKeys(each, holders));
  const refusals = wanted.flatMap(({ itemId }, index): [Id, Refusal][] => {
    const [duplicate] = duplicates[index] ?? [];
    return duplicate ? [[itemId, refuseItem(queue, itemId, duplicate.itemId)]] : [];
  });
  const unique = wanted.filter((_, index) => duplicates[index]?.length === 0);
  return { unique, refusals: new Map(refusals) };
}

function claimOf(queue: QueueDefinition, { id, json }: KeyedItem): Claim {
  return { itemId: id, hash: hashOf(queue, json) };
}

/** Takes those of the keys that are free; returns the holders of the others. */
async function takeKeys(db: Db, queueId: Id, wanted: Iterable<Claim>): Promise<ByHash<Id>> {
  const holders = new ByHash<Id>();
  for (const claims of await inSlices(inOrder(wanted, keysAtOnce)))
    await takePortion(db, queueId, claims, holders);
  return holders;
}

async function takePortion(db: Db, queueId: Id, claims: readonly Claim[], holders: ByHash<Id>) {
  let left = claims;
  while (left.length > 0) {
    const taken = new Set(await insertHashes(db, queueId, left));
    const others = left.filter(({ hash }) => !taken.has(hash));
    const found = await selectHolders(
      db,
      queueId,
      others.map(({ hash }) => hash),
    );
    for (const { hash, itemId } of found) holders.set(hash, itemId);
    // A key without a holder was freed just now.
    left = others.filter(({ hash }) => holders.get(hash) === undefined);
  }
}

function idsOf(claims: readonly Claim[]): Id[] {
  return claims.map(({ itemId }) => itemId);
}

/**
 * Takes free keys; returns their hashes. In the order of the hashes, and each hash once: otherwise transactions that want the same keys
 * would wait for each other.
 */
async function insertHashes(db: Db, queueId: Id, claims: readonly Claim[]): Promise<string[]> {
  const statement = sql`
    insert into work_item_hashes (queue_id, hash, item_id)
    select ${queueId}, c.hash, c."itemId"
    from json_to_recordset(${stringifyJson(claims)}::json) as c ("itemId" bigint, hash bytea) order by c.hash
    on conflict do nothing returning hash::text`;
  const rows = await db.rows<{ hash: string }>(named('insertHashes', statement));
  return rows.map(({ hash }) => hash);
}

/** The items that hold these keys. */
async function selectHolders(db: Db, queueId: Id, hashes: readonly string[]): Promise<Claim[]> {
  if (hashes.length === 0) return [];
  return db.rows<Claim>(sql`
    select h.item_id as "itemId", h.hash::text from unnest(${hashes}::text[]) as c (hash)
    join work_item_hashes h on h.queue_id = ${queueId} and h.hash = c.hash::bytea`);
}

/** Frees the keys of items, except for some hashes. */
async function deleteHashes(
  db: Db,
  queueId: Id,
  itemIds: readonly Id[],
  kept: readonly string[],
): Promise<void> {
  for (let from = 0; from < itemIds.length; from += keysAtOnce) {
    const some = itemIds.slice(from, from + keysAtOnce);
    const statement = sql`
      delete from work_item_hashes where queue_id = ${queueId} and item_id = any(${some}::bigint[])
        and hash <> all(array(select k::bytea from unnest(${kept}::text[]) k))`;
    // The last one shares a round trip with the statements that follow.
    await (from + keysAtOnce < itemIds.length ? db.rows(statement) : db.write(statement));
  }
}

/** Whether the queue frees the keys of items that are done; it stays so until the transaction ends. */
async function lockWhetherDoneAreFreed(db: Db, queueId: Id): Promise<boolean> {
  const statement = sql`
    select disallow_duplicate and duplicate_scope = 'OPEN' as "isFreed" from queues where id = ${queueId} for key share`;
  const [queue] = await db.rows<{ isFreed: boolean }>(named('lockWhetherDoneAreFreed', statement));
  return queue?.isFreed ?? false;
}

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
