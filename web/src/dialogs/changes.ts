import { stringifyJson } from '@millrace/api';

/** A thing that is edited, by its members. */
export type Data = Readonly<Record<string, unknown>>;

/** The meaning of a list: a set counts by its members, in any order; an order by the order alone of members that stand elsewhere. */
type ListKind = 'set' | 'order';

/** Lists that say less than all that they hold, by the names of members. */
export type Lists = Readonly<Record<string, ListKind>>;

/** A member that differs; undefined stands for a missing one. */
export interface Change {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly list?: ListKind | undefined;
}

/** The differences between two states of a thing, by the name of the member. */
export function changesBetween(before: Data, after: Data, lists: Lists = {}): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => ({ name, before: before[name], after: after[name], list: lists[name] }))
    .filter((change) => !isSame(change.before, change.after, change.list));
}

function isSame(one: unknown, other: unknown, list?: ListKind): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (list === undefined) return stringifyJson(one) === stringifyJson(other);
  const [mine, theirs] = [listIn(one), listIn(other)];
  if (list === 'set') return without(mine, theirs).length + without(theirs, mine).length === 0;
  const both = without(mine, without(mine, theirs));
  return isSame(both, without(theirs, without(theirs, mine)));
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function without(list: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  const texts = new Set(others.map((one) => stringifyJson(one)));
  return list.filter((one) => !texts.has(stringifyJson(one)));
}

/** Changes applied to other data than they were made on: the other members stay as they are there, and so does the rest of a set. */
export function applied(changes: readonly Change[], to: Data): Data {
  const data: Record<string, unknown> = { ...to };
  for (const change of changes) {
    const { name, after } = change;
    if (after === undefined) Reflect.deleteProperty(data, name);
    else data[name] = change.list === 'set' ? joined(change, listIn(to[name])) : after;
  }
  return data;
}

/** A set with what a change puts in and takes out. */
function joined({ before, after }: Change, to: readonly unknown[]): readonly unknown[] {
  const [was, is] = [listIn(before), listIn(after)];
  const kept = without(to, without(was, is));
  return [...kept, ...without(without(is, was), kept)];
}

/**
 * The names of members that others have set to another value meanwhile: applied, one's own changes overwrite that. Changes of a set
 * never do.
 */
export function clashing(mine: readonly Change[], theirs: readonly Change[]): readonly string[] {
  const others = new Map(theirs.map((change) => [change.name, change.after]));
  return mine.flatMap(({ name, after, list }) =>
    list !== 'set' && others.has(name) && !isSame(others.get(name), after, list) ? [name] : [],
  );
}
