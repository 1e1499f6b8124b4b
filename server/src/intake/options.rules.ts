import { parseJson, stringifyJson, type Id, type Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import { dateFormatProblem } from '../records/date-format.rules.ts';
import { timeZoneProblem } from '../records/zone.rules.ts';
import type { FileOptions } from './portions.ts';

export type OnError = 'dataError' | 'skip' | 'reject';

/** The options for reading a file, as in the query. */
interface FileQuery {
  readonly delimiter?: Schemas['Delimiter'];
  readonly encoding?: string;
  readonly sheet?: string;
  readonly mapping?: string;
  readonly extraColumns?: 'IGNORE' | 'REFUSE';
  readonly dateFormat?: string;
  readonly decimalSign?: 'POINT' | 'COMMA';
  readonly timeZone?: string;
}

const delimiters = { COMMA: ',', SEMICOLON: ';', TAB: '\t', PIPE: '|' } as const;

/** The options for reading a file. @throws Refusal that names an option that makes no sense */
export function optionsOf(query: FileQuery): FileOptions {
  const { delimiter, mapping, ...rest } = query;
  const { dateFormat, timeZone } = rest;
  refuse('timeZone', timeZone, timeZoneProblem);
  refuse('dateFormat', dateFormat, dateFormatProblem);
  return {
    ...rest,
    ...(delimiter && { delimiter: delimiters[delimiter] }),
    ...(mapping !== undefined && { mapping: mappingOf(mapping) }),
  };
}

function refuse(field: string, text: string | undefined, problemOf: (text: string) => string | undefined) {
  const message = text === undefined ? undefined : problemOf(text);
  if (message === undefined) return;
  throw new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

/** The options for reading a file for a queue, which supplies the formats of dates, numbers and times that the request leaves out. */
export function optionsFor({ intakeFormat }: Pick<QueueDefinition, 'intakeFormat'>, options: FileOptions) {
  return { ...intakeFormat, ...options };
}

/** The formats of values set by the request or the queue; undefined where neither sets any. */
export function formatOf({
  dateFormat,
  decimalSign,
  timeZone,
}: FileOptions): Schemas['IntakeFormat'] | undefined {
  const format = {
    ...(dateFormat !== undefined && { dateFormat }),
    ...(decimalSign && { decimalSign }),
    ...(timeZone !== undefined && { timeZone }),
  };
  return Object.keys(format).length > 0 ? format : undefined;
}

/** The delimiter by its name in the contract. */
export function delimiterName(delimiter: string | undefined): Schemas['Delimiter'] | undefined {
  const names = Object.keys(delimiters) as Schemas['Delimiter'][];
  return names.find((name) => delimiters[name] === delimiter);
}

/** The control totals of a file, from the query. */
export function expectedOf(query: {
  readonly expectedItems?: Id;
  readonly expectedSums?: string;
}): Schemas['ControlTotals'] | undefined {
  const { expectedItems: items, expectedSums } = query;
  const sums = expectedSums === undefined ? undefined : sumsIn(expectedSums);
  if (items === undefined && sums === undefined) return undefined;
  return { ...(items !== undefined && { items }), ...(sums && { sums }) };
}

const mostSums = 10;

function sumsIn(text: string): Record<string, number> {
  const sums = parsed(text, parseJson);
  const isList = typeof sums === 'object' && sums !== null && !Array.isArray(sums);
  const values = isList ? Object.values(sums) : [];
  // Numbers keep all of their digits.
  const areNumbers = values.every((value) => /^-?\d/.test(stringifyJson(value)));
  if (isList && areNumbers && values.length > 0 && values.length <= mostSums)
    return sums as Record<string, number>;
  throw new Refusal(
    'INVALID_REQUEST',
    `expectedSums is an object of JSON, of at most ${mostSums} attributes with their sums, as in {"amount":1749.90}.`,
  );
}

function mappingOf(text: string): Record<string, string> {
  const mapping = parsed(text);
  const isMapping =
    typeof mapping === 'object' &&
    mapping !== null &&
    !Array.isArray(mapping) &&
    Object.values(mapping).every((value) => typeof value === 'string');
  if (isMapping) return mapping as Record<string, string>;
  throw new Refusal(
    'INVALID_REQUEST',
    'mapping is an object of JSON, of names in the header with the attributes that they stand for, as in {"Invoice No.":"invoiceNumber"}.',
  );
}

function parsed(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
