import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** As a track of a CSS grid, such as `6rem` or `minmax(8rem, 1fr)`. */
  readonly width: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ReactNode;
  /** What the column is sorted by; left out where it cannot be. */
  readonly sort?: string;
}

export interface GridProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** All rows that there are, read or not; -1 when nobody knows. */
  readonly total: number;
  readonly idOf: (row: Row) => string;
  /** The row that is looked at. */
  readonly current: string | undefined;
  readonly onMove: (id: string) => void;
  readonly onPeek: (id: string) => void;
  readonly onOpen: (id: string) => void;
  /** Called when the last row that was read comes near. */
  readonly onEnd: () => void;
  /** A field, with `-` before it for the reverse. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly selection: Selection;
  /** A key that is pressed on a row, in one of its columns if one was gone to. @returns whether it means anything */
  readonly onKey?: (key: string, id: string, column: string | undefined) => boolean;
  /** Told which column of the current row was gone to. */
  readonly onColumn?: (column: string | undefined) => void;
  readonly onEscape?: () => void;
}

/** Rows that were chosen to do something to. */
export interface Selection {
  readonly has: (id: string) => boolean;
  readonly toggle: (id: string) => void;
  /** Chooses all of these; then all that there are, read or not; then none. */
  readonly toggleAll: (ids: readonly string[]) => void;
  /** Chooses these as well. */
  readonly add: (ids: readonly string[]) => void;
}
