import type { KeyboardEvent } from 'react';
import { isSilent } from '../page/keys.ts';
import type { GridProps } from './props.ts';

type Act = (id: string) => void;

const page = 20;

/** The position in the grid: the row by its index, and the column by its id if one was gone to. */
interface Place {
  readonly at: number;
  readonly column: string | undefined;
}

/** The movements in the grid. */
interface Moves {
  readonly toRow: (index: number) => void;
  readonly toColumn: (column: string | undefined) => void;
}

/** The keys of the grid while it has the focus. Single characters do nothing where the user has switched them off. */
export function useKeys<Row>(
  props: GridProps<Row>,
  place: Place,
  moves: Moves,
): (event: KeyboardEvent) => void {
  const { rows, idOf, current, selection } = props;
  const steps = stepsFrom(place.at, rows.length);
  const go = (step: number, isExtending: boolean) => {
    const index = Math.min(Math.max(step, 0), rows.length - 1);
    const row = rows[index];
    if (row === undefined) return;
    if (isExtending) selection.add([current ?? idOf(row), idOf(row)]);
    props.onMove(idOf(row));
    moves.toRow(index);
  };
  return (event) => {
    if (isSilent(event.key)) return;
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key];
    if (step !== undefined) go(step, event.shiftKey);
    else if (!doOther(event.key, props, place, moves)) return;
    event.preventDefault();
  };
}

/** Handles the keys that lead to no other row. @returns whether the key means anything */
function doOther<Row>(key: string, props: GridProps<Row>, { column }: Place, { toColumn }: Moves): boolean {
  const { rows, columns, idOf, current, selection } = props;
  const acts: Record<string, Act> = { Enter: props.onOpen, ' ': props.onPeek, x: selection.toggle };
  const act = acts[key];
  if (key === 'Escape') props.onEscape?.();
  else if (key === 'a') selection.toggleAll(rows.map(idOf));
  else if (key === 'ArrowLeft') toColumn(columnFrom(columns, column, -1));
  else if (key === 'ArrowRight') toColumn(columnFrom(columns, column, 1));
  else if (current === undefined) return false;
  else if (act) act(current);
  else return props.onKey?.(key, current, column) === true;
  return true;
}

/** The column beside another; left of the first there is none, which is the row as a whole. */
function columnFrom(
  columns: readonly { readonly id: string }[],
  column: string | undefined,
  by: 1 | -1,
): string | undefined {
  const index = columns.findIndex(({ id }) => id === column) + by;
  return index < 0 ? undefined : columns[Math.min(index, columns.length - 1)]?.id;
}

/** The row that each key leads to from the current one. */
function stepsFrom(at: number, count: number): Record<string, number> {
  return {
    ArrowDown: at + 1,
    j: at + 1,
    ArrowUp: at - 1,
    k: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
  };
}
