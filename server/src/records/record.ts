import { ExactNumber, toDouble, type Schemas } from '@millrace/api';
import { commonForm } from '../engine/checks.ts';
import { shownProblems, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import { isMarked, isSealed, maskText } from './sensitive.rules.ts';

/** The values of a work item, by attribute name. Read members by `valueOf` only: names like `__proto__` are data. */
export type JsonRecord = Record<string, unknown>;

/** The value of an attribute; undefined when it is missing or null. */
export function valueOf(record: JsonRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? (record[name] ?? undefined) : undefined;
}

/** Whether a value takes the place of a sensitive one. */
type StandsForValue = (value: unknown) => boolean;

/**
 * The problems that keep the record from being an item of a model with these attributes.
 * @param standsForValue accepts placeholders of sensitive values: masks in a record that is sent back, sealed values in a stored one,
 *   nothing in a new one
 */
export function recordProblems(
  attributes: readonly Attribute[],
  record: JsonRecord,
  standsForValue: StandsForValue = () => false,
): ErrorDetail[] {
  if (isUsual(attributes, record)) return [];
  const problems = attributes.flatMap((attribute) => {
    const value = valueOf(record, attribute.name);
    const isAccepted = attribute.sensitivity !== undefined && standsForValue(value);
    const message = isAccepted ? undefined : valueProblem(attribute, value);
    return message ? [{ field: attribute.name, message }] : [];
  });
  const names = new Set(attributes.map(({ name }) => name));
  const unknown = Object.keys(record).filter((name) => !names.has(name));
  const found = [...problems, ...unknownProblems(attributes, unknown.slice(0, shownProblems))];
  // The most problems that are shown: a search for more takes long where there are tens of thousands of names.
  return found.length < shownProblems ? [...found, ...sizeProblems(record)] : found;
}

/**
 * Whether a record is valid in the usual way, which is found without making lists, in a tenth of the time. Other records may be valid as
 * well.
 */
function isUsual(attributes: readonly Attribute[], record: JsonRecord): boolean {
  let known = 0;
  let length = 0;
  for (const { name, type, isRequired, sensitivity } of attributes) {
    if (Object.hasOwn(record, name)) known += 1;
    const value = valueOf(record, name);
    if (value === undefined && !isRequired) continue;
    if (sensitivity !== undefined || !fitsUsually[type](value)) return false;
    if (typeof value === 'string') length += value.length;
  }
  return known === Object.keys(record).length && length <= longestRecord;
}

function unknownProblems(attributes: readonly Attribute[], unknown: readonly string[]): ErrorDetail[] {
  if (unknown.length === 0) return [];
  const known = attributes.map(({ name }) => name).join(', ');
  const byForm = new Map(attributes.map(({ name }) => [commonForm(name), name]));
  return unknown.map((field) => {
    const meant = byForm.get(commonForm(field));
    const hint = `. It differs from ${meant} only in the form of its characters: send the name as the model has it`;
    const message = `is not an attribute of the model, which has ${known}`;
    return { field, message: meant === undefined ? message : message + hint };
  });
}

function valueProblem(attribute: Attribute, value: unknown): string | undefined {
  const { type, isRequired } = attribute;
  if (value === undefined) return isRequired ? 'is required' : undefined;
  if (!isMarked(attribute))
    return fits[type](value) ? undefined : `must be ${expectation[type]}, not ${shown(value)}`;
  // Error messages never reveal a sensitive value.
  if (value === maskText) return `is masked: send the value itself, or leave the member as it was answered`;
  return fits[type](value) ? undefined : `must be ${expectation[type]}`;
}

// Filters and columns read texts as a whole; a longer one belongs in a file store, with its address here.
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

// Days that every month has.
const usualDate = /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])$/;

/** Quick checks, which accept only some of the values that fit. */
const fitsUsually: typeof fits = {
  ...fits,
  NUMBER: (value) => typeof value === 'number' && Number.isFinite(value),
  DATE: (value) => typeof value === 'string' && (usualDate.test(value) || instant(value) !== undefined),
};

function shown(value: unknown): string {
  const cut = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
  if (typeof value === 'string') return JSON.stringify(cut(value));
  return isNumber(value) || typeof value === 'boolean'
    ? cut(String(value))
    : Array.isArray(value)
      ? 'a list'
      : 'an object';
}

/** The value as shown in a column: as printed by the database with `->>`. */
export function columnText(value: unknown): string | undefined {
  if (isSealed(value)) return maskText;
  if (typeof value === 'string') return value;
  return isNumber(value) || typeof value === 'boolean' ? String(value) : undefined;
}

/** Most characters of an item's values together: lists, claims and comparisons read items whole. */
export const longestRecord = 1_000_000;

/** The problem with the size of a record, over all attributes. */
function sizeProblems(record: JsonRecord): ErrorDetail[] {
  const length = recordLength(record);
  if (length <= longestRecord) return [];
  const message = `has ${length} characters in its values; ${longestRecord} are possible. Keep what is longer in a file store, with its address here`;
  return [{ field: 'json', message }];
}

/** Characters in the values of a record, without those of short ones. */
function recordLength(record: JsonRecord): number {
  let length = 0;
  for (const value of Object.values(record)) length += lengthOf(value);
  return length;
}

/** The length of values of the kinds that may be long. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return value instanceof ExactNumber ? String(value).length : 0;
}

/** A number as parsed from JSON, with all its digits. */
export type AnyNumber = number | bigint | ExactNumber;

function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;
}

// PostgreSQL compares numbers as decimals, of which it holds some thousand digits.
const mostDigits = 1000;
const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Whether the number can be compared and sorted: it is close to a double, and does not take thousands of digits. */
export function isComparable(value: AnyNumber): boolean {
  const double = toDouble(value);
  if (double === 0) return scientific(value) === '0';
  return Number.isFinite(double) && String(value).length <= mostDigits;
}

/** The canonical form of a number: its significant digits and the power of ten. Equal numbers share it. */
export function scientific(value: AnyNumber): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(String(value)) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

const dayPart = String.raw`(?<day>\d{4}-\d\d-\d\d)`;
const secondPart = String.raw`(?::(?<second>[0-5]\d)(?:\.(?<fraction>\d{1,9}))?)?`;
// PostgreSQL accepts no offset of 16 hours or more from UTC.
const offsetPart = String.raw`(?:Z|(?<hours>[+-](?:0\d|1[0-5])):?(?<minutes>[0-5]\d))`;
const isoDate = new RegExp(
  `^${dayPart}(?:T(?<minute>(?:[01]\\d|2[0-3]):[0-5]\\d)${secondPart}${offsetPart})?$`,
);

/**
 * The canonical form of an ISO 8601 date, or of an instant with its offset: the instant in UTC, with midnight for a date. Equal instants
 * share it. Undefined when the text is neither, or in no year from 1 to 9999.
 */
export function instant(text: string): string | undefined {
  const parts = isoDate.exec(text)?.groups;
  if (!parts?.['day'] || !isDay(parts['day'])) return undefined;
  const { day, minute = '00:00', second = '00', fraction = '', hours = '+00', minutes = '00' } = parts;
  const date = new Date(`${day}T${minute}:${second}${hours}:${minutes}`);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  return `${date.toISOString().slice(0, -5)}.${fraction.replace(/0+$/, '')}`;
}

/** Whether the day exists in the calendar: February has no 30th. */
function isDay(text: string): boolean {
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

/** A text shared by all values that equal this one. */
export function spelledValue(type: Attribute['type'], value: unknown): string {
  return JSON.stringify(spelled(type, value));
}

/** The canonical form of the value: systems write the same number and the same instant differently. */
export function spelled(type: Attribute['type'], value: unknown): unknown {
  if (isNumber(value)) return ['n', scientific(value)];
  return type === 'DATE' && typeof value === 'string' ? (instant(value) ?? value) : value;
}

/** The attribute in an order, and its direction; a leading `-` means descending unless it is part of the name. */
export function orderOf(attributes: readonly Attribute[], order: string) {
  const exact = attributes.find(({ name }) => name === order);
  if (exact) return { attribute: exact, isDescending: false };
  const attribute = attributes.find(({ name }) => `-${name}` === order);
  return attribute && { attribute, isDescending: true };
}

// A longer text is ordered by its beginning: the rank is part of an index row, whose size PostgreSQL limits.
const keptTextBytes = 96;

/**
 * The rank of a record in the processing order of its queue, as bytes that sort in the order of claims. An attribute without a value comes
 * last, in either direction.
 */
export function rankOf(
  { processingOrders, attributes }: Pick<QueueDefinition, 'processingOrders' | 'attributes'>,
  record: JsonRecord,
): Buffer {
  return Buffer.concat(processingOrders.map((order) => orderBytes(attributes, order, record)));
}

function orderBytes(attributes: readonly Attribute[], order: string, record: JsonRecord): Buffer {
  const found = orderOf(attributes, order);
  const value = found && valueOf(record, found.attribute.name);
  if (!found || value === undefined) return Buffer.from([1]);
  const bytes = valueBytes(found.attribute.type, value);
  return Buffer.concat([Buffer.from([0]), found.isDescending ? bytes.map((byte) => 255 - byte) : bytes]);
}

function valueBytes(type: Attribute['type'], value: unknown): Buffer {
  if (type === 'TEXT') return textBytes(String(value));
  if (type === 'BOOLEAN') return Buffer.from([value === true ? 1 : 0]);
  return doubleBytes(type === 'DATE' ? Date.parse(String(value)) : toDouble(value as AnyNumber));
}

/** A final NUL, which no text contains, makes a text sort before longer ones that begin with it. */
function textBytes(text: string): Buffer {
  return Buffer.concat([Buffer.from(text).subarray(0, keptTextBytes), Buffer.from([0])]);
}

/** A double as bytes that sort like numbers: the sign bit is flipped, and negative numbers are inverted as a whole. */
function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  // Adding zero turns -0, which equals 0, into 0.
  bytes.writeDoubleBE(value + 0);
  const isNegative = (bytes[0] ?? 0) >= 128;
  if (isNegative) return bytes.map((byte) => 255 - byte) as Buffer;
  bytes[0] = (bytes[0] ?? 0) + 128;
  return bytes;
}

/** A model for the items of a queue: its present attributes, and the version since which they have these names. */
export interface ModelNames {
  readonly attributes: readonly Attribute[];
  readonly modelVersion: number;
  /** Records of versions before this one have other names. */
  readonly namesSince: number;
}

/** The name of the attribute in a version of its model; undefined when it was not there yet. */
export function nameAt({ name, formerNames = [] }: Attribute, version: number): string | undefined {
  const former = formerNames.find(({ until }) => version < until);
  return former ? former.name : name;
}

/** Whether a record of this version of the model has other names than the present ones. */
export function isFormer({ namesSince }: Pick<ModelNames, 'namesSince'>, version: number): boolean {
  return version < namesSince;
}

/**
 * The record with the present names. A value of a removed attribute keeps its name, unless it is null or the name belongs to another
 * attribute now.
 */
export function inPresentNames(model: ModelNames, record: JsonRecord, version: number): JsonRecord {
  if (!isFormer(model, version)) return record;
  const presentNames = new Map(
    model.attributes.flatMap((attribute) => {
      const name = nameAt(attribute, version);
      return name === undefined ? [] : [[name, attribute.name] as const];
    }),
  );
  const taken = new Set(presentNames.values());
  const members = Object.entries(record).flatMap(([name, value]) => {
    const present = presentNames.get(name);
    if (present !== undefined) return [[present, value] as const];
    return value === null || taken.has(name) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(members);
}

/** The item with its record under the present names of the attributes. */
export function withPresentNames<I extends Schemas['WorkItem']>(model: ModelNames, item: I): I {
  const { json = {}, modelVersion = 0 } = item;
  if (!isFormer(model, modelVersion)) return item;
  return { ...item, json: inPresentNames(model, json, modelVersion), modelVersion: model.modelVersion };
}

/** The attributes under their names in a version of the model; attributes that did not exist yet are left out. */
export function attributesAt(attributes: readonly Attribute[], version: number): Attribute[] {
  return attributes.flatMap((attribute) => {
    const name = nameAt(attribute, version);
    return name === undefined ? [] : [{ ...attribute, name }];
  });
}
