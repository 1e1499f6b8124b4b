import { parseJson } from '@millrace/api';
import { hashOf, type Comparison } from '../duplicates/rules.ts';
import { Refusal, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';

/** A row of the file that fits the model; the header is row 1. */
export interface Row {
  readonly row: number;
  readonly record: JsonRecord;
}

/** Which attribute each column of the file holds; undefined where the header names none. */
type Columns = readonly (Attribute | undefined)[];

const shownProblems = 100;

/**
 * The rows of a file for a queue.
 * @throws Refusal that names row and column of each problem; rows before the first bad one may have been yielded.
 */
export async function* readFile(queue: Comparison, records: AsyncIterable<string[]>): AsyncGenerator<Row> {
  const { attributes, disallowDuplicate } = queue;
  const rowByHash = new Map<string, number>();
  const problems: ErrorDetail[] = [];
  let columns: Columns | undefined;
  let row = 0;
  for await (const cells of records) {
    row += 1;
    if (!columns) {
      columns = readHeader(attributes, cells);
      continue;
    }
    const read = readRow(attributes, columns, cells, row);
    problems.push(...read.problems);
    if (disallowDuplicate) problems.push(...twinProblems(queue, read, rowByHash));
    if (problems.length >= shownProblems) break;
    if (problems.length === 0) yield read;
  }
  if (problems.length > 0) {
    const isTwins = problems.every(({ message }) => message.startsWith('equals'));
    throw refusalOf(problems, isTwins ? 'DUPLICATE' : 'INVALID_REQUEST');
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
function readHeader(attributes: readonly Attribute[], header: readonly string[]): Columns {
  const columns = header.map(
    (name) =>
      attributes.find((one) => one.name === name) ??
      attributes.find((one) => one.name.trim() === name.trim()),
  );
  const problems = headerProblems(attributes, header, columns);
  if (problems.length > 0) throw refusalOf(problems, 'INVALID_REQUEST');
  return columns;
}

function headerProblems(
  attributes: readonly Attribute[],
  header: readonly string[],
  columns: Columns,
): ErrorDetail[] {
  const known = attributes.map(({ name }) => name).join(', ');
  const unknown = header.filter((_, index) => !columns[index]);
  const twice = columns.filter((column, index) => column && columns.indexOf(column) !== index);
  const missing = attributes.filter((one) => one.isRequired && !columns.includes(one));
  return [
    ...unknown.map((field) => ({
      row: 1,
      field,
      message: `is not an attribute of the model, which has ${known}`,
    })),
    ...twice.map((column) => ({ row: 1, field: column?.name ?? '', message: 'stands in the header twice' })),
    ...missing.map(({ name }) => ({ row: 1, field: name, message: 'is required and has no column' })),
  ];
}

/** The values of a row, and what is wrong with them. An empty cell is no value. */
function readRow(attributes: readonly Attribute[], columns: Columns, cells: readonly string[], row: number) {
  if (cells.length !== columns.length) {
    return {
      row,
      record: {},
      problems: [{ row, message: `has ${cells.length} cells, the header has ${columns.length}` }],
    };
  }
  const values = columns.flatMap((column, index): [string, unknown][] => {
    const cell = cells[index] ?? '';
    return column && cell !== '' ? [[column.name, cellValue(column.type, cell)]] : [];
  });
  const record: JsonRecord = Object.fromEntries(values);
  return {
    row,
    record,
    problems: recordProblems(attributes, record).map((problem) => ({ row, ...problem })),
  };
}

function twinProblems(
  queue: Comparison,
  { row, record }: Row,
  rowByHash: Map<string, number>,
): ErrorDetail[] {
  const hash = hashOf(queue, record);
  const twin = rowByHash.get(hash);
  if (twin === undefined) rowByHash.set(hash, row);
  return twin === undefined ? [] : [{ row, message: `equals row ${twin}` }];
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
