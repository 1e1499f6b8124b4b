import { stringifyJson, type Schemas } from '@millrace/api';
import leven from 'leven';
import { commonForm, storedName } from '../engine/checks.ts';
import { shownProblems } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { isReason, lookAtHeader, loose, namedWidth, namelessProblems, type Column } from './header.rules.ts';
import { delimiterName, formatOf } from './options.rules.ts';
import type { SampleJob, Told } from './portions.ts';
import type { JsonRecord } from '../records/record.ts';
import { isMarked, mask } from '../records/sensitive.rules.ts';
import { keptCells, readingOf, readRow, type RowReading } from './rows.rules.ts';
import { isEmpty, lengthOf, shownCell, told, wellFormed, type Cell, type Line } from './table/cells.rules.ts';
import { openTable } from './table/open.ts';
import { problemOf } from './table/problems.rules.ts';
import { readCell, showsPoint, type ValueReading } from './values.rules.ts';

const rowsLookedAt = 1000;
const rowsShown = 20;
/** The most characters that are examined; `mostShown` limits those that are shown. */
const mostLookedAt = 16 * 1024 * 1024;
const mostShown = 1024 * 1024;
const longestCell = 200;
const longestName = 1000;

/** Reads the beginning of a file. @throws Refusal when it is no table */
export async function* readSample({ path, name, options, attributes }: SampleJob): AsyncGenerator<Told> {
  const { layout, lines } = await openTable(path, options);
  const { header, rows, isCut } = await beginningOf(lines);
  if (!header) throw problemOf(`${name} is empty`);
  const { columns, problems } = lookAtHeader(attributes, header, options);
  const guesses = columns.map((_, index) => guessColumn(cellsOf(rows, index), options));
  const reading = readingOf(attributes, options, { columns, rows, isText: layout.format === 'CSV' });
  const { delimiter, ...how } = layout;
  const named = delimiterName(delimiter);
  const intakeFormat = formatOf(options);
  const sample: Schemas['FilePreview'] = {
    ...how,
    ...(named && { delimiter: named }),
    sheets: [...(layout.sheets ?? [])],
    ...(intakeFormat && { intakeFormat }),
    rowsLookedAt: rows.length,
    isCut,
    columns: columns.map((column, index) => columnOf(column, guesses[index] as Guess)),
    problems: [...problems, ...namelessProblems(columns, rows, options).slice(0, shownProblems)],
    mapping: { ...options.mapping, ...resemblances(attributes, columns) },
    ...formatsOf(guesses),
    rows: shownRows(reading, rows),
    model: { name: modelName(name), attributes: attributesOf(columns, guesses, rows) },
  };
  yield { kind: 'sample', json: stringifyJson(sample) };
}

/** The header of a table and its first rows. */
async function beginningOf(lines: AsyncIterable<readonly Line[]>) {
  const rows: Line[] = [];
  let size = 0;
  for await (const part of lines) {
    for (const line of part) {
      // One row more than is examined shows whether there are more.
      if (rows.length > rowsLookedAt + 1 || size > mostLookedAt) break;
      rows.push(line);
      size += lengthOf(line);
    }
    if (rows.length > rowsLookedAt + 1 || size > mostLookedAt) break;
  }
  const [header, ...below] = rows;
  const isCut = below.length > rowsLookedAt || size > mostLookedAt;
  return { header, rows: below.slice(0, rowsLookedAt), isCut };
}

const cellsOf = (rows: readonly Line[], index: number) => rows.map(({ cells }) => cells[index]);

function columnOf({ name, attribute }: Column, { type, isRequired, note }: Guess): Schemas['FileColumn'] {
  return {
    name: told(name, longestName),
    ...(attribute && { attribute: attribute.name }),
    type,
    isRequired,
    ...(note !== undefined && { note }),
  };
}

/** The formats that the columns need, where they agree. */
function formatsOf(guesses: readonly Guess[]) {
  const dateFormats = new Set(guesses.flatMap(({ dateFormat }) => dateFormat ?? []));
  const decimalSigns = new Set(guesses.flatMap(({ decimalSign }) => decimalSign ?? []));
  const [dateFormat] = dateFormats;
  const [decimalSign] = decimalSigns;
  return {
    ...(dateFormat !== undefined && dateFormats.size === 1 && { dateFormat }),
    ...(decimalSign !== undefined && decimalSigns.size === 1 && { decimalSign }),
  };
}

function shownRows(reading: RowReading, lines: readonly Line[]): Schemas['PreviewedRow'][] {
  const rows: Schemas['PreviewedRow'][] = [];
  let size = 0;
  for (const line of lines.slice(0, rowsShown)) {
    size += lengthOf(line);
    if (rows.length > 0 && size > mostShown) break;
    const { row, record, problems } = readRow(reading, line);
    const cells = keptCells(reading, line.cells).map((cell) => told(shownCell(cell), longestCell));
    rows.push({ row, cells, json: maskedValues(reading, record), problems: [...problems] });
  }
  return rows;
}

/** The record with masks in place of sensitive values. */
function maskedValues({ attributes }: RowReading, record: JsonRecord): JsonRecord {
  const marked = new Set(attributes.filter(isMarked).map(({ name }) => name));
  if (marked.size === 0) return record;
  const members = Object.entries(record).map(([name, value]) => [name, marked.has(name) ? mask : value]);
  return Object.fromEntries(members);
}

/** Columns that match no attribute, each with the attribute of a similar name that has no column. */
function resemblances(attributes: readonly Attribute[], columns: readonly Column[]): Record<string, string> {
  const held = new Set(columns.map(({ attribute }) => attribute));
  const free = attributes.filter((attribute) => !held.has(attribute));
  const pairs = columns
    .filter(
      ({ attribute, name }) =>
        !attribute && name.trim() !== '' && !isReason(name) && name.length <= longestName,
    )
    .flatMap(({ name }) =>
      free.map((attribute) => ({ name, attribute, distance: distance(name, attribute.name) })),
    )
    .filter((pair) => pair.distance < 1)
    .toSorted((one, other) => one.distance - other.distance);
  const found = new Map<string, Attribute>();
  const taken = new Set<Attribute>();
  for (const { name, attribute } of pairs) {
    if (found.has(name.trim()) || taken.has(attribute)) continue;
    found.set(name.trim(), attribute);
    taken.add(attribute);
  }
  return Object.fromEntries([...found].map(([name, attribute]) => [name, attribute.name]));
}

/** The distance between a name in a header and the name of an attribute: 0 where they are alike, 1 where they have nothing in common. */
function distance(name: string, attribute: string): number {
  const [one, other] = [name, attribute].map((text) => loose(text).replace(/[^\p{L}\p{N}]/gu, '')) as [
    string,
    string,
  ];
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  if (shorter === longer) return shorter === '' ? 1 : 0;
  if (shorter.length > 2 && longer.includes(shorter)) return 0.5;
  const slips = shorter.length > 64 ? Infinity : leven(one, other);
  return slips <= longer.length / 4 ? slips / longer.length : 1;
}

const mostAttributes = 200;
const longestAttribute = 255;

/** An attribute for each column with data, with a name that matches the header. */
function attributesOf(columns: readonly Column[], guesses: readonly Guess[], rows: readonly Line[]) {
  const taken = new Set<string>();
  const width = namedWidth(columns);
  const isNone = (name: string, index: number) =>
    isReason(name) || (index >= width && cellsOf(rows, index).every((cell) => isEmpty(cell)));
  return columns.slice(0, mostAttributes).flatMap(({ name }, index) => {
    if (isNone(name, index)) return [];
    const wanted = wellFormed(tidy(name).slice(0, longestAttribute - 5)).trim() || `column ${index + 1}`;
    let own = wanted;
    for (let turn = 2; taken.has(commonForm(own)); turn += 1) own = `${wanted} ${turn}`;
    taken.add(commonForm(own));
    const { type, isRequired } = guesses[index] as Guess;
    return [{ name: own, type, isRequired }];
  });
}

/** The name of a model made for a file: the name of the file without its extensions. */
function modelName(file: string): string {
  return (
    wellFormed(
      tidy(file.replace(/(\.(csv|tsv|txt|xlsx|xlsm))?(\.gz)?$/i, '')).slice(0, longestAttribute),
    ).trim() || 'Work items'
  );
}

/** A text that can be a name: without invisible characters. */
function tidy(text: string): string {
  const seen = text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '');
  return storedName(seen).trim();
}

/** The attribute that the values of a column look like. */
interface Guess extends Pick<ValueReading, 'dateFormat' | 'decimalSign'> {
  readonly type: Attribute['type'];
  /** Whether every row has a value. */
  readonly isRequired: boolean;
  /** Information for the person who has to agree. */
  readonly note?: string;
}

type Typed = Omit<Guess, 'isRequired'>;

/** The type that fits all values of a column; TEXT where no other does. */
export function guessColumn(cells: readonly (Cell | undefined)[], reading: ValueReading): Guess {
  const values = cells.filter((cell): cell is Cell => !isEmpty(cell));
  const isRequired = values.length > 0 && values.length === cells.length;
  if (values.length === 0) return { type: 'TEXT', isRequired, note: 'has no values in the rows looked at' };
  const typed =
    asBoolean(values, reading) ??
    asDate(values, reading) ??
    asNumber(values, reading) ??
    asText(values, reading);
  return { ...typed, isRequired };
}

const fits = (type: Attribute['type'], values: readonly Cell[], reading: ValueReading) =>
  values.every((cell) => 'value' in readCell(type, cell, reading));

/** Digits may be switches, but a NUMBER can hold these and everything else. */
function asBoolean(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  const isOfDigits = values.every((cell) => /^[01]$/.test(shownCell(cell).trim()));
  return !isOfDigits && fits('BOOLEAN', values, reading) ? { type: 'BOOLEAN' } : undefined;
}

const dayFirst = ['dd/mm/yyyy', 'dd-mm-yyyy', 'dd/mm/yy', 'dd-mm-yy'];
const monthFirst = ['mm/dd/yyyy', 'mm-dd-yyyy', 'mm/dd/yy', 'mm-dd-yy'];
const formats = [...dayFirst, ...monthFirst, 'dd.mm.yy', 'yyyy/mm/dd', 'yyyy.mm.dd'];

function asDate(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  if (fits('DATE', values, reading)) return { type: 'DATE' };
  if (reading.dateFormat !== undefined) return undefined;
  const found = formats.filter((dateFormat) => fits('DATE', values, { ...reading, dateFormat }));
  const [only, other] = found;
  if (only === undefined) return undefined;
  if (other === undefined)
    return { type: 'DATE', dateFormat: only, note: `holds dates that are read with dateFormat ${only}` };
  const note = `can be read as day and month or as month and day: say by dateFormat which, ${only} or ${other}`;
  return { type: 'DATE', note };
}

function asNumber(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  const isPlain = fits('NUMBER', values, { ...reading, hasPoint: showsPoint(values) });
  if (isPlain) {
    const lossy = values.find(losesDigits);
    return lossy === undefined ? { type: 'NUMBER' } : { type: 'TEXT', note: keptAsText(lossy) };
  }
  if (reading.decimalSign !== undefined) return undefined;
  const signs = (['COMMA', 'POINT'] as const).filter((decimalSign) =>
    fits('NUMBER', values, { ...reading, decimalSign }),
  );
  const [only, other] = signs;
  if (only === undefined) return undefined;
  if (other === undefined)
    return {
      type: 'NUMBER',
      decimalSign: only,
      note: `holds numbers that are read with decimalSign ${only}`,
    };
  const note = 'can be read with a comma or a point before decimals: say by decimalSign which';
  return { type: 'NUMBER', note };
}

// With more digits a double, and so most programs, loses some.
const mostDigits = 15;

/** Whether a value is an identifier made of digits, which would change as a number. */
function losesDigits(cell: Cell): boolean {
  if (typeof cell === 'number' || typeof cell === 'boolean') return false;
  const text = shownCell(cell).trim();
  return (
    /^[+-]?0\d/.test(text) || (/^[+-]?\d+$/.test(text) && text.length > mostDigits) || text.startsWith('+')
  );
}

const keptAsText = (cell: Cell) =>
  `is a TEXT, as a number would not keep all characters of values such as ${quoted(cell)}`;

const near = 0.8;
const others = [
  ['NUMBER', 'numbers'],
  ['DATE', 'dates'],
] as const;

/** A TEXT attribute, with a note about the type of most of its values. */
function asText(values: readonly Cell[], reading: ValueReading): Typed {
  for (const [type, name] of others) {
    const bad = values.filter((cell) => !('value' in readCell(type, cell, reading)));
    const [first] = bad;
    if (first === undefined || bad.length > values.length * (1 - near)) continue;
    const note = `is a TEXT, as ${bad.length} of ${values.length} values are no ${name}, such as ${quoted(first)}`;
    return { type: 'TEXT', note };
  }
  return { type: 'TEXT' };
}

function quoted(cell: Cell): string {
  const text = shownCell(cell);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
