import { remembering } from '../../records/remembering.rules.ts';
import { told, type Cell, type DateCell, type Line } from './cells.rules.ts';
import { mostColumns, tooManyColumns } from './csv.ts';
import { longestText, unescaped, type NumberStyle } from './excel.rules.ts';
import { problemOf } from './problems.rules.ts';
import type { SharedStrings } from './shared-strings.ts';
import type { XmlHandler } from './xml.ts';

/** The parts of a workbook to which cells refer. */
export interface Workbook {
  readonly strings: SharedStrings | undefined;
  /** By the style number of cells. */
  readonly styles: readonly NumberStyle[];
  readonly is1904: boolean;
}

const mostRows = 1_048_576;

/** Makes rows from the XML events of a sheet; `take` hands out the complete ones. */
export class SheetReader implements XmlHandler {
  readonly #workbook: Workbook;
  #lines: Line[] = [];
  #row = 0;
  #cells: Cell[] = [];
  #column = -1;
  #type = 'n';
  #style = 0;
  #value = '';
  #isFormula = false;
  #isText = false;
  #isPhonetic = false;

  constructor(workbook: Workbook) {
    this.#workbook = workbook;
  }

  take(): Line[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  readonly open: XmlHandler['open'] = (name, attributes) => {
    if (name === 'c') this.#beginCell(attributes());
    else if (name === 'v' || name === 't') this.#isText = !this.#isPhonetic;
    else if (name === 'f') this.#isFormula = true;
    else if (name === 'row') this.#beginRow(attributes()['r']);
    else if (name === 'rPh') this.#isPhonetic = true;
  };

  readonly close = (name: string): void => {
    if (name === 'c') this.#endCell();
    else if (name === 'row') this.#endRow();
    else if (name === 'rPh') this.#isPhonetic = false;
    this.#isText = false;
  };

  readonly text = (part: string): void => {
    if (!this.#isText) return;
    this.#value += part;
    if (this.#value.length <= longestText) return;
    const cell = `${columnName(this.#column)}${this.#row}`;
    throw problemOf(`The cell ${cell} has more than ${longestText} characters, which no workbook can hold`);
  };

  #beginRow(reference: string | undefined): void {
    const row = reference === undefined ? this.#row + 1 : Number(reference);
    if (!(Number.isInteger(row) && row > this.#row && row <= mostRows))
      throw problemOf(
        `The workbook has a row ${told(reference ?? String(row), 20)} behind row ${this.#row}, which cannot be`,
      );
    this.#row = row;
    this.#cells = [];
    this.#column = -1;
  }

  #beginCell(attributes: Readonly<Record<string, string>>): void {
    this.#column = columnOf(attributes['r']) ?? this.#column + 1;
    this.#type = attributes['t'] ?? 'n';
    this.#style = Number(attributes['s'] ?? 0);
    this.#value = '';
    this.#isFormula = false;
  }

  #endCell(): void {
    const cell = this.#cell();
    if (cell === '') return;
    if (this.#column >= mostColumns) throw tooManyColumns(this.#row);
    while (this.#cells.length < this.#column) this.#cells.push('');
    this.#cells[this.#column] = cell;
  }

  #cell(): Cell {
    const value = this.#value;
    const { strings, styles, is1904 } = this.#workbook;
    if (value === '' && this.#type !== 's')
      return this.#isFormula && this.#type !== 'str' ? { broken: 'a formula whose value was not saved' } : '';
    if (this.#type === 's')
      return value === '' ? '' : (strings?.at(Number(value)) ?? { broken: 'a text that is missing' });
    if (this.#type === 'b') return value.trim() === '1';
    if (this.#type === 'e') return { broken: value };
    if (this.#type === 'd') return dateOfText(value);
    if (this.#type === 'n') return styledNumber(value, styles[this.#style] ?? 'plain', is1904);
    return unescaped(value);
  }

  #endRow(): void {
    if (this.#cells.length > 0) this.#lines.push({ row: this.#row, cells: this.#cells });
  }
}

const dayMs = 86_400_000;
// Excel takes 1900 for a leap year: its day 60 never existed.
const [epoch1900, epoch1904] = [Date.UTC(1899, 11, 31), Date.UTC(1904, 0, 1)];
const mostDays = 2_958_465;

/** The date that a serial number means; the number itself where it is no valid date. */
function dateOfSerial(serial: number, style: 'date' | 'time', is1904: boolean): DateCell | number {
  if (!(serial >= 0 && serial < mostDays + 1)) return serial;
  const total = Math.round(serial * dayMs);
  const rest = total % dayMs;
  const days = (total - rest) / dayMs;
  if (days === 0 && (style === 'time' || !is1904)) return { time: timeOf(rest) };
  const corrected = is1904 || days < 60 ? days : days - 1;
  const day = dayOf((is1904 ? epoch1904 : epoch1900) + corrected * dayMs);
  return rest === 0 ? { day } : { day, time: timeOf(rest) };
}

/** Remembered, because to write a date costs as much as to parse three cells, and the days of a column come again. */
const dayOf = remembering((midnight: number) => new Date(midnight).toISOString().slice(0, 10), 10_000);

function timeOf(milliseconds: number): string {
  return new Date(milliseconds)
    .toISOString()
    .slice(11, 23)
    .replace(/\.000$/, '');
}

/** The column of a reference such as AB12, from 0; undefined where there is none. */
function columnOf(reference: string | undefined): number | undefined {
  if (reference === undefined) return undefined;
  let column = 0;
  for (let at = 0; at < reference.length; at += 1) {
    const letter = reference.charCodeAt(at) & 0xdf;
    if (letter < 65 || letter > 90) break;
    column = column * 26 + letter - 64;
  }
  return column === 0 ? undefined : column - 1;
}

/** The name of a column, from 0, as shown by a spreadsheet. */
function columnName(index: number): string {
  const rest = index % 26;
  const letter = String.fromCharCode(65 + rest);
  return index < 26 ? letter : columnName((index - rest) / 26 - 1) + letter;
}

/** A number as shown by the workbook: digits of a double beyond the fifteenth are noise. */
function numberOf(text: string): number {
  const number = Number(text);
  return text.length > 15 && text.includes('.') ? Number(number.toPrecision(15)) : number;
}

/**
 * Whether a number has more digits before its point than a double keeps, as programs write account numbers; Excel itself keeps none of
 * those.
 */
function losesDigits(text: string, number: number): boolean {
  return text.length > 15 && /^-?\d{16,}(\.\d+)?$/.test(text) && String(number) !== text;
}

/** A cell with a number, by its style; a text with all of the digits where a number would lose some. */
function styledNumber(text: string, style: NumberStyle, is1904: boolean): Cell {
  const number = numberOf(text);
  if (losesDigits(text, number)) return text;
  if (text === '' || Number.isNaN(number)) return text;
  if (style === 'plain') return number;
  if (style === 'date' || style === 'time') return dateOfSerial(number, style, is1904);
  const isWhole = Number.isInteger(number) && number >= 0;
  return isWhole ? { number, shown: String(number).padStart(style.digits, '0') } : number;
}

/** A date written as text in a workbook; it stays a text where it has an offset from UTC, which no date cell has. */
function dateOfText(text: string): Cell {
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)?T?(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(Z?)$/.exec(text) ?? [];
  if (day === undefined && time === undefined) return text;
  if (day !== undefined && time !== undefined && zone) return `${day}T${withSeconds(time)}Z`;
  return { ...(day !== undefined && { day }), ...(time !== undefined && { time: withSeconds(time) }) };
}

function withSeconds(time: string): string {
  return time.length === 5 ? `${time}:00` : time;
}
