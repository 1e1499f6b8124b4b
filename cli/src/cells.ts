import { ExactNumber, stringifyJson } from '@millrace/api';
import { isRecord } from './body.ts';
import { isUsual } from './columns.ts';
import type { Column } from './table.ts';
import { oneLine, safeLines } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * A list as columns of texts. Columns without any value are left out, and those with the usual value in every row.
 * @param wanted names of columns, most wanted first; `*` stands for all, `json.*` for all that begin so
 */
export function cellsOf(wanted: readonly string[], list: readonly Row[]): Column[] {
  const rows = list.map(flatRow);
  const known = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return wanted
    .flatMap((name) => matching(name, known))
    .filter((name) => !list.every((row) => isUsual(name, row[name])))
    .map((name) => ({
      name: name.replace(/^json\./, ''),
      cells: rows.map((row) => cellText(row[name])),
    }));
}

/** A record as pairs of name and value, without empty ones; members of members as `counts.NEW`. */
export function fieldsOf(record: Row): [string, string][] {
  return membersOf(record).flatMap(([name, value]): [string, string][] => {
    if (isRows(value)) return [];
    const text = typeof value === 'string' ? safeLines(value) : cellText(value);
    return text === '' ? [] : [[name, text]];
  });
}

/** The lists of records that a record holds, which are tables of their own; by name, as in `fieldsOf`. */
export function listsIn(record: Row): [string, readonly Row[]][] {
  return membersOf(record).flatMap(([name, value]): [string, readonly Row[]][] =>
    isRows(value) ? [[name, value]] : [],
  );
}

/** A value on one line. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value)) return value.map(cellText).join(', ');
  if (!isPlain(value)) return stringifyJson(value);
  return oneLine(textOf(value) ?? stringifyJson(value));
}

/** A short text for records of well-known shapes. */
function textOf({ code, message, name, username, type, percent, text, masked }: Row): string | undefined {
  if (typeof masked === 'string') return masked;
  if (typeof code === 'string' && typeof message === 'string') return `${code}: ${message}`;
  if (percent !== undefined) return `${cellText(percent)}% ${cellText(text)}`;
  const named = name ?? username;
  if (typeof named !== 'string') return undefined;
  return typeof type === 'string' ? `${named} ${type}` : named;
}

function membersOf(record: Row): [string, unknown][] {
  return Object.entries(record).flatMap(([name, value]): [string, unknown][] => {
    if (!isPlain(value) || isMask(value)) return [[name, value]];
    return membersOf(value).map(([inner, one]) => [`${name}.${inner}`, one]);
  });
}

/** The row without empty members; the members of records are added as `json.name`. */
function flatRow(row: Row): Row {
  const members = Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
    if (!isPlain(value)) return [[name, value]];
    const inner = Object.entries(value).map(([part, one]): [string, unknown] => [`${name}.${part}`, one]);
    return [[name, value], ...inner];
  });
  return Object.fromEntries(members.filter(([, value]) => cellText(value) !== ''));
}

function matching(pattern: string, known: readonly string[]): readonly string[] {
  if (pattern === '*') return known.filter((name) => !name.includes('.'));
  if (!pattern.endsWith('*')) return known.filter((name) => name === pattern);
  return known.filter((name) => name.startsWith(pattern.slice(0, -1)));
}

/** Whether a member stands for a sensitive value. */
function isMask({ masked }: Row): boolean {
  return typeof masked === 'string';
}

function isRows(value: unknown): value is Row[] {
  return Array.isArray(value) && value.length > 0 && value.every(isPlain);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof ExactNumber);
}
