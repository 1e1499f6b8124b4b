/**
 * The place where records are sealed and opened: a value of a sensitive attribute is stored as an object, which no other value is. All code
 * in between handles records as they are stored.
 */
import { parseJson, stringifyJson, type Id, type Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import { confidential } from '../engine/idempotency.ts';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import type { Sealer } from '../engine/vault.ts';
import {
  attributesAt,
  columnText,
  nameAt,
  spelledValue,
  valueOf,
  withPresentNames,
  type JsonRecord,
} from './record.ts';
import {
  hiddenNames,
  isMarked,
  isMask,
  isSealed,
  masked,
  namesEver,
  withoutValues,
  type SealedValue,
} from './sensitive.rules.ts';

/** The members of a queue that sealing needs. */
export type Sealing = Pick<QueueDefinition, 'id' | 'attributes' | 'modelVersion' | 'displayColumns'> & {
  readonly sealer?: Sealer | undefined;
};

/** Whether items of the queue may have encrypted values. */
export function hasSensitive({ attributes }: Pick<QueueDefinition, 'attributes'>): boolean {
  return attributes.some(({ sensitivity }) => sensitivity !== undefined);
}

type Stored = Attribute & { readonly id: Id };

/** The attributes that are sensitive, or were, under their names in a version of the model. */
function sensitiveAt({ attributes }: Pick<Sealing, 'attributes'>, version: number): Stored[] {
  return attributesAt(attributes, version).filter(
    (one): one is Stored => one.sensitivity !== undefined && one.id !== undefined,
  );
}

/** The same under all names that they ever had: outputs have no version for the names of attributes. The present names come first. */
function sensitiveEver({ attributes }: Pick<Sealing, 'attributes'>): Stored[] {
  const all = sensitiveAt({ attributes }, Number.MAX_SAFE_INTEGER);
  const known = new Map(all.map((one) => [one.name, one]));
  for (const one of all)
    for (const name of namesEver(one)) if (!known.has(name)) known.set(name, { ...one, name });
  return [...known.values()];
}

/** An item, and the version of the model for the names in its record; the present one when left out. */
interface Whose {
  readonly id: Id;
  readonly version?: number;
}

interface Sealed extends Whose {
  /** Whether a value is encrypted anew though it equals the one before: for who must not learn by a guess that it does. */
  readonly isGuess?: boolean;
}

/**
 * The record in its stored form.
 * @param before the record that it replaces, under the same names: masked values, and equal ones, stay as they were there
 */
export function sealed(
  queue: Sealing,
  { id, version = queue.modelVersion, isGuess = false }: Sealed,
  record: JsonRecord,
  before: JsonRecord = {},
): JsonRecord {
  const { sealer } = queue;
  if (!sealer) return record;
  const members = new Map(Object.entries(record));
  for (const attribute of sensitiveAt(queue, version)) {
    const sent = valueOf(record, attribute.name);
    const former = valueOf(before, attribute.name);
    const value = isMask(sent) ? former : sent;
    if (isMask(sent) && former === undefined) members.delete(attribute.name);
    if (isMask(sent) && former !== undefined) members.set(attribute.name, former);
    if (value === undefined || isSealed(value) || !isMarked(attribute)) continue;
    const place = placeOf(queue.id, id, attribute);
    members.set(attribute.name, sealedValue(sealer, place, value, isGuess ? undefined : former));
  }
  return Object.fromEntries(members);
}

const placeOf = (queueId: Id, itemId: Id, attribute: Attribute) => ({ queueId, itemId, attribute });

type Place = ReturnType<typeof placeOf>;

const spelledPlace = ({ queueId, itemId, attribute: { id } }: Place) => `${queueId} ${itemId} ${id}`;

function sealedValue(sealer: Sealer, place: Place, value: unknown, former: unknown): SealedValue {
  const hash = digestOf(sealer, place.attribute, value);
  if (isSealed(former) && former.hash === hash) return former;
  return { $sealed: sealer.seal(spelledPlace(place), stringifyJson(value)), hash };
}

/** The hash by which equal values of an attribute are found. */
export function digestOf(sealer: Sealer, { id = 0, type }: Attribute, value: unknown): string {
  return sealer.digest(id, spelledValue(type, value));
}

/**
 * The output of a bot in its stored form: members with the name of a sensitive attribute are sealed like its values.
 * @param before the output that it replaces: masked values stay as they were there
 */
export function sealedOutput(
  queue: Sealing,
  id: Id,
  output: JsonRecord,
  before: JsonRecord = {},
): JsonRecord {
  const { sealer } = queue;
  if (!sealer) return output;
  const named = new Map(
    sensitiveEver(queue)
      .filter(isMarked)
      .map((one) => [one.name, one]),
  );
  const members = Object.entries(output).map(([name, sent]) => {
    const attribute = named.get(name);
    const value = isMask(sent) ? (valueOf(before, name) ?? sent) : sent;
    if (!attribute || value === null || isMask(value) || (isMask(sent) && isSealed(value)))
      return [name, value] as const;
    const place = `${spelledPlace(placeOf(queue.id, id, attribute))} output`;
    return [name, { $sealed: sealer.seal(place, stringifyJson(value)), hash: '' }] as const;
  });
  return Object.fromEntries(members);
}

/** The refusal of an output with a member that looks like an encrypted value: it would be taken for one that nobody can open. */
export function forgedIn(output: JsonRecord = {}): Refusal | undefined {
  const name = Object.keys(output).find((one) => isSealed(valueOf(output, one)));
  if (name === undefined) return undefined;
  const message = `has ${JSON.stringify(name)} in the form in which encrypted values are stored: send the value itself`;
  return new Refusal('INVALID_REQUEST', `output ${message}.`, { details: [{ field: 'output', message }] });
}

/** Opens the sealed values of an item, of the given attributes or of all. */
export function opened(
  queue: Sealing,
  { id, version = queue.modelVersion }: Whose,
  record: JsonRecord,
  only?: ReadonlySet<Id>,
): JsonRecord {
  return openedMembers(queue, record, sensitiveAt(queue, version), {
    only,
    place: (one) => spelledPlace(placeOf(queue.id, id, one)),
  });
}

/** The same for the output of its bot. */
export function openedOutput(queue: Sealing, id: Id, output: JsonRecord, only?: ReadonlySet<Id>): JsonRecord {
  return openedMembers(queue, output, sensitiveEver(queue), {
    only,
    place: (one) => `${spelledPlace(placeOf(queue.id, id, one))} output`,
  });
}

interface Opening {
  /** The attributes to open; all when left out. */
  readonly only?: ReadonlySet<Id> | undefined;
  readonly place: (one: Attribute) => string;
  /** Called for a value that cannot be opened, which is left as it is; without it, that is an error. */
  readonly failed?: Failed | undefined;
}

/** Receives an attribute whose value cannot be opened. */
type Failed = (attribute: Stored, error: unknown) => void;

function openedMembers(
  { sealer }: Sealing,
  record: JsonRecord,
  attributes: readonly Stored[],
  { only, place, failed }: Opening,
): JsonRecord {
  if (!sealer) return record;
  const members = new Map(Object.entries(record));
  for (const attribute of attributes) {
    const value = members.get(attribute.name);
    if (!isSealed(value) || (only && !only.has(attribute.id))) continue;
    try {
      members.set(attribute.name, parseJson(sealer.open(place(attribute), value.$sealed)));
    } catch (error) {
      if (!failed) throw error;
      failed(attribute, error);
    }
  }
  return Object.fromEntries(members);
}

type Item = Schemas['WorkItem'];

/**
 * The item for an answer: while it waits, under the present names of its attributes.
 * @param isPlain for the holder of the item, and users with the right to sensitive values; others get masks
 */
export function shown(queue: QueueDefinition, item: Item, isPlain = false): Item {
  const seen = isPlain ? disclosed(queue, item) : concealed(queue, item);
  const isWaiting = seen.status === 'NEW' || seen.status === 'DEFERRED';
  return isWaiting ? withPresentNames(queue, seen) : seen;
}

/**
 * The item with masks for its sensitive values, including those that are not sealed yet. Columns are masked by the database.
 * @param item with the version of the model for the names in its record
 */
export function concealed<I extends Item>(queue: QueueDefinition, item: I): I {
  if (!hasSensitive(queue)) return item;
  const { attributes } = queue;
  const { json, output, error, modelVersion = 0 } = item;
  const names = new Set(attributesAt(attributes.filter(isMarked), modelVersion).map(({ name }) => name));
  return {
    ...item,
    ...(json && { json: masked(json, names) }),
    ...(output && { output: masked(output, hiddenNames(attributes)) }),
    ...(error !== undefined && error !== null && { error: withoutValues(attributes, error) }),
  };
}

/** The item with plain sensitive values, for its holder and for users with the right to them. */
export function disclosed<I extends Item>(queue: QueueDefinition, item: I): I {
  const { sealer } = queue;
  if (!sealer) return item;
  const { id = 0, json = {}, output, modelVersion = 0 } = item;
  const record = opened(queue, { id, version: modelVersion }, json);
  const plain = {
    ...item,
    ...columnsOf(queue, record, item),
    ...(item.json && { json: record }),
    ...(output && { output: openedOutput(queue, id, output) }),
  };
  return confidential(plain, sealer);
}

/** The plain columns of a record, where the item shows them. */
function columnsOf({ displayColumns, attributes }: QueueDefinition, record: JsonRecord, item: Item): object {
  const columns = displayColumns.flatMap((column, index) => {
    const name = `col${index + 1}`;
    const attribute = attributes.find((one) => one.name === column);
    const then = attribute?.sensitivity && nameAt(attribute, item.modelVersion ?? 0);
    return then && Object.hasOwn(item, name) ? [[name, columnText(valueOf(record, then))] as const] : [];
  });
  return Object.fromEntries(columns);
}

interface Resealing extends Whose {
  /** Called for each value that cannot be opened, which stays as it is; without it, that is an error. */
  readonly failed?: Failed;
}

/**
 * The record in the present form for its queue: encrypted with the newest key, or plain where the mark was removed. The same object where
 * nothing changes.
 * @param from the queue for which it was sealed, possibly another one of the same model
 */
export function resealed(
  from: Sealing,
  to: Sealing,
  { failed, ...whose }: Resealing,
  record: JsonRecord,
): JsonRecord {
  const version = whose.version ?? to.modelVersion;
  if (!to.sealer || isAsWanted(from, to, record, sensitiveAt(to, version))) return record;
  const place = (one: Attribute) => spelledPlace(placeOf(from.id, whose.id, one));
  const plain = openedMembers(from, record, sensitiveAt(from, version), { place, failed });
  return sealed(to, whose, plain);
}

/** The same for the output of a bot. */
export function resealedOutput(
  from: Sealing,
  to: Sealing,
  { id, failed }: Omit<Resealing, 'version'>,
  output: JsonRecord,
): JsonRecord {
  const attributes = sensitiveEver(to);
  if (!to.sealer || isAsWanted(from, to, output, attributes)) return output;
  const left = new Map<string, unknown>();
  const note: Failed = (attribute, error) => {
    left.set(attribute.name, valueOf(output, attribute.name));
    failed?.(attribute, error);
  };
  const place = (one: Attribute) => `${spelledPlace(placeOf(from.id, id, one))} output`;
  const plain = openedMembers(from, output, attributes, { place, failed: failed && note });
  const members = Object.entries(sealedOutput(to, id, plain));
  return Object.fromEntries(members.map(([name, value]) => [name, left.get(name) ?? value]));
}

function isAsWanted(from: Sealing, to: Sealing, record: JsonRecord, attributes: readonly Stored[]): boolean {
  return attributes.every((attribute) => {
    const value = valueOf(record, attribute.name);
    if (value === undefined) return true;
    if (!isMarked(attribute)) return !isSealed(value);
    return from.id === to.id && isSealed(value) && to.sealer?.isCurrent(value.$sealed) === true;
  });
}
