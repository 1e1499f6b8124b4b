import { createHash } from 'node:crypto';
import { isOver, type Id, type Status } from '@millrace/api';
import { Refusal, shownProblems, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import type { Sealer } from '../engine/vault.ts';
import { spelled, spelledValue, valueOf, type JsonRecord } from '../records/record.ts';
import type { Interruptible } from '../engine/slices.ts';
import { isSealed } from '../records/sensitive.rules.ts';

/** The settings of a queue that say which items are duplicates. */
export type Comparison = Pick<
  QueueDefinition,
  'attributes' | 'disallowDuplicate' | 'uniqueBy' | 'duplicateScope' | 'sealer'
>;

/** An item that claims the unique key of its data: the hash, as PostgreSQL writes bytes. */
export interface Claim {
  readonly itemId: Id;
  readonly hash: string;
}

/** An item whose unique key is taken: its position in its batch, and the item that holds the key. */
interface Duplicate {
  readonly index: number;
  readonly itemId: Id;
}

/** Whether an item of this status keeps others with its data out of the queue. */
export function holdsKey(queue: Comparison, status: Status): boolean {
  return queue.disallowDuplicate && (queue.duplicateScope === 'ALL' || !isOver(status));
}

/** Whether a change from one status to the other has to reserve the item's key again: the key was freed when the item was done. */
export function needsKey(queue: Comparison, from: Status, to: Status): boolean {
  return holdsKey(queue, to) && !holdsKey(queue, from);
}

/** The hash that two records share when they are duplicates of each other in this queue. */
export function hashOf({ attributes, uniqueBy, sealer }: Comparison, record: JsonRecord): string {
  const compared =
    uniqueBy.length === 0 ? attributes : attributes.filter(({ name }) => uniqueBy.includes(name));
  return `\\x${recordHash(compared, record, sealer).toString('hex')}`;
}

/**
 * A hash that two records share exactly when each of these attributes has equal values in both, however they are spelled, or none in both.
 * Neither an attribute added to the model later nor a new name changes it. It reveals nothing of sensitive values, sealed or not.
 */
export function recordHash(
  attributes: readonly Attribute[],
  record: JsonRecord,
  sealer?: Pick<Sealer, 'digest'>,
): Buffer {
  const values = attributes.flatMap((attribute) => {
    const { id, name, type } = attribute;
    const value = valueOf(record, name);
    if (value === undefined) return [];
    const digest = sealer && digestIn(sealer, attribute, value);
    return [[String(id ?? name), digest === undefined ? spelled(type, value) : ['h', digest]]];
  });
  values.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(values)).digest();
}

/** The hash of a value of an attribute that is sensitive, or was; undefined for another attribute. */
function digestIn(
  sealer: Pick<Sealer, 'digest'>,
  { id, type, sensitivity }: Attribute,
  value: unknown,
): string | undefined {
  if (sensitivity === undefined || id === undefined) return undefined;
  return isSealed(value) ? value.hash : sealer.digest(id, spelledValue(type, value));
}

/** Values by hash, in parts: a single map of a million would take a tenth of a second each time that it grows. */
export class ByHash<V> {
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
export type Holders = Pick<ByHash<Id>, 'get'>;

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

/** The compared attributes, for a sentence; empty where all are. */
export function inWhat({ uniqueBy }: Comparison): string {
  return uniqueBy.length === 0 ? '' : ` in ${uniqueBy.join(', ')}`;
}
