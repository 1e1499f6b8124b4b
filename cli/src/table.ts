import Table from 'cli-table3';

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A column of a table. */
export interface Column {
  readonly name: string;
  readonly cells: readonly string[];
}

const gap = 2;
const widest = 40;

/**
 * The columns that fit a screen. Cells are cut to 40 characters, then columns are dropped from the end, never the first; room
 * that is left goes back to cut cells.
 * @param width of the screen; without one, everything fits
 */
export function fitting(columns: readonly Column[], width: number | undefined): Column[] {
  if (width === undefined) return [...columns];
  const least = columns.map(({ name, cells }) => Math.max(name.length, Math.min(widest, longest(cells))));
  const count = Math.max(1, fittingCount(least, width));
  let room = width - least.slice(0, count).reduce((sum, one) => sum + one + gap, -gap);
  const shown = columns.slice(0, count).toReversed();
  const cut = shown.map(({ name, cells }, index) => {
    const own = least[count - 1 - index] ?? 0;
    const more = Math.min(Math.max(0, room), Math.max(0, longest(cells) - own));
    room -= more;
    return { name, cells: cells.map((text) => shortened(text, own + more)) };
  });
  return cut.toReversed();
}

/** Columns as lines of text. */
export function drawColumns(columns: readonly Column[], style: (head: string) => string): string {
  const [first] = columns;
  const rows = (first?.cells ?? []).map((_, index) => columns.map(({ cells }) => cells[index] ?? ''));
  return drawTable(
    rows,
    columns.map(({ name }) => style(name)),
  );
}

/** Rows of cells as lines of text, in columns of even width without lines between them. */
export function drawTable(rows: readonly (readonly string[])[], head: readonly string[] = []): string {
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };
  const table = new Table({ head: [...head], chars: noLines, style });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}

function fittingCount(widths: readonly number[], width: number): number {
  let used = -gap;
  const tooMany = widths.findIndex((one) => {
    used += gap + one;
    return used > width;
  });
  return tooMany === -1 ? widths.length : tooMany;
}

function longest(cells: readonly string[]): number {
  return Math.max(0, ...cells.map((text) => [...text].length));
}

function shortened(text: string, most: number): string {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join('')}…`;
}
