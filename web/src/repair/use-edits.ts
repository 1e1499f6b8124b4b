import { useState } from 'react';
import { noEdits, withCells, type CellEdit, type Edits } from './rules.ts';

export interface Editing {
  readonly edits: Edits;
  /** Changes cells, as one step that can be undone. */
  readonly put: (cells: readonly CellEdit[]) => void;
  readonly undo: () => void;
  readonly canUndo: boolean;
  /** Removes the edits of rows, which are stored now. */
  readonly settle: (ids: readonly string[]) => void;
}

interface History {
  readonly now: Edits;
  readonly before: readonly Edits[];
  /** The cell of the last step, if that was a single one: further typing in it continues the step. */
  readonly cell?: string | undefined;
}

const keptSteps = 100;

/** The unsent changes in the grid. */
export function useEdits(): Editing {
  const [{ now, before }, setHistory] = useState<History>({ now: noEdits, before: [] });
  return {
    edits: now,
    put: (cells) => setHistory((history) => stepped(history, cells)),
    undo: () => setHistory(undone),
    canUndo: before.length > 0,
    settle: (ids) => setHistory((history) => ({ now: without(history.now, ids), before: [] })),
  };
}

function stepped(history: History, cells: readonly CellEdit[]): History {
  const [first] = cells;
  if (!first) return history;
  const cell = cells.length === 1 ? `${first.row.id} ${first.name}` : undefined;
  const now = withCells(history.now, cells);
  if (cell !== undefined && cell === history.cell) return { ...history, now };
  return { now, before: [...history.before, history.now].slice(-keptSteps), cell };
}

function undone({ now, before }: History): History {
  return { now: before.at(-1) ?? now, before: before.slice(0, -1) };
}

function without(edits: Edits, ids: readonly string[]): Edits {
  return new Map([...edits].filter(([id]) => !ids.includes(id)));
}
