import { stringifyJson } from '@millrace/api';
import { applied, changesBetween, type Change, type Data } from '../dialogs/changes.ts';
import { isMask } from '../json/masks.ts';
import type { Item } from './queries.ts';
import { typedOf, valueIn, type AttributeType } from './values.ts';

type Types = Readonly<Record<string, AttributeType | undefined>>;

/** The fields of a form for the data: each attribute of the model, and each other text or number in the data. */
export function typedIn(data: Data, types: Types): Readonly<Record<string, string>> {
  const names = [...new Set([...Object.keys(types), ...Object.keys(data)])].filter(
    (name) =>
      typeof data[name] !== 'object' || data[name] === null || isMask(data[name]) || isNumber(data[name]),
  );
  return Object.fromEntries(names.map((name) => [name, typedOf(data[name])]));
}

function isNumber(value: unknown): boolean {
  return !Number.isNaN(Number(stringifyJson(value)));
}

/**
 * The data with the typed fields, where they differ from what they showed: untouched values stay exactly as they are.
 * @returns undefined while a field holds no value of its type
 */
export function withTyped(
  data: Data,
  typed: Readonly<Record<string, string>>,
  types: Types,
): Data | undefined {
  const changes: Change[] = [];
  for (const [name, text] of Object.entries(typed)) {
    if (text === typedOf(data[name])) continue;
    const after = valueIn(types[name] ?? typeLike(data[name]), text);
    if (after === undefined) return undefined;
    changes.push({ name, before: data[name], after: after ?? undefined });
  }
  return applied(changes, data);
}

function typeLike(value: unknown): AttributeType {
  if (typeof value === 'boolean') return 'BOOLEAN';
  return value !== null && value !== undefined && typeof value !== 'string' ? 'NUMBER' : 'TEXT';
}

/** Whether the data of an item can be corrected as it is: nobody holds it, and it is not over. */
export function mayEdit({ status, failureKind }: Pick<Item, 'status' | 'failureKind'>): boolean {
  return status !== 'IN_PROGRESS' && status !== 'COMPLETE' && failureKind !== 'IN_DOUBT';
}

interface Told {
  readonly operation: string;
  readonly changes?: Readonly<Record<string, unknown>>;
}

/**
 * The changes of an event to the data of its item, as far as the events tell: undefined where there are none, and where no earlier event
 * has the data.
 * @param before the earlier events of the item, in their order
 */
export function dataChangeIn(event: Told, before: readonly Told[]): readonly Change[] | undefined {
  const known = before.reduce<Data | undefined>(dataAfter, undefined);
  const then = dataAfter(known, event);
  return known === undefined || then === known ? undefined : changesBetween(known, then ?? {});
}

/** The data of an item from an event on, until the next that changes it. */
export interface DataVersion<Event> {
  readonly event: Event;
  readonly data: Data;
}

/** The states of an item's data in its events, in their order. */
export function versionsOf<Event extends Told>(events: readonly Event[]): readonly DataVersion<Event>[] {
  let known: Data | undefined;
  return events.flatMap((event) => {
    const data = dataAfter(known, event);
    const isNew = data !== undefined && data !== known;
    known = data;
    return isNew ? [{ event, data }] : [];
  });
}

const ofMany: ReadonlySet<string> = new Set(['updateWorkItemStatus', 'updateWorkItems']);

/** A correction of one item stores all its data; an action on many sets or removes some attributes. */
function dataAfter(known: Data | undefined, { operation, changes = {} }: Told): Data | undefined {
  const json = changes['json'] as Data | undefined;
  if (json === undefined) return known;
  if (!ofMany.has(operation)) return json;
  const set = Object.entries(json).map(([name, value]) => ({
    name,
    before: undefined,
    after: value ?? undefined,
  }));
  return known && applied(set, known);
}
