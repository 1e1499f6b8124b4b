/**
 * The contents of a cell of a file. Text files have only texts; a workbook also tells numbers, booleans and dates apart. An empty text is
 * an empty cell.
 */
export type Cell = string | number | boolean | DateCell | ShownNumber | BrokenCell;

/** A date, a time, or both, by the clock of the place where the file was written. */
export interface DateCell {
  /** Such as 2026-03-01. */
  readonly day?: string;
  /** Such as 09:30:00, with milliseconds if there are any. */
  readonly time?: string;
}

/** A number whose format shows other digits, such as leading zeros. */
interface ShownNumber {
  readonly number: number;
  readonly shown: string;
}

/** A cell without a value because of an error in the workbook: #N/A, or a formula whose value was not saved. */
interface BrokenCell {
  readonly broken: string;
}

/** A row of a file, with the number that a spreadsheet shows, from 1. */
export interface Line {
  readonly row: number;
  readonly cells: readonly Cell[];
}

/** The caller's options for reading a file; those left out are found from the file. */
export interface ReadOptions {
  readonly delimiter?: string | undefined;
  readonly encoding?: string | undefined;
  /** The sheet of a workbook: name, or number from 1. */
  readonly sheet?: string | undefined;
}

/** The way in which a file is read. */
export interface Layout {
  readonly format: 'CSV' | 'EXCEL';
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly sheet?: string;
  /** The names of all sheets. */
  readonly sheets?: readonly string[];
}

/** An open file: its layout, and its rows in parts, in order; empty ones are left out. */
export interface Table {
  readonly layout: Layout;
  readonly lines: AsyncIterable<readonly Line[]>;
  /** The part of the file read so far, from 0 to 1. */
  readonly share: () => number;
}

/** Whether a cell is empty. */
export function isEmpty(cell: Cell | undefined): boolean {
  return cell === undefined || cell === '';
}

/** A text without lone surrogates, which text files cannot have and the database refuses: each is replaced, as by a decoder. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A text of a file as shown to people, and kept for them: cut where it is long, and with a symbol for NUL, which the database refuses. */
export function told(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return wellFormed(cut).replaceAll('\u0000', '\u2400');
}

/** Number of characters in a row. */
export function lengthOf({ cells }: Pick<Line, 'cells'>): number {
  let length = 0;
  for (const cell of cells) length += shownCell(cell).length;
  return length;
}

/** A cell as people see it. */
export function shownCell(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  if (typeof cell === 'number') return String(cell);
  if ('shown' in cell) return cell.shown;
  return 'broken' in cell ? cell.broken : [cell.day, cell.time].filter(Boolean).join(' ');
}
