/**
 * What a cell of a file holds. Text files have texts only; a workbook also tells numbers, booleans and dates apart. An empty text is
 * an empty cell.
 */
export type Cell = string | number | boolean | DateCell | ShownNumber | BrokenCell;

/** A date, a time, or both, as they are on the clock where the file was written. */
export interface DateCell {
  /** As in 2026-03-01. */
  readonly day?: string;
  /** As in 09:30:00, with milliseconds where there are some. */
  readonly time?: string;
}

/** A number that its format shows with other digits, as one with leading zeros. */
export interface ShownNumber {
  readonly number: number;
  readonly shown: string;
}

/** A cell that holds no value, as it is an error of the workbook: #N/A, or a formula whose value was not saved. */
export interface BrokenCell {
  readonly broken: string;
}

/** A row of a file as a spreadsheet numbers them, from 1. */
export interface Line {
  readonly row: number;
  readonly cells: readonly Cell[];
}

/** How a caller says that a file is to be read; what is left out is found in the file. */
export interface ReadOptions {
  readonly delimiter?: string | undefined;
  readonly encoding?: string | undefined;
  /** Of a workbook: name, or number from 1. */
  readonly sheet?: string | undefined;
}

/** How a file is read. */
export interface Layout {
  readonly format: 'CSV' | 'EXCEL';
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly sheet?: string;
  /** The names of all sheets. */
  readonly sheets?: readonly string[];
}

/** An open file: how it is read, and its rows in parts, in their order; empty ones are left out. */
export interface Table {
  readonly layout: Layout;
  readonly lines: AsyncIterable<readonly Line[]>;
  /** The part of the file that was read so far, from 0 to 1. */
  readonly share: () => number;
}

/** Whether there is nothing in a cell. */
export function isEmpty(cell: Cell | undefined): boolean {
  return cell === undefined || cell === '';
}

/** A text without half characters, which no text file has, and the database refuses: each is replaced, as a decoder does. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A text of a file as it is told to people, and kept for them: cut off where it is long, and with a sign for NUL, which the database refuses. */
export function told(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return wellFormed(cut).replaceAll('\u0000', '\u2400');
}

/** How many characters a row has. */
export function lengthOf({ cells }: Pick<Line, 'cells'>): number {
  return cells.reduce<number>((sum, cell) => sum + shownCell(cell).length, 0);
}

/** A cell as people see it. */
export function shownCell(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  if (typeof cell === 'number') return String(cell);
  if ('shown' in cell) return cell.shown;
  return 'broken' in cell ? cell.broken : [cell.day, cell.time].filter(Boolean).join(' ');
}
