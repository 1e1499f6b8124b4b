/** The part of a list that a view keeps: filter, order and columns; empty for the usual ones. */
export interface Shown {
  readonly query: string;
  readonly sort: string;
  readonly columns: readonly string[];
}

/** The address of a list with a picked view; undefined for the usual values. */
export function addressOf(id: string | undefined, { query, sort, columns }: Shown) {
  return {
    view: id,
    q: query || undefined,
    sort: sort || undefined,
    cols: columns.join(',') || undefined,
  };
}

/** Whether a list differs from its picked view. */
export function isChanged(view: Shown, shown: Shown): boolean {
  return (
    view.query.trim() !== shown.query.trim() ||
    view.sort !== shown.sort ||
    view.columns.join() !== shown.columns.join()
  );
}
