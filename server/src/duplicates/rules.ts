import { isOver, type Id, type Status } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';
import { recordHash, type JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';

/** What of a queue says which items are duplicates. */
export type Comparison = Pick<
  QueueDefinition,
  'attributes' | 'disallowDuplicate' | 'uniqueBy' | 'duplicateScope'
>;

/** An item that wants the only place for its data; the hash as PostgreSQL writes bytes. */
export interface Claim {
  readonly itemId: Id;
  readonly hash: string;
}

/** An item whose place is taken: its position in its delivery, and the item that has the place. */
export interface Twin {
  readonly index: number;
  readonly itemId: Id;
}

const shownProblems = 100;

/** Whether an item of this status keeps others with its data out of the queue. */
export function keepsOthersOut(queue: Comparison, status: Status): boolean {
  return queue.disallowDuplicate && (queue.duplicateScope === 'ALL' || !isOver(status));
}

/** Whether an item that comes from one status to the other has to take its place again: it gave it up when it was done. */
export function needsPlace(queue: Comparison, from: Status, to: Status): boolean {
  return keepsOthersOut(queue, to) && !keepsOthersOut(queue, from);
}

/** The hash that two records share when they are duplicates in this queue. */
export function hashOf({ attributes, uniqueBy }: Comparison, record: JsonRecord): string {
  const compared =
    uniqueBy.length === 0 ? attributes : attributes.filter(({ name }) => uniqueBy.includes(name));
  return `\\x${recordHash(compared, record).toString('hex')}`;
}

/**
 * Decides who gets the places. A delivery whose items are not all unique gets none, and its places are free for those after it.
 * @param holders who has a place already, by hash
 * @returns the twins in each delivery; none where all of its items have got their places
 */
export function decidePlaces(
  deliveries: readonly (readonly Claim[])[],
  holders: ReadonlyMap<string, Id>,
): Twin[][] {
  const taken = new Map(holders);
  return deliveries.map((claims) => {
    const twins = twinsIn(claims, taken);
    if (twins.length === 0) for (const { hash, itemId } of claims) taken.set(hash, itemId);
    return twins;
  });
}

function twinsIn(claims: readonly Claim[], taken: ReadonlyMap<string, Id>): Twin[] {
  const own = new Map<string, Id>();
  return claims.flatMap(({ hash, itemId }, index) => {
    const holder = taken.get(hash) ?? own.get(hash) ?? itemId;
    own.set(hash, holder);
    return holder === itemId ? [] : [{ index, itemId: holder }];
  });
}

/** One claim for each hash: the first. */
export function firstClaims(claims: readonly Claim[]): Claim[] {
  const first = new Map<string, Claim>();
  for (const claim of claims) if (!first.has(claim.hash)) first.set(claim.hash, claim);
  return [...first.values()];
}

/** What a sender of new items is told of those that the queue has already. */
export function refuseDelivery(
  queue: Comparison,
  claims: readonly Claim[],
  twins: readonly Twin[],
): Refusal | undefined {
  const indexes = new Map(claims.map(({ itemId }, index) => [itemId, index]));
  const details = twins.slice(0, shownProblems).map(({ index, itemId }): ErrorDetail => {
    const sibling = indexes.get(itemId);
    return sibling === undefined
      ? { index, itemId, message: `equals item ${itemId}${inWhat(queue)}` }
      : { index, message: `equals the item at index ${sibling}${inWhat(queue)}` };
  });
  const [first] = details;
  if (!first) return undefined;
  const what = `This queue takes no duplicates, and the item at index ${first.index} ${first.message}.`;
  return new Refusal('DUPLICATE', `${what} Nothing was created.`, { details });
}

/** What is told of an item that cannot have the data that it is to have, or cannot come back with those it has. */
export function refuseItem(queue: Comparison, itemId: Id, holder: Id): Refusal {
  const message = `equals item ${holder}${inWhat(queue)}`;
  const what = `This queue takes no duplicates, and item ${itemId} would ${message.replace('equals', 'equal')}.`;
  return new Refusal('DUPLICATE', `${what} Change or delete one of them first.`, {
    details: [{ itemId: holder, message }],
  });
}

/** Why a queue cannot begin to refuse duplicates: these items equal others. */
export function refuseComparing(
  queue: Comparison,
  claims: readonly Claim[],
  twins: readonly Twin[],
): Refusal | undefined {
  const details = twins.slice(0, shownProblems).flatMap(({ index, itemId: other }): ErrorDetail[] => {
    const itemId = claims[index]?.itemId;
    return itemId === undefined
      ? []
      : [{ itemId, message: `item ${itemId} equals item ${other}${inWhat(queue)}` }];
  });
  const [first] = details;
  if (!first) return undefined;
  const rest = twins.length > 1 ? `, and ${twins.length - 1} more equal others` : '';
  return new Refusal(
    'DUPLICATE',
    `The queue holds duplicates: ${first.message}${rest}. Delete them first. Nothing was changed.`,
    { details },
  );
}

function inWhat({ uniqueBy }: Comparison): string {
  return uniqueBy.length === 0 ? '' : ` in ${uniqueBy.join(', ')}`;
}
