import type { Id } from '@millrace/api';
import type { Attribute } from '../engine/operation.ts';
import { errorOfRow, isMarked, maskText, unshown } from '../records/sensitive.rules.ts';
import { recordProblems, type JsonRecord } from '../records/record.ts';
import { namedWidth, type Column } from './header.rules.ts';
import { isEmpty, shownCell, told, type Cell, type Line } from './table/cells.rules.ts';
import { readCell, showsPoint, type ValueReading } from './values.rules.ts';

/** The reason why a row cannot become an item, and its place. */
export interface RowProblem {
  readonly row: number;
  /** As in the header of the file; undefined where the row as a whole is at fault. */
  readonly column?: string;
  /** The attribute. */
  readonly field?: string;
  /** As in the file. */
  readonly value?: string;
  /** The item that the row equals, or that was made from it. */
  readonly itemId?: Id;
  readonly reason: string;
}

/** A row as read: the values that fit, and the problems of the others. */
export interface Row extends Line {
  readonly record: JsonRecord;
  readonly problems: readonly RowProblem[];
}

/** The means to read rows, made once for all of a file: what is found anew for each row costs more than to parse it. */
export interface RowReading {
  readonly attributes: readonly Attribute[];
  readonly columns: readonly Column[];
  readonly fields: readonly Field[];
  /** The least number of cells of a row. */
  readonly width: number;
  /** Whether rows must have as many cells as the header has names, as in a text file. */
  readonly isText: boolean;
}

/** A column with an attribute, and the format of its values. */
interface Field {
  readonly index: number;
  readonly name: string;
  readonly attribute: Attribute;
  readonly isHidden: boolean;
  readonly reading: ValueReading;
}

/** A file whose rows are read: its columns, and its first rows. */
interface Beginning {
  readonly columns: readonly Column[];
  readonly rows: readonly Line[];
  readonly isText: boolean;
}

const rowsLookedAt = 1000;

/** The means to read the rows of a file, from as many of them as a preview looks at. */
export function readingOf(
  attributes: readonly Attribute[],
  options: ValueReading,
  { columns, rows, isText }: Beginning,
): RowReading {
  const first = rows.slice(0, rowsLookedAt);
  const fields = columns.flatMap(({ name, attribute }, index): Field[] => {
    if (!attribute) return [];
    const hasPoint = attribute.type === 'NUMBER' && showsPoint(first.map(({ cells }) => cells[index]));
    return [{ index, name, attribute, isHidden: isMarked(attribute), reading: { ...options, hasPoint } }];
  });
  return { attributes, columns, fields, width: namedWidth(columns), isText };
}

const longestShown = 1000;

/** The reason for the mask that an export, or a file of rows to correct, has in place of a sensitive value. */
const maskedCell = { reason: 'is masked: put the value itself there, or leave the cell empty' } as const;

/** The value of a cell, or the reason why it does not fit, with the text of the file unless that is sensitive. */
function readValue(
  { attribute, isHidden, reading }: Field,
  cell: Cell,
): { readonly fits: unknown } | Pick<RowProblem, 'value' | 'reason'> {
  if (isHidden && shownCell(cell).trim() === maskText) return maskedCell;
  const read = readCell(attribute.type, cell, reading);
  if ('value' in read) return { fits: read.value };
  if (!isHidden) return { value: shortened(shownCell(cell)), reason: read.reason };
  // The reasons of some types contain the value.
  return { reason: `is no ${attribute.type} that can be read; ${unshown}` };
}

/**
 * The cells of a row as kept for the person who corrects it: sensitive ones masked, or all of them where it is unclear which are sensitive.
 */
export function keptCells(reading: RowReading, cells: readonly Cell[]): readonly Cell[] {
  const { attributes, columns } = reading;
  if (!attributes.some(isMarked)) return cells;
  const isRagged = raggedProblem(reading, cells) !== undefined;
  return cells.map((cell, index) => {
    const attribute = columns[index]?.attribute;
    const isHidden = isRagged || (attribute !== undefined && isMarked(attribute));
    return isHidden && !isEmpty(cell) ? maskText : cell;
  });
}

/** The values of a row. An empty cell is no value. */
export function readRow(reading: RowReading, { row, cells }: Line): Row {
  const ragged = raggedProblem(reading, cells);
  if (ragged !== undefined) {
    const value = shortened(keptCells(reading, cells).map(shownCell).join(' | '));
    return { row, cells, record: {}, problems: [{ row, value, reason: ragged }] };
  }
  const record: JsonRecord = {};
  const problems: RowProblem[] = [];
  for (const field of reading.fields) {
    const cell = cells[field.index];
    if (cell === undefined || isEmpty(cell)) continue;
    const { name } = field.attribute;
    const read = readValue(field, cell);
    if ('fits' in read) define(record, name, read.fits);
    else problems.push({ row, column: field.name, field: name, ...read });
  }
  problems.push(...nonconformities(reading, { row, record }, problems));
  return { row, cells, record, problems };
}

/** Sets a member by its definition: names like `__proto__` are data. */
function define(record: JsonRecord, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  else record[name] = value;
}

/** The model's objections to values that could be read; values that do not fit are taken out. */
function nonconformities(
  { attributes, columns }: RowReading,
  { row, record }: Pick<Row, 'row' | 'record'>,
  known: readonly RowProblem[],
): RowProblem[] {
  const found = recordProblems(attributes, record);
  const others = found.filter(({ field }) => !known.some((one) => one.field === field));
  return others.map(({ field = '', message }) => {
    const name = columns.find(({ attribute }) => attribute?.name === field)?.name;
    const isHidden = attributes.some((one) => one.name === field && isMarked(one));
    const value = !isHidden && Object.hasOwn(record, field) ? shortened(String(record[field])) : undefined;
    takeOut(record, attributes, field);
    return {
      row,
      field,
      reason: message,
      ...(name !== undefined && { column: name }),
      ...(value !== undefined && { value }),
    };
  });
}

/** Takes out the value that does not fit, or all values where they do not fit together. */
function takeOut(record: JsonRecord, attributes: readonly Attribute[], field: string): void {
  const isOne = attributes.some(({ name }) => name === field);
  for (const name of isOne ? [field] : Object.keys(record)) delete record[name];
}

export const shortened = (text: string) => told(text, longestShown);

function raggedProblem({ columns, width, isText }: RowReading, cells: readonly Cell[]): string | undefined {
  const isWhole = cells.length >= width && cells.length <= columns.length;
  const isGood = isText ? isWhole : !cells.some((cell, index) => index >= columns.length && !isEmpty(cell));
  if (isGood) return undefined;
  const has = `is ragged: it has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}, the header has ${width}`;
  if (cells.length <= columns.length) return has;
  return isText
    ? `${has}; a cell that holds the delimiter stands in quotes`
    : `${has}; name its further columns there, or delete what stands in them`;
}

/** The problem in words, with the value, cut when it is long. */
export function sentenceOf({ value, reason }: Pick<RowProblem, 'value' | 'reason'>): string {
  if (value === undefined || reason.startsWith('is ragged')) return reason;
  const short = JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (reason.includes(short)) return reason;
  if (reason.startsWith('equals ')) return `${reason}: ${short}`;
  // The remedy comes last.
  const [what = '', ...hint] = reason.split(': ');
  return [what.startsWith('must ') ? `${what}, not ${short}` : `${short} ${what}`, ...hint].join(': ');
}

const longestError = 10_000;

/** The error of an item made from a bad row: everything that a person needs to repair it. */
export function errorOf(file: string, problems: readonly RowProblem[]): string {
  const [first] = problems;
  const lines = problems.map(({ field, column, value, reason }) => {
    const place = [field ?? column]
      .filter(Boolean)
      .map((name) => `${name}: `)
      .join('');
    return `${place}${reason}${value === undefined ? '' : `; the file has ${JSON.stringify(value)}`}.`;
  });
  return told([errorOfRow(first?.row, file), ...lines].join('\n'), longestError);
}
