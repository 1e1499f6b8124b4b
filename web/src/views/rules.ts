/** What a view keeps of a list: its filter, order and columns; empty for the usual ones. */
export interface Shown {
  readonly query: string;
  readonly sort: string;
  readonly columns: readonly string[];
}

/** What the address of a list says when a view is picked; undefined for what is as usual. */
export function addressOf(id: string | undefined, { query, sort, columns }: Shown) {
  return {
    view: id,
    q: query || undefined,
    sort: sort || undefined,
    cols: columns.join(',') || undefined,
  };
}

/** Whether a list shows something else than the view that it was picked by. */
export function isChanged(view: Shown, shown: Shown): boolean {
  return (
    view.query.trim() !== shown.query.trim() ||
    view.sort !== shown.sort ||
    view.columns.join() !== shown.columns.join()
  );
}
