import { stringifyJson } from '@millrace/api';

/** The members of `after` that are not as they were before: what an event tells of a change. */
export function changedMembers(before: object, after: object): object {
  const known = new Map(Object.entries(before));
  const isChanged = ([name, value]: [string, unknown]) =>
    stringifyJson({ value }) !== stringifyJson({ value: known.get(name) });
  return Object.fromEntries(Object.entries(after).filter(isChanged));
}
