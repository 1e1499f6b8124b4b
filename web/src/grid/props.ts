import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** As a track of a CSS grid, such as `6rem` or `minmax(8rem, 1fr)`. */
  readonly width: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ReactNode;
  /** The field to sort the column by; left out where that is not possible. */
  readonly sort?: string;
}

export interface GridProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** The number of all rows, read or not; -1 when unknown. */
  readonly total: number;
  readonly idOf: (row: Row) => string;
  /** The current row. */
  readonly current: string | undefined;
  readonly onMove: (id: string) => void;
  readonly onPeek: (id: string) => void;
  readonly onOpen: (id: string) => void;
  /** Called when the last row read comes near. */
  readonly onEnd: () => void;
  /** A field, with `-` before it for the reverse. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly selection: Selection;
  /** Called for a key on a row, in one of its columns if one was gone to. @returns whether the key means anything */
  readonly onKey?: (key: string, id: string, column: string | undefined) => boolean;
  /** Called with the column of the current row that was gone to. */
  readonly onColumn?: (column: string | undefined) => void;
  readonly onEscape?: () => void;
}

/** The rows selected for an action. */
export interface Selection {
  readonly has: (id: string) => boolean;
  readonly toggle: (id: string) => void;
  /** Selects all of these; pressed again, all that exist, read or not; then none. */
  readonly toggleAll: (ids: readonly string[]) => void;
  readonly clear: () => void;
  /** Selects these as well. */
  readonly add: (ids: readonly string[]) => void;
}
