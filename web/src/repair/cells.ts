import { useMemo, useRef, useState } from 'react';
import { blockOf, filled, pasted, standing, type Attribute, type Place, type Row } from './rules.ts';
import { useEdits, type Editing } from './use-edits.ts';

/** An item in the grid, with the version that its correction is based on. */
export interface BenchRow extends Row {
  readonly version: number;
  readonly error: string;
}

/** The actions of a cell in the grid. */
export interface Cells {
  readonly editing: Editing;
  readonly onFocus: (row: Row, name: string) => void;
  readonly onMove: (row: Row, name: string, step: number) => void;
  readonly onPaste: (row: Row, name: string, text: string) => void;
  readonly fillDown: () => void;
}

/** The actions of the cells; fill down and paste begin at the cell with the focus. */
export function useCells(
  rows: readonly Row[],
  attributes: readonly Attribute[],
  selected: ReadonlySet<string>,
) {
  const typed = useEdits();
  const edits = useMemo(() => standing(typed.edits, rows), [typed.edits, rows]);
  const editing = { ...typed, edits };
  const [current, setCurrent] = useState<string>();
  const focused = useRef<{ id: string; name: string }>(undefined);
  const placeOf = (id = '', name = '') => placeIn(rows, attributes, [id, name]);
  const cells: Cells = {
    editing,
    onFocus: ({ id }, name) => {
      focused.current = { id, name };
      setCurrent(id);
    },
    onMove: ({ id }, name, step) => {
      const place = placeOf(id, name);
      const next = rows[place.row + step];
      if (next) enterCell(next.id, place.column);
    },
    onPaste: ({ id }, name, text) => editing.put(pasted(blockOf(text), placeOf(id, name), rows, attributes)),
    fillDown: () => {
      const { id, name } = focused.current ?? {};
      editing.put(filled(editing.edits, rows, placeOf(id, name).row, { name, selected }));
    },
  };
  return { ...cells, current, setCurrent };
}

function placeIn(
  rows: readonly Row[],
  attributes: readonly Attribute[],
  [id, name]: readonly [string, string],
): Place {
  return {
    row: rows.findIndex((row) => row.id === id),
    column: attributes.findIndex((attribute) => attribute.name === name),
  };
}

/** Goes to a cell by a key: typing then replaces its text. */
export function enterCell(id: string, column: number): void {
  const cell = document.getElementById(cellElement(id, column));
  cell?.focus();
  if (cell instanceof HTMLInputElement) cell.select();
}

export function cellElement(id: string, column: number): string {
  return `cell-${id}-${column}`;
}
