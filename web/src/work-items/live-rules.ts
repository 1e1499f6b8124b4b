/** Rows that would come to a list or leave it, were it read anew. */
export interface Waiting {
  readonly come: ReadonlySet<string>;
  readonly gone: ReadonlySet<string>;
  /** So many changed that they were not looked at one by one. */
  readonly isMany: boolean;
}

export const nothingWaits: Waiting = { come: new Set(), gone: new Set(), isMany: false };

/** What was found out about items that something happened to. */
export interface Looked {
  /** Those that the list's filter selects now; undefined when they were too many to ask. */
  readonly selected: readonly string[] | undefined;
  readonly touched: readonly string[];
  /** Those that are in the list as it was read. */
  readonly listed: ReadonlySet<string>;
}

/** What waits, after some items were looked at. */
export function merged(before: Waiting, { selected, touched, listed }: Looked): Waiting {
  if (selected === undefined) return { ...before, isMany: true };
  const [come, gone] = [new Set(before.come), new Set(before.gone)];
  const isSelected = new Set(selected);
  for (const id of touched) {
    come.delete(id);
    gone.delete(id);
    if (isSelected.has(id) && !listed.has(id)) come.add(id);
    if (!isSelected.has(id) && listed.has(id)) gone.add(id);
  }
  return { ...before, come, gone };
}
