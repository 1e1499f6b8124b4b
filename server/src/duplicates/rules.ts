import { createHash } from 'node:crypto';
import { isOver, type Status } from '@millrace/api';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import type { Sealer } from '../engine/vault.ts';
import { spelled, spelledValue, valueOf, type JsonRecord } from '../records/record.ts';
import { isSealed } from '../records/sensitive.rules.ts';

/** The settings of a queue that say which items are duplicates. */
export type Comparison = Pick<
  QueueDefinition,
  'attributes' | 'disallowDuplicate' | 'uniqueBy' | 'duplicateScope' | 'sealer'
>;

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

/** The compared attributes, for a sentence; empty where all are. */
export function inWhat({ uniqueBy }: Comparison): string {
  return uniqueBy.length === 0 ? '' : ` in ${uniqueBy.join(', ')}`;
}
