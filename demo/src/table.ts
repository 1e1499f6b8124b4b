import { stripVTControlCharacters } from 'node:util';

type Row = readonly string[];

/** Rows of cells as lines of text, in columns of even width. Colours take no room; a cell may have several lines. */
export function drawTable(rows: readonly Row[], head: Row = []): string {
  const lines = [head, ...rows].flatMap(linesOf);
  const width = (column: number) => Math.max(...lines.map((line) => lengthOf(line[column] ?? '')));
  const widths = Array.from({ length: Math.max(...lines.map(({ length }) => length)) }, (_, column) =>
    width(column),
  );
  const fill = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - lengthOf(cell));
  return lines.map((line) => line.map(fill).join('  ').trimEnd()).join('\n');
}

/** The lines that a row takes: as many as its longest cell. */
function linesOf(row: Row): Row[] {
  const cells = row.map((cell) => cell.split('\n'));
  const height = Math.max(0, ...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ''));
}

function lengthOf(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
