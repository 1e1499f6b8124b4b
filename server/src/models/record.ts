import { createHash } from 'node:crypto';
import type { ErrorDetail } from '../errors.ts';
import type { Attribute } from './rules.ts';
import { sizeProblems } from './size.ts';
import { instant, isComparable, isNumber, scientific } from './values.ts';

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
    ...sizeProblems(record),
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
  NUMBER: (value) => isNumber(value) && isComparable(value),
  DATE: (value) => typeof value === 'string' && instant(value) !== undefined,
  BOOLEAN: (value) => typeof value === 'boolean',
};

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
 * A hash that two records share exactly when all these attributes have equal values, however they are spelled, or none in both: an attribute that the model
 * gets later changes no hash, nor does another name.
 */
export function recordHash(attributes: readonly Attribute[], record: JsonRecord): Buffer {
  const values = attributes.flatMap(({ id, name, type }) => {
    const value = valueOf(record, name);
    return value === undefined ? [] : [[String(id ?? name), spelled(type, value)]];
  });
  values.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(values)).digest();
}

/** The value in the one spelling of all that equal it: systems write the same number and the same instant differently. */
function spelled(type: Attribute['type'], value: unknown): unknown {
  if (isNumber(value)) return ['n', scientific(value)];
  return type === 'DATE' && typeof value === 'string' ? (instant(value) ?? value) : value;
}
