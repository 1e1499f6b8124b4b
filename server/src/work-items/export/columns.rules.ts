import { ExactNumber, stringifyJson, type Schemas } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { inPresentNames, instant, valueOf, type JsonRecord } from '../../records/record.ts';
import { isMask, isSealed, masked, maskText } from '../../records/sensitive.rules.ts';
import { timeZoneProblem } from '../../records/zone.rules.ts';

type Item = Schemas['WorkItem'];
type Request = Schemas['ExportRequest'];
type Field = NonNullable<Request['fields']>[number];

/** The contents of a cell; undefined for an empty one. */
export type Cell = string | boolean | NumberCell | TimeCell | undefined;

/** A number with all its digits. */
interface NumberCell {
  readonly number: string;
}

/** A day, or an instant, in ISO 8601. */
interface TimeCell {
  readonly on: string;
}

/** A column of a table: its name, and its cell for an item whose record has the present names. */
interface Column {
  readonly name: string;
  readonly cell: (item: Item, record: JsonRecord) => Cell;
}

const usualFields: readonly Field[] = [
  'id',
  'status',
  'json',
  'failureKind',
  'error',
  'createdOn',
  'updatedOn',
];

/** The columns wanted by a request. @throws Refusal that names attributes unknown to the model, or options of another format */
export function columnsOf(queue: QueueDefinition, request: Request): Column[] {
  refuseOthers(request);
  const attributes = attributesOf(queue, request.attributes);
  const names = new Set(attributes.map(({ name }) => name));
  return (request.fields ?? usualFields).flatMap((field) =>
    field === 'json' ? attributes.map(columnOf) : [memberColumn(field, names)],
  );
}

/** The cells of an item, by column. */
export function cellsOf(queue: QueueDefinition, columns: readonly Column[], item: Item): Cell[] {
  const record = inPresentNames(queue, item.json ?? {}, item.modelVersion ?? 0);
  return columns.map(({ cell }) => cell(item, record));
}

// Options for some formats only.
const options = [
  ['delimiter', ['CSV']],
  ['decimalSign', ['CSV']],
  ['timeZone', ['CSV', 'EXCEL']],
  ['attributes', ['CSV', 'EXCEL']],
] as const;

function refuseOthers(request: Request): void {
  const { format = 'CSV', timeZone } = request;
  for (const [name, formats] of options) {
    if (request[name] === undefined || formats.some((one) => one === format)) continue;
    throw refusal(name, `goes with the format ${formats.join(' or ')}, not with ${format}`);
  }
  const problem = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
  if (problem !== undefined) throw refusal('timeZone', problem);
}

function attributesOf({ attributes }: QueueDefinition, asked: Request['attributes']): readonly Attribute[] {
  if (!asked) return attributes;
  return asked.map((name) => {
    const attribute = attributes.find((one) => one.name === name);
    if (attribute) return attribute;
    const known = attributes.map((one) => one.name).join(', ');
    throw refusal(
      'attributes',
      `names ${JSON.stringify(name)}, which the model does not have: it has ${known}`,
    );
  });
}

function refusal(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

const columnOf = ({ name, type }: Attribute): Column => ({
  name,
  cell: (_, record) => cellOf(valueOf(record, name), type),
});

/** A column with a member of items. Attributes keep their names, or the file could not be sent back. */
function memberColumn(field: Exclude<Field, 'json'>, attributes: ReadonlySet<string>): Column {
  const name = attributes.has(field) ? `${field} (item)` : field;
  return { name, cell: (item) => cellOf(item[field]) };
}

function cellOf(value: unknown, type?: Attribute['type']): Cell {
  if (value === undefined || value === null) return undefined;
  if (isSealed(value) || isMask(value)) return maskText;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string')
    return type === 'DATE' && instant(value) !== undefined ? { on: value } : value;
  if (value instanceof Date) return { on: value.toISOString() };
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;
  if (isNumber) return { number: String(value) };
  const isOfTexts = Array.isArray(value) && value.every((one) => typeof one === 'string');
  return isOfTexts ? value.join(', ') : stringifyJson(masked(value));
}
