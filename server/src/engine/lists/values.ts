import { ExactNumber } from '@millrace/api';
import { sql, type Sql } from '../db.ts';
import { Refusal } from '../errors.ts';

/** The type of a field of a list; a list of names is an enumeration. */
type FieldType = 'id' | 'integer' | 'number' | 'text' | 'texts' | 'time' | 'boolean' | readonly string[];

/** A member of the listed rows by which they can be filtered and sorted. */
export interface Field {
  /** Its value in SQL: bigint, numeric, text, text[], timestamptz or boolean, as the type says; null where it is unset. */
  readonly column: Sql;
  readonly type: FieldType;
  /** The condition that a row has a value, where rows have several and the column shows one of them. */
  readonly has?: (value: Sql) => Sql;
  /** The column's form of a value, where values can be compared for equality only. @throws Refusal for a value of another type */
  readonly hashed?: (value: unknown, pointer: string) => string;
}

type Read = (value: unknown) => Sql | undefined;

const readers: Record<Exclude<FieldType, readonly string[]>, { read: Read; wanted: string }> = {
  id: { read: readInteger, wanted: 'a whole number of at most 64 bits' },
  integer: { read: readInteger, wanted: 'a whole number of at most 64 bits' },
  number: { read: readNumber, wanted: 'a number' },
  text: { read: readText, wanted: 'a text' },
  texts: { read: readText, wanted: 'a text' },
  time: {
    read: readTime,
    wanted: 'an ISO 8601 time such as 2024-03-01T09:30:00Z or 2024-03-01T09:30:00+09:00',
  },
  boolean: { read: readBoolean, wanted: 'true or false' },
};

/**
 * A value for a comparison with a field, in SQL.
 * @param pointer the place of the value in the request, for the message.
 * @throws Refusal INVALID_REQUEST when it cannot be read as the field's type.
 */
export function readValue(name: string, type: FieldType, value: unknown, pointer: string): Sql {
  const { read, wanted } =
    typeof type === 'string'
      ? readers[type]
      : { read: nameReader(type), wanted: `one of ${type.join(', ')}` };
  const found = read(value);
  if (found) return found;
  const message = `must be ${wanted}, not ${printed(value)}`;
  throw new Refusal('INVALID_REQUEST', `The value for the field ${name} in ${pointer} ${message}.`, {
    details: [{ field: pointer, message }],
  });
}

/** The refusal of a part of a list request that cannot be understood. */
export function listRefusal(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `In the list request, ${field} ${message}.`, {
    details: [{ field, message }],
  });
}

/** The refusal of a comparison of a sensitive field other than for equality. */
export function sensitive(name: string, pointer: string, done: 'found' | 'ordered'): Refusal {
  const how = done === 'found' ? 'are found by eq and ne only' : 'order nothing';
  return listRefusal(pointer, `cannot be used with ${name}: its values are encrypted, and ${how}`);
}

/**
 * The field of this name.
 * @param pointer the part of the request that names it
 * @throws Refusal INVALID_REQUEST that lists the fields, when it is none of them
 */
export function knownField(
  name: unknown,
  fields: Readonly<Record<string, Field>>,
  pointer: string,
): Field & { name: string } {
  const field = typeof name === 'string' && Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field) return { ...field, name: name as string };
  const known = Object.keys(fields).join(', ');
  const what = name === undefined ? 'is missing' : `is unknown: ${printed(name)}`;
  throw listRefusal(`${pointer}.field`, `${what}. Known fields are ${known}`);
}

/** A value of a request as shown in a refusal to its sender; long ones are cut. */
export function printed(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  const digits = digitsOf(value);
  if (digits !== undefined) return digits.slice(0, 60);
  if (typeof value !== 'object' || value === null)
    return value === true ? 'true' : value === false ? 'false' : 'null';
  return Array.isArray(value) ? 'a list' : 'an object';
}

function nameReader(names: readonly string[]): Read {
  return (value) => {
    const found =
      typeof value === 'string' && names.find((name) => name.toLowerCase() === value.toLowerCase());
    return found ? sql`${found}::text` : undefined;
  };
}

const int64 = 2n ** 63n;

/** A whole number in its only spelling, as ids in paths. */
function readInteger(value: unknown): Sql | undefined {
  const digits = typeof value === 'string' ? value : digitsOf(value);
  if (digits === undefined || !/^(0|-?[1-9]\d{0,18})$/.test(digits)) return undefined;
  const integer = BigInt(digits);
  return integer >= -int64 && integer < int64 ? sql`${integer.toString()}::bigint` : undefined;
}

// A number of a thousand digits, and the zeros that the database writes out for its exponent.
const longestNumber = 1400;

function readNumber(value: unknown): Sql | undefined {
  const digits = digitsOf(value);
  const match = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,9})?$/i.exec(digits ?? '');
  if (digits === undefined || !match || digits.length > longestNumber) return undefined;
  // PostgreSQL refuses to compare a number outside the range of doubles with a column of doubles.
  const double = Number(digits);
  const isHeld = double === 0 ? !/[1-9]/.test(match[1] ?? '') : Number.isFinite(double);
  return isHeld ? sql`${digits}::numeric` : undefined;
}

/** Numbers are accepted as texts and texts as numbers. */
function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber
    ? String(value)
    : undefined;
}

function readText(value: unknown): Sql | undefined {
  const text = typeof value === 'string' ? value : digitsOf(value);
  return text === undefined ? undefined : sql`${text}::text`;
}

function readBoolean(value: unknown): Sql | undefined {
  const text = typeof value === 'string' ? value.toLowerCase() : value;
  if (text === true || text === 'true') return sql`true`;
  return text === false || text === 'false' ? sql`false` : undefined;
}

const dayPart = String.raw`(?<day>\d{4}-\d\d-\d\d)`;
const secondPart = String.raw`(?<second>[0-5]\d)(?:[.,](?<fraction>\d+))?`;
const offsetPart = String.raw`Z|(?<hours>[+-]\d\d):?(?<minutes>[0-5]\d)?`;
const timePart = String.raw`(?<minute>(?:[01]\d|2[0-3]):[0-5]\d)(?::${secondPart})?(?:${offsetPart})?`;
const timePattern = new RegExp(`^${dayPart}(?:[T ]${timePart})?$`, 'i');

function readTime(value: unknown): Sql | undefined {
  const instant = typeof value === 'string' ? readInstant(value.trim()) : undefined;
  return instant === undefined ? undefined : sql`${instant}::timestamptz`;
}

/** The instant in UTC, in microseconds like PostgreSQL; a day means its midnight, and a missing offset UTC. */
function readInstant(text: string): string | undefined {
  const parts = timePattern.exec(text)?.groups;
  if (!parts?.['day'] || !isDay(parts['day'])) return undefined;
  const { day, minute = '00:00', second = '00', fraction = '', hours = '+00', minutes = '00' } = parts;
  const instant = new Date(`${day}T${minute}:${second}${hours}:${minutes}`);
  if (Number.isNaN(instant.getTime()) || !isYear(instant.getUTCFullYear())) return undefined;
  return instant.toISOString().replace('.000Z', `.${fraction.slice(0, 6).padEnd(6, '0')}Z`);
}

function isYear(year: number): boolean {
  return year >= 1 && year <= 9999;
}

function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
