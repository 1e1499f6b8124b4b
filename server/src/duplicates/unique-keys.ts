import { isOver, stringifyJson, type Id, type Status } from '@millrace/api';
import { named, sql, type Db } from '../engine/db.ts';
import { Refusal, shownProblems, type ErrorDetail } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import { inSlices, mapped, type Interruptible } from '../engine/slices.ts';
import type { JsonRecord } from '../records/record.ts';
import { hashOf, holdsKey, inWhat, needsKey, type Comparison } from './rules.ts';

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
export async function takeKeys(db: Db, queueId: Id, wanted: Iterable<Claim>): Promise<ByHash<Id>> {
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

/** An item that claims the unique key of its data: the hash, as PostgreSQL writes bytes. */
export interface Claim {
  readonly itemId: Id;
  readonly hash: string;
}

/** An item whose unique key is taken: its position in its batch, and the item that holds the key. */
export interface Duplicate {
  readonly index: number;
  readonly itemId: Id;
}

/** Values by hash, in parts: a single map of a million would take a tenth of a second each time that it grows. */
class ByHash<V> {
  readonly #parts = new Map<string, Map<string, V>>();

  get(hash: string): V | undefined {
    return this.#parts.get(beginningOf(hash))?.get(hash);
  }

  set(hash: string, value: V): void {
    const beginning = beginningOf(hash);
    const part = this.#parts.get(beginning);
    if (part) part.set(hash, value);
    else this.#parts.set(beginning, new Map([[hash, value]]));
  }
}

/** `\x` and three digits: of a million hashes some 250 share a beginning. */
function beginningOf(hash: string): string {
  return hash.slice(0, 5);
}

/** The items with keys, by hash. */
type Holders = Pick<ByHash<Id>, 'get'>;

/**
 * Decides which batches get their unique keys. A batch whose items are not all unique gets none, and its keys stay free for the next.
 * @param holders the items that have keys already, by hash
 * @returns the duplicates in each batch; none where all of its items get their keys
 */
export function* decideKeys(
  batches: readonly (readonly Claim[])[],
  holders: Holders,
): Interruptible<Duplicate[][]> {
  const taken = new ByHash<Id>();
  const decided: Duplicate[][] = [];
  for (const claims of batches) {
    const duplicates = yield* duplicatesIn(claims, (hash) => holders.get(hash) ?? taken.get(hash));
    decided.push(duplicates);
    if (duplicates.length > 0) continue;
    for (const { hash, itemId } of claims) {
      taken.set(hash, itemId);
      yield;
    }
  }
  return decided;
}

function* duplicatesIn(
  claims: readonly Claim[],
  holderOf: (hash: string) => Id | undefined,
): Interruptible<Duplicate[]> {
  const own = new ByHash<Id>();
  const duplicates: Duplicate[] = [];
  for (const [index, { hash, itemId }] of claims.entries()) {
    const holder = holderOf(hash) ?? own.get(hash) ?? itemId;
    own.set(hash, holder);
    if (holder !== itemId) duplicates.push({ index, itemId: holder });
    yield;
  }
  return duplicates;
}

/** One claim for each hash: the first. */
export function firstClaims(claims: readonly Claim[]): Claim[] {
  const first = new Map<string, Claim>();
  for (const claim of claims) if (!first.has(claim.hash)) first.set(claim.hash, claim);
  return [...first.values()];
}

/**
 * The claims in the order of their hashes, one for each hash: the first.
 * @returns portions of this size or a little more
 */
export function* inOrder(claims: Iterable<Claim>, portion: number): Interruptible<Claim[][]> {
  const byBeginning = new Map<string, Claim[]>();
  for (const claim of claims) {
    const beginning = beginningOf(claim.hash);
    const alike = byBeginning.get(beginning);
    if (alike) alike.push(claim);
    else byBeginning.set(beginning, [claim]);
    yield;
  }
  const portions: Claim[][] = [];
  for (const beginning of [...byBeginning.keys()].toSorted()) {
    const sorted = firstClaims(byBeginning.get(beginning) ?? []).toSorted(byHash);
    const last = portions.at(-1);
    if (last && last.length < portion) last.push(...sorted);
    else portions.push(sorted);
    yield;
  }
  return portions;
}

function byHash(one: Claim, other: Claim): number {
  return one.hash < other.hash ? -1 : 1;
}

/** The refusal of new items that equal items in the queue. */
export function refuseBatch(
  queue: Comparison,
  claims: readonly Claim[],
  duplicates: readonly Duplicate[],
): Refusal | undefined {
  const shown = duplicates.slice(0, shownProblems);
  const indexes = indexesOf(claims, new Set(shown.map(({ itemId }) => itemId)));
  const details = shown.map(({ index, itemId }): ErrorDetail => {
    const sibling = indexes.get(itemId);
    return sibling === undefined
      ? { index, itemId, message: `equals item ${itemId}${inWhat(queue)}` }
      : { index, message: `equals the item at index ${sibling}${inWhat(queue)}` };
  });
  const [first] = details;
  if (!first) return undefined;
  const problem = `This queue takes no duplicates, and the item at index ${first.index} ${first.message}.`;
  return new Refusal('DUPLICATE', `${problem} Nothing was created.`, { details });
}

/** The positions of the claims of some items; without items, the claims are not searched. */
function indexesOf(claims: readonly Claim[], itemIds: ReadonlySet<Id>): Map<Id, number> {
  const indexes = new Map<Id, number>();
  if (itemIds.size === 0) return indexes;
  for (const [index, { itemId }] of claims.entries()) if (itemIds.has(itemId)) indexes.set(itemId, index);
  return indexes;
}

/** The refusal of an item that cannot get the data wanted for it, or cannot come back with the data that it has. */
export function refuseItem(queue: Comparison, itemId: Id, holder: Id): Refusal {
  const message = `equals item ${holder}${inWhat(queue)}`;
  const problem = `This queue takes no duplicates, and item ${itemId} would ${message.replace('equals', 'equal')}.`;
  return new Refusal('DUPLICATE', `${problem} Change or delete one of them first.`, {
    details: [{ itemId: holder, message }],
  });
}
