import leven from 'leven';
import { commonForm } from '../engine/checks.ts';
import { Refusal, shownProblems, type ErrorCode, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { shownCell, told, type Cell, type Line } from './table/cells.rules.ts';

/** The mapping of the columns of a file to attributes. */
export interface HeaderReading {
  /** Names in the header, each with its attribute. */
  readonly mapping?: Readonly<Record<string, string>> | undefined;
  /** The treatment of columns without an attribute. */
  readonly extraColumns?: 'IGNORE' | 'REFUSE' | undefined;
}

/** A column of the file: its name there, and its attribute, if it has one. */
export interface Column {
  readonly name: string;
  readonly attribute: Attribute | undefined;
}

/** The last column of a file of rows to correct: the reasons why they did not come in. Sent again, it is ignored. */
export const reasonColumn = 'Millrace: reason';

export const isReason = (name: string): boolean => loose(name) === loose(reasonColumn);

const isNameless = ({ name, attribute }: Column): boolean => attribute === undefined && name.trim() === '';

/** The least number of columns of a row: nameless ones at the end, which spreadsheets write, may be missing from it. */
export function namedWidth(columns: readonly Column[]): number {
  const last = columns.findLastIndex((column) => !isNameless(column) && !isReason(column.name));
  const isLast = columns.slice(last + 1).some(isNameless);
  return isLast ? last + 1 : columns.length;
}

/** Problems for values in nameless columns at the end, which would be lost without notice. */
export function namelessProblems(
  columns: readonly Column[],
  lines: readonly Line[],
  { extraColumns = 'REFUSE' }: HeaderReading,
): ErrorDetail[] {
  const width = namedWidth(columns);
  if (extraColumns === 'IGNORE' || width === columns.length) return [];
  const places = columns.flatMap((column, index) => (index >= width && isNameless(column) ? [index] : []));
  return lines.flatMap(({ row, cells }) =>
    places
      .filter((index) => hasValue(cells[index]))
      .map((index) => ({ row, message: `has a value in column ${index + 1}, ${unnamed}` })),
  );
}

const unnamed =
  'which has no name in the header. Name an attribute there, delete the column, or have such columns left out (extraColumns=IGNORE)';

const hasValue = (cell: Cell | undefined) => cell !== undefined && shownCell(cell).trim() !== '';

/** The refusal of a file for these problems. */
export function refusalOf(problems: readonly ErrorDetail[], code: ErrorCode): Refusal {
  const [first] = problems;
  const place = [`Row ${first?.row}`, first?.field].filter(Boolean).join(', ');
  return new Refusal(code, `${place}: ${first?.message}. Nothing was created.`, {
    details: problems.slice(0, shownProblems),
  });
}

/**
 * The columns of a file, from its first row.
 * @throws Refusal that names each column that is unknown or repeated, and each missing attribute
 */
export function readHeader(attributes: readonly Attribute[], line: Line, reading: HeaderReading): Column[] {
  const { columns, problems } = lookAtHeader(attributes, line, reading);
  if (problems.length > 0) throw refusalOf(problems, 'INVALID_REQUEST');
  return columns;
}

/** The columns of a file, from its first row, and the problems for which the file would be refused. */
export function lookAtHeader(attributes: readonly Attribute[], line: Line, reading: HeaderReading) {
  const columns = matchHeader(attributes, line, reading.mapping);
  const problems: ErrorDetail[] = headerProblems(attributes, columns, reading).map((problem) => ({
    row: line.row,
    ...problem,
  }));
  return { columns: columns.map(({ name, attribute }) => ({ name: toldName(name), attribute })), problems };
}

/** Cut, because it is repeated with each of many rows: a name may be as long as a cell. */
const toldName = (name: string) => told(name, 200);

/**
 * Names match by the mapping; otherwise exactly, or else without case, spaces and marks between words, in any form of their characters:
 * programs write é in two ways. A name that would match several attributes that way matches none.
 */
function matchHeader(
  attributes: readonly Attribute[],
  { cells }: Line,
  mapping: HeaderReading['mapping'] = {},
): Column[] {
  const mapped = new Map(Object.entries(mapping).map(([name, attribute]) => [name.trim(), attribute]));
  const names = cells.map(shownCell);
  const exact = new Set(names.map((name) => wordsOf(name, mapped) ?? name.trim()));
  return names.map((name) => {
    const wanted = wordsOf(name, mapped);
    if (wanted !== undefined) return { name, attribute: attributes.find((one) => one.name === wanted) };
    const same =
      attributes.find((one) => one.name === name) ?? attributes.find((one) => one.name === name.trim());
    if (same) return { name, attribute: same };
    const alike = attributes.filter((one) => loose(one.name) === loose(name) && !exact.has(one.name));
    return { name, attribute: alike.length === 1 ? alike[0] : undefined };
  });
}

function wordsOf(name: string, mapped: ReadonlyMap<string, string>): string | undefined {
  return mapped.get(name.trim());
}

/** The form in which names that people take for the same are equal. */
export function loose(name: string): string {
  return commonForm(name)
    .toLowerCase()
    .replace(/[\s_-]+/g, '');
}

function headerProblems(
  attributes: readonly Attribute[],
  columns: readonly Column[],
  { mapping = {}, extraColumns = 'REFUSE' }: HeaderReading,
): ErrorDetail[] {
  const known = attributes.map(({ name }) => name).join(', ');
  const width = namedWidth(columns);
  const unknown = columns.flatMap((column, index) => {
    const isWanted = Object.hasOwn(mapping, column.name.trim());
    const isAtEnd = index >= width && isNameless(column);
    return column.attribute || isWanted || isAtEnd || extraColumns === 'IGNORE' || isReason(column.name)
      ? []
      : unknownColumn(column, index, known);
  });
  const held = columns.map(({ attribute }) => attribute);
  const twice = held.filter((one, index) => one && held.indexOf(one) !== index);
  const missing = attributes.filter((one) => one.isRequired && !held.includes(one));
  return [
    ...unmapped(columns, mapping),
    ...misaimed(attributes, mapping),
    ...unknown,
    ...twice.map((one) => ({ field: one?.name ?? '', message: 'stands in the header twice' })),
    ...missing.map(({ name }) => ({ field: name, message: 'is required and has no column' })),
  ];
}

/** Mapped names that are missing from the header, and so misspelt. */
function unmapped(columns: readonly Column[], mapping: Readonly<Record<string, string>>): ErrorDetail[] {
  const names = new Set(columns.map(({ name }) => name.trim()));
  const has = told([...names].join(', '), 1000);
  return Object.keys(mapping)
    .filter((name) => !names.has(name.trim()))
    .map((field) => ({ field, message: `is mapped and has no column; the file has ${has}` }));
}

/** Names mapped to unknown attributes: the column is right, and the attribute misspelt. */
function misaimed(
  attributes: readonly Attribute[],
  mapping: Readonly<Record<string, string>>,
): ErrorDetail[] {
  const names = attributes.map(({ name }) => name);
  return Object.entries(mapping)
    .filter(([, wanted]) => !names.includes(wanted))
    .map(([name, wanted]) => {
      const near = names.filter((one) => leven(loose(one), loose(wanted)) <= one.length / 3);
      const hint = near.length > 0 ? `. Is ${near.join(' or ')} meant?` : ` (${names.join(', ')})`;
      const target = JSON.stringify(toldName(wanted));
      return {
        field: toldName(name),
        message: `is mapped to ${target}, which is no attribute of the model${hint}`,
      };
    });
}

function unknownColumn({ name }: Column, index: number, known: string): ErrorDetail {
  if (name.trim() === '')
    return {
      message: `has no name above column ${index + 1}. Name an attribute there, delete the column, or have such columns left out (extraColumns=IGNORE)`,
    };
  return {
    field: toldName(name),
    message: `is not an attribute of the model, which has ${known}. Map it to one of them, or have such columns left out (extraColumns=IGNORE)`,
  };
}
