import { parseJson } from '@millrace/api';
import { hashOf, type Comparison } from '../duplicates/rules.ts';
import { Refusal, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';

/** A row of the file as a spreadsheet numbers them, from 1. */
export interface Line {
  readonly row: number;
  readonly cells: readonly string[];
}

/** A row of the file that fits the model. */
export interface Row {
  readonly row: number;
  readonly record: JsonRecord;
}

/** Why a row cannot become an item, and as what the file is refused for that. */
interface Problem {
  readonly code: 'DUPLICATE' | 'INVALID_REQUEST';
  readonly detail: ErrorDetail;
}

/** Which attribute each column of the file holds; undefined where the header names none. */
type Columns = readonly (Attribute | undefined)[];

const shownProblems = 100;

/**
 * The rows of a file for a queue; the first line is the header.
 * @throws Refusal that names row and column of each problem; rows before the first bad one may have been yielded.
 */
export async function* readFile(queue: Comparison, lines: AsyncIterable<Line>): AsyncGenerator<Row> {
  const { attributes, disallowDuplicate } = queue;
  const rowByHash = new Map<string, number>();
  const problems: Problem[] = [];
  let columns: Columns | undefined;
  for await (const line of lines) {
    if (!columns) {
      columns = readHeader(attributes, line);
      continue;
    }
    const read = readRow(attributes, columns, line);
    problems.push(...read.problems.map((detail) => ({ code: 'INVALID_REQUEST' as const, detail })));
    if (disallowDuplicate) problems.push(...twinProblems(queue, read, rowByHash));
    if (problems.length >= shownProblems) break;
    if (problems.length === 0) yield read;
  }
  if (problems.length > 0) {
    const isTwins = problems.every(({ code }) => code === 'DUPLICATE');
    throw refusalOf(
      problems.map(({ detail }) => detail),
      isTwins ? 'DUPLICATE' : 'INVALID_REQUEST',
    );
  }
}

/** The refusal of a file for these problems. */
export function refusalOf(problems: readonly ErrorDetail[], code: ErrorCode): Refusal {
  const [first] = problems;
  const place = [`Row ${first?.row}`, first?.field].filter(Boolean).join(', ');
  return new Refusal(code, `${place}: ${first?.message}. Nothing was created.`, {
    details: problems.slice(0, shownProblems),
  });
}

/** Names in the header match exactly, or without the spaces around them. */
function readHeader(attributes: readonly Attribute[], { row, cells }: Line): Columns {
  const columns = cells.map(
    (name) =>
      attributes.find((one) => one.name === name) ??
      attributes.find((one) => one.name.trim() === name.trim()),
  );
  const problems = headerProblems(attributes, cells, columns).map((problem) => ({ row, ...problem }));
  if (problems.length > 0) throw refusalOf(problems, 'INVALID_REQUEST');
  return columns;
}

function headerProblems(
  attributes: readonly Attribute[],
  header: readonly string[],
  columns: Columns,
): ErrorDetail[] {
  const separator = columns.some(Boolean) ? undefined : otherSeparator(header);
  if (separator)
    return [{ message: `has ${separator} between its columns. Save the file with commas there` }];
  const known = attributes.map(({ name }) => name).join(', ');
  const unknown = header.filter((_, index) => !columns[index]);
  const twice = columns.filter((column, index) => column && columns.indexOf(column) !== index);
  const missing = attributes.filter((one) => one.isRequired && !columns.includes(one));
  return [
    ...unknown.map((field) => ({ field, message: `is not an attribute of the model, which has ${known}` })),
    ...twice.map((column) => ({ field: column?.name ?? '', message: 'stands in the header twice' })),
    ...missing.map(({ name }) => ({ field: name, message: 'is required and has no column' })),
  ];
}

/** What stands between the columns where spreadsheets of many countries do not write commas. */
function otherSeparator([first = '', ...others]: readonly string[]): string | undefined {
  if (others.length > 0) return undefined;
  if (first.includes(';')) return 'semicolons';
  return first.includes('\t') ? 'tabs' : undefined;
}

/** The values of a row, and what is wrong with them. An empty cell is no value. */
function readRow(attributes: readonly Attribute[], columns: Columns, { row, cells }: Line) {
  if (cells.length !== columns.length)
    return { row, record: {}, problems: [{ row, message: countProblem(cells.length, columns.length) }] };
  const values = columns.flatMap((column, index): [string, unknown][] => {
    const cell = cells[index] ?? '';
    return column && cell !== '' ? [[column.name, cellValue(column.type, cell)]] : [];
  });
  const record: JsonRecord = Object.fromEntries(values);
  const problems = recordProblems(attributes, record).map((problem) => ({
    row,
    ...problem,
    message: problem.message + numberHint(problem, attributes, record),
  }));
  return { row, record, problems };
}

function countProblem(cells: number, columns: number): string {
  const has = `has ${cells} ${cells === 1 ? 'cell' : 'cells'}, the header has ${columns}`;
  return cells > columns ? `${has}; a cell that holds a comma stands in quotes` : has;
}

/** Spreadsheets of many countries write a comma into numbers. */
function numberHint(
  { field = '' }: ErrorDetail,
  attributes: readonly Attribute[],
  record: JsonRecord,
): string {
  const isNumber = attributes.some(({ name, type }) => name === field && type === 'NUMBER');
  const isWithComma = /^\s*[+-]?[\d.,]*\d,\d/.test(String(record[field]));
  return isNumber && isWithComma ? '; write it with a point and without commas, as in 1234.5' : '';
}

function twinProblems(queue: Comparison, { row, record }: Row, rowByHash: Map<string, number>): Problem[] {
  const hash = hashOf(queue, record);
  const twin = rowByHash.get(hash);
  if (twin === undefined) rowByHash.set(hash, row);
  return twin === undefined ? [] : [{ code: 'DUPLICATE', detail: { row, message: `equals row ${twin}` } }];
}

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The value that a cell stands for; a cell that does not fit the type stays a text, which the model then refuses. */
function cellValue(type: Attribute['type'], cell: string): unknown {
  const text = cell.trim();
  if (type === 'NUMBER' && jsonNumber.test(text)) return parseJson(text);
  if (type === 'NUMBER' && /^[+-]?\d+(\.\d+)?$/.test(text)) return parseJson(plainNumber(text));
  if (type === 'BOOLEAN' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return type === 'DATE' ? text : cell;
}

/** A number as people write it (+5, 007), as JSON writes it. */
function plainNumber(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.replace(/^[+-]/, '').replace(/^0+(?=\d)/, '');
}

const problemByCode: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'goes on behind a quote that is closed. Double the quotes inside a cell, or look for one in the rows above that is not closed',
  INVALID_OPENING_QUOTE:
    'has a quote in the middle of a cell. Put the whole cell in quotes, and double those inside it',
  CSV_MAX_RECORD_SIZE: 'is longer than 1 MiB. Look for a quote that is not closed',
};

/** What is wrong with a row at which reading ended; undefined when that was for another reason. */
export function unreadableRow(code: string): string | undefined {
  return problemByCode[code] ?? (code.startsWith('CSV_') ? 'cannot be read as CSV' : undefined);
}

/** Whether a file begins as those of Excel do, which are archives, or were containers. */
export function isWorkbook(start: Uint8Array): boolean {
  const [first, second] = start;
  return (first === 0x50 && second === 0x4b && start[2] === 3) || (first === 0xd0 && second === 0xcf);
}

export function workbook(): Refusal {
  return new Refusal(
    'INVALID_REQUEST',
    'The file is a workbook of Excel. Save it as "CSV UTF-8 (comma delimited)" and send that. Nothing was created.',
  );
}
