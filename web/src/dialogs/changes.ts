import { stringifyJson } from '@millrace/api';

/** A thing that is edited, by its members. */
export type Data = Readonly<Record<string, unknown>>;

/** A member that differs; undefined stands for a missing one. */
export interface Change {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The differences between two states of a thing, by the name of the member. */
export function changesBetween(before: Data, after: Data): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => ({ name, before: before[name], after: after[name] }))
    .filter((change) => !isSame(change.before, change.after));
}

function isSame(one: unknown, other: unknown): boolean {
  return (
    one === other || (one !== undefined && other !== undefined && stringifyJson(one) === stringifyJson(other))
  );
}

/** Changes applied to other data than they were made on: the other members stay as they are there. */
export function applied(changes: readonly Change[], to: Data): Data {
  const data: Record<string, unknown> = { ...to };
  for (const { name, after } of changes) {
    if (after === undefined) Reflect.deleteProperty(data, name);
    else data[name] = after;
  }
  return data;
}

/** The names of members that others have set to another value meanwhile: applied, one's own changes overwrite that. */
export function clashing(mine: readonly Change[], theirs: readonly Change[]): readonly string[] {
  const others = new Map(theirs.map((change) => [change.name, change.after]));
  return mine.flatMap(({ name, after }) =>
    others.has(name) && !isSame(others.get(name), after) ? [name] : [],
  );
}
