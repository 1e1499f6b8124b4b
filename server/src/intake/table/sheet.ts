import { told, type Cell, type Line } from './cells.rules.ts';
import {
  columnName,
  columnOf,
  dateOfText,
  longestText,
  styledNumber,
  unescaped,
  type NumberStyle,
} from './excel.rules.ts';
import { problemOf } from './problems.rules.ts';
import type { SharedStrings } from './shared-strings.ts';
import { mostColumns, tooManyColumns } from './text.rules.ts';
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
