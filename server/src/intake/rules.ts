import { ExactNumber, parseJson } from '@millrace/api';
import type { ErrorDetail } from '../errors.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';

/** Which attribute each column of the file holds; undefined where the header names none. */
export type Columns = readonly (Attribute | undefined)[];

/** Reads the header of a file. Names match exactly, or without the spaces around them. */
export function readHeader(attributes: readonly Attribute[], header: readonly string[]) {
  const columns = header.map(
    (name) =>
      attributes.find((one) => one.name === name) ??
      attributes.find((one) => one.name.trim() === name.trim()),
  );
  return { columns, problems: headerProblems(attributes, header, columns) };
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

/** Reads one row: its values, or what is wrong with it. An empty cell is no value. */
export function readRow(
  attributes: readonly Attribute[],
  columns: Columns,
  cells: readonly string[],
  row: number,
) {
  if (cells.length !== columns.length) {
    const message = `has ${cells.length} cells, the header has ${columns.length}`;
    return { record: {}, problems: [{ row, message }] };
  }
  const values = columns.flatMap((column, index): [string, unknown][] => {
    const cell = cells[index] ?? '';
    return column && cell !== '' ? [[column.name, cellValue(column.type, cell)]] : [];
  });
  const record: JsonRecord = Object.fromEntries(values);
  return { record, problems: recordProblems(attributes, record).map((problem) => ({ row, ...problem })) };
}

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The value that a cell stands for; a cell that does not fit the type stays a text, which the model then refuses. */
function cellValue(type: Attribute['type'], cell: string): unknown {
  const text = cell.trim();
  if (type === 'NUMBER' && jsonNumber.test(text)) return parseJson(text);
  if (type === 'NUMBER' && /^[+-]?\d+(\.\d+)?$/.test(text)) return new ExactNumber(plainNumber(text));
  if (type === 'BOOLEAN' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return type === 'DATE' ? text : cell;
}

/** A number as people write it (+5, 007) as JSON writes it. */
function plainNumber(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.replace(/^[+-]/, '').replace(/^0+(?=\d)/, '');
}
