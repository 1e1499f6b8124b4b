import { createHash } from 'node:crypto';
import { ExactNumber, toDouble } from '@millrace/api';
import type { ErrorDetail } from '../errors.ts';
import type { Attribute } from './rules.ts';

/** The values of a work item, by attribute name. Read members by `valueOf` only: names like `__proto__` are data. */
export type JsonRecord = Record<string, unknown>;

/** The value of an attribute; undefined when it is missing or null. */
export function valueOf(record: JsonRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? (record[name] ?? undefined) : undefined;
}

/** What keeps the record from being an item of a model with these attributes; empty when nothing does. */
export function recordProblems(attributes: readonly Attribute[], record: JsonRecord): ErrorDetail[] {
  const problems = attributes.flatMap((attribute) => {
    const message = valueProblem(attribute, valueOf(record, attribute.name));
    return message ? [{ field: attribute.name, message }] : [];
  });
  const names = new Set(attributes.map(({ name }) => name));
  const unknown = Object.keys(record).filter((name) => !names.has(name));
  const known = attributes.map(({ name }) => name).join(', ');
  return [
    ...problems,
    ...unknown.map((field) => ({ field, message: `is not an attribute of the model, which has ${known}` })),
  ];
}

function valueProblem({ type, isRequired }: Attribute, value: unknown): string | undefined {
  if (value === undefined) return isRequired ? 'is required' : undefined;
  return fits[type](value) ? undefined : `must be ${expectation[type]}, not ${shown(value)}`;
}

// Filters and columns read texts as a whole; a longer one belongs into a file store, with its address here.
const longestText = 100_000;

const expectation = {
  TEXT: `a text of at most ${longestText} characters, without the character NUL`,
  NUMBER: 'a number that a double can approximate',
  DATE: 'an ISO 8601 date such as 2026-03-01, or an instant such as 2026-03-01T09:30:00Z',
  BOOLEAN: 'true or false',
};

const fits: Record<Attribute['type'], (value: unknown) => boolean> = {
  TEXT: (value) => typeof value === 'string' && value.length <= longestText && !value.includes('\u0000'),
  NUMBER: (value) => isNumber(value) && Number.isFinite(toDouble(value)),
  DATE: (value) => typeof value === 'string' && isDate(value),
  BOOLEAN: (value) => typeof value === 'boolean',
};

function isNumber(value: unknown): value is number | bigint | ExactNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;
}

const isoDate =
  /^(\d{4})-(\d\d)-(\d\d)(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d))?$/;

/** Whether the text is an ISO 8601 date, or an instant with its offset, of a day that the calendar has. */
export function isDate(text: string): boolean {
  const [, year, month, day] = isoDate.exec(text) ?? [];
  if (!year || !month || !day) return false;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return isNumber(value) || typeof value === 'boolean'
    ? String(value)
    : Array.isArray(value)
      ? 'a list'
      : 'an object';
}

/** The value as people see it in a column: as the database prints it with `->>`. */
export function columnText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isNumber(value) || typeof value === 'boolean' ? String(value) : undefined;
}

/**
 * A hash that two records share exactly when all these attributes have equal values, or none in both: an attribute that the model
 * gets later changes no hash, nor does another name.
 */
export function recordHash(attributes: readonly Attribute[], record: JsonRecord): Buffer {
  const values = attributes.flatMap(({ id, name }) => {
    const value = valueOf(record, name);
    return value === undefined ? [] : [[String(id ?? name), canonical(value)]];
  });
  values.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(values)).digest();
}

function canonical(value: unknown): unknown {
  return isNumber(value) ? ['n', String(value)] : value;
}
