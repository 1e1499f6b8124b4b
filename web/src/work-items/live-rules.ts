/** Rows that would come to a list or leave it on a refresh. */
export interface Waiting {
  readonly come: ReadonlySet<string>;
  readonly gone: ReadonlySet<string>;
  /** Whether too many changed to look at each. */
  readonly isMany: boolean;
}

export const nothingWaits: Waiting = { come: new Set(), gone: new Set(), isMany: false };

/** The findings about changed items. */
export interface Looked {
  /** The items that the list's filter selects now; undefined when they were too many to ask for. */
  readonly selected: readonly string[] | undefined;
  readonly touched: readonly string[];
  /** The items in the list as it was read. */
  readonly listed: ReadonlySet<string>;
}

/** The waiting rows, with the findings about more items. */
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
