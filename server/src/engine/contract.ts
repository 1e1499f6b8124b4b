import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toId, type OperationId } from '@millrace/api';
import formats from 'ajv-formats';
import { Ajv2020, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import leven from 'leven';
import { Refusal, type ErrorDetail } from './errors.ts';
import type { Interruptible } from './slices.ts';
import { worded } from './wordings.ts';

/** The contract as served. */
export const contractText = readFileSync(
  fileURLToPath(import.meta.resolve('@millrace/api/openapi.json')),
  'utf8',
);

type Json = Record<string, unknown>;
interface ContractOperation {
  operationId: OperationId;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { $ref: string } | { content?: Json }>;
  /** Whether members of the body that the schemas do not name are ignored. */
  'x-members'?: 'open';
}
interface Media {
  schema: Schema;
  /** The schema without the schemas of the members of its lists, for which see `lists`. Added here. */
  frame?: Schema;
  /** The schemas of the members of its lists, by the names of these. Added here. */
  lists?: Record<string, Schema>;
}
interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
}
interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: { type?: string; format?: string };
}

const contract = JSON.parse(contractText) as {
  paths: Record<string, Record<string, ContractOperation>>;
  components: { parameters: Record<string, Parameter>; schemas: Record<string, Schema> };
};

/** Checks that a value has the shape of a schema; complains about each member that does not fit. */
type Check = (value: unknown) => ErrorDetail[];

/** Reads and checks the parts of a request. @throws Refusal INVALID_REQUEST that names each member that does not fit. */
export interface RequestReader {
  readonly path: (values: Record<string, string>) => Record<string, unknown>;
  readonly query: (values: Record<string, string | string[] | undefined>) => Record<string, unknown>;
  readonly body: (value: unknown) => Interruptible<void>;
}

for (const item of Object.values(contract.paths))
  for (const { requestBody } of Object.values(item)) {
    const media = requestBody?.content['application/json'];
    if (media) Object.assign(media, framed(media.schema));
  }
const readings = {
  /** Members that a schema does not name are refused. */
  closed: strict(contract) as Json,
  /** They are taken out. */
  open: strict(contract, { isOpen: true }) as Json,
};
type Reading = keyof typeof readings;
const thorough = checker({ allErrors: true });
/** Stops at the first problem, as there may be problems with millions of members. */
const quick = checker({ allErrors: false });

/** Something that is made at its first use: making everything that may be needed would delay the start of a server. */
function once<Made>(make: () => NonNullable<Made>): () => NonNullable<Made> {
  let made: Made | undefined;
  return () => (made ??= make());
}

function checker({ allErrors }: { allErrors: boolean }): Ajv2020 {
  // Strict mode is about schemas alone; this is a whole OpenAPI document, with other keywords, which has a lint of its own.
  const ajv = new Ajv2020({ allErrors, strict: false, validateSchema: false });
  // Named imports of this CommonJS package differ between Node versions; the function is its default export.
  (formats as unknown as (instance: Ajv2020) => void)(ajv);
  ajv.addKeyword({ keyword: 'int64', schemaType: 'number', validate: isInt64, errors: false });
  ajv.addFormat('binary', true);
  const isDateTime = ajv.formats['date-time'] as { validate: (text: string) => boolean };
  ajv.addFormat('date-time', (text) => isDateTime.validate(text) && isInstant(text));
  ajv.addKeyword({ keyword: 'isOpen', type: 'object', modifying: true, validate: takeOutUnknown });
  for (const [name, schema] of Object.entries(readings)) ajv.addSchema(schema, name);
  return ajv;
}

/** A schema in two parts, so that the members of its lists are checked one by one. */
function framed(schema: Schema): Required<Pick<Media, 'frame' | 'lists'>> {
  const whole = (schema.$ref && contract.components.schemas[schema.$ref.split('/').at(-1) ?? '']) || schema;
  const parts = Object.entries(whole.properties ?? {});
  const lists = parts.flatMap(([name, { items }]) => (items ? [[name, items] as const] : []));
  const properties = parts.map(
    ([name, part]) => [name, part.items ? { ...part, items: true } : part] as const,
  );
  return {
    frame: whole.properties ? { ...whole, properties: Object.fromEntries(properties) as never } : whole,
    lists: Object.fromEntries(lists),
  };
}

const operationOf = new Map(
  Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, operation]) => [operation.operationId, { path, method, operation }] as const,
    ),
  ),
);

const readers = new Map<OperationId, RequestReader>();

/** The reader for requests of an operation. */
export function requestReader(operationId: OperationId): RequestReader {
  const known = readers.get(operationId);
  if (known) return known;
  const { pointer, operation } = locate(operationId);
  const parameters = (operation.parameters ?? []).map(readableParameter);
  const media = operation.requestBody?.content['application/json'];
  const check =
    media && bodyCheck(`${pointer}/requestBody/content/application~1json`, media, operation['x-members']);
  const reader: RequestReader = {
    path: (values) => readParameters(parameters, 'path', values),
    query: (values) => readParameters(parameters, 'query', values),
    *body(value) {
      if (check) refuse(yield* check(value), 'The body does not fit the contract');
    },
  };
  readers.set(operationId, reader);
  return reader;
}

/**
 * The check for answers of an operation; for tests, which hold every answer against the contract.
 * @param kind the media type, where the answer may be of several; the first when left out
 */
export function responseCheck(operationId: OperationId, status: number, kind?: string): Check {
  const { pointer, operation } = locate(operationId);
  const response = operation.responses[String(status)];
  if (!response) return () => [{ message: `${operationId} does not promise a ${status}` }];
  const pointerOfResponse = '$ref' in response ? response.$ref.slice(1) : `${pointer}/responses/${status}`;
  const [first] = '$ref' in response ? ['application/json'] : Object.keys(response.content ?? {});
  const media = kind ?? first;
  if (media === undefined) return () => [];
  const validate = compile(
    `${pointerOfResponse}/content/${encodeURIComponent(media.replaceAll('/', '~1'))}/schema`,
  );
  return (value) => complaintsOf(validate, value);
}

function locate(operationId: OperationId) {
  const found = operationOf.get(operationId);
  if (!found) throw new Error(`The contract has no operation ${operationId}`);
  const pointer = `/paths/${found.path.replaceAll('/', '~1').replace(/[{}]/g, encodeURIComponent)}/${found.method}`;
  return { pointer, operation: found.operation };
}

const compiled = new Map<string, ValidateFunction>();

/** The check for a place of the contract, compiled once, which takes longer than a whole call. */
function compile(pointer: string, reading: Reading = 'closed', ajv = thorough): ValidateFunction {
  const place = `${reading}#${pointer}`;
  const key = `${ajv === quick ? 'quick ' : ''}${place}`;
  const validate = compiled.get(key) ?? ajv.compile({ $ref: place });
  compiled.set(key, validate);
  return validate;
}

/** The greatest number of problems of a request that are reported. */
const mostComplaints = 20;
// Between two pauses: some tens of microseconds for each.
const membersAtOnce = 50;

/** The check for bodies: first everything around the lists, which bounds their lengths, then members until enough problems are found. */
function bodyCheck(pointer: string, { lists = {} }: Media, reading?: Reading) {
  const names = Object.keys(lists);
  const ofFrame = boundedCheck(`${pointer}/frame`, reading, new Set(names));
  const ofMembers = names.map((name) => [name, boundedCheck(`${pointer}/lists/${name}`, reading)] as const);
  return function* (body: unknown): Interruptible<ErrorDetail[]> {
    const found = yield* ofFrame(body);
    for (const [name, check] of ofMembers) {
      const list = (body as Json | null)?.[name];
      if (!Array.isArray(list) || found.some(({ field }) => field === name)) continue;
      for (const [index, member] of (list as unknown[]).entries()) {
        if (found.length > mostComplaints) return found;
        if (index % membersAtOnce === 0) yield;
        for (const problem of yield* check(member)) found.push(inside(`${name}.${index}`, problem));
      }
    }
    return found;
  };
}

function inside(place: string, { field, message }: ErrorDetail): ErrorDetail {
  return { field: [place, field].filter(Boolean).join('.'), message };
}

/**
 * The check for a place of the contract, in a time that does not grow with the number of problems: all problems of a small value, and the
 * first one of a large value.
 * @param apart names of members whose sizes do not count, because their members are not checked
 */
function boundedCheck(pointer: string, reading?: Reading, apart?: ReadonlySet<string>) {
  const glance = once(() => compile(pointer, reading, quick));
  return function* (value: unknown): Interruptible<ErrorDetail[]> {
    if (glance()(value)) return [];
    const first = complaints(glance());
    // A look through tens of thousands of names takes milliseconds, each time.
    yield;
    return sizeOf(value, apart) > smallSize ? first : complaintsOf(compile(pointer, reading), value);
  };
}

// Values that are checked in about a millisecond, whatever is wrong with them.
const smallSize = 1000;

/** Number of values, counted only until it is known to be large. */
function sizeOf(root: unknown, apart: ReadonlySet<string> = new Set()): number {
  let size = 0;
  const rest = [root];
  while (rest.length > 0 && size + rest.length <= smallSize) {
    const value = rest.pop();
    size += 1;
    if (typeof value !== 'object' || value === null) continue;
    for (const name in value) {
      if (value !== root || !apart.has(name)) rest.push((value as Json)[name]);
      if (rest.length > smallSize) break;
    }
  }
  return size + rest.length;
}

/**
 * The contract as enforced: members that a schema does not name are refused, so that a misspelt one is noticed; and 64-bit integers may be
 * bigint.
 */
function strict(node: unknown, unlessNamed: Json = { additionalProperties: false }): unknown {
  if (Array.isArray(node)) return node.map((one) => strict(one, unlessNamed));
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, strict(value, unlessNamed)]),
  );
  const { minimum = 0, readOnly = false } = copy;
  if (copy['type'] === 'integer' && copy['format'] === 'int64') return { int64: minimum, readOnly };
  const isClosed = copy['type'] === 'object' && copy['properties'] !== undefined;
  return isClosed ? { ...unlessNamed, ...copy } : copy;
}

/**
 * Takes out members that the schema does not name. A member that may be a misspelt name of the schema is refused. Ajv expects the errors of
 * a call as a property of the function.
 */
function takeOutUnknown(_: true, value: Json, schema?: AnySchemaObject): boolean {
  const named = (schema?.['properties'] ?? {}) as Record<string, { readOnly?: boolean }>;
  const open = Object.keys(named).filter((name) => !Object.hasOwn(value, name) && !named[name]?.readOnly);
  const errors: Partial<ErrorObject>[] = [];
  for (const name of Object.keys(value).filter((one) => !Object.hasOwn(named, one))) {
    const meant = open.find((one) => isSlip(name, one));
    if (meant === undefined) delete value[name];
    else errors.push({ keyword: 'isOpen', params: { additionalProperty: name, meant } });
  }
  (takeOutUnknown as typeof takeOutUnknown & { errors?: Partial<ErrorObject>[] }).errors = errors;
  return errors.length === 0;
}

/**
 * Whether a name may be a misspelling of another: in other capitals, with letters exchanged, or with one wrong letter, two in a long name.
 * Other programs have names of their own, of which few are that near.
 */
function isSlip(written: string, name: string): boolean {
  const slips = name.length < 3 ? 0 : name.length < 8 ? 1 : 2;
  // A letter-by-letter comparison of long names, of which a body may have many, would take the server's time.
  if (Math.abs(written.length - name.length) > slips) return false;
  const [one, other] = [written.toLowerCase(), name.toLowerCase()];
  return lettersOf(one) === lettersOf(other) || leven(one, other) <= slips;
}

function lettersOf(text: string): string {
  return [...text].toSorted().join('');
}

/** The format allows leap seconds and, with its offset, the years 0 and 10000: a Date and the database do not. */
function isInstant(text: string): boolean {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
}

const highest = 2n ** 63n - 1n;

/** Whether the value is a whole number from `minimum` to the highest of 64 bits. */
function isInt64(minimum: number, value: unknown): boolean {
  const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value);
  return isInteger && (value as number | bigint) >= minimum && (value as number | bigint) <= highest;
}

/** The facts that Ajv gives with some of its errors. */
interface Params {
  readonly additionalProperty?: string;
  /** The member that was probably meant. */
  readonly meant?: string;
  readonly missingProperty?: string;
}

function complaintsOf(validate: ValidateFunction, value: unknown): ErrorDetail[] {
  return validate(value) ? [] : complaints(validate);
}

function complaints(validate: ValidateFunction): ErrorDetail[] {
  return (validate.errors ?? []).slice(0, mostComplaints + 1).map((error: ErrorObject) => {
    const field = error.instancePath
      .slice(1)
      .replaceAll('/', '.')
      .replaceAll('~1', '/')
      .replaceAll('~0', '~');
    const within = (name: string) => [field, name].filter(Boolean).join('.');
    const { additionalProperty: unknown, meant, missingProperty: missing } = error.params as Params;
    const hint = meant === undefined ? '' : `; ${meant} may be meant`;
    if (unknown !== undefined) return { field: within(unknown), message: `is not a known member${hint}` };
    if (missing !== undefined) return { field: within(missing), message: 'is required' };
    return { ...(field && { field }), message: worded(error) };
  });
}

function refuse(details: ErrorDetail[], what: string): void {
  const [first] = details;
  if (!first) return;
  const sentence = `${first.field ?? 'it'} ${first.message}`;
  const more =
    details.length > mostComplaints
      ? ` More than ${mostComplaints} things are wrong; these are the first.`
      : '';
  throw new Refusal('INVALID_REQUEST', `${what}: ${sentence}.${more}`, {
    details: details.slice(0, mostComplaints),
  });
}

interface ReadableParameter extends Parameter {
  readonly check: Check;
}

function readableParameter(parameter: Parameter | { $ref: string }): ReadableParameter {
  const resolved = resolveParameter(parameter);
  const validate = once(() => thorough.compile(strict(resolved.schema) as Json));
  return { ...resolved, check: (value) => complaintsOf(validate(), value) };
}

function resolveParameter(parameter: Parameter | { $ref: string }): Parameter {
  if (!('$ref' in parameter)) return parameter;
  return contract.components.parameters[parameter.$ref.split('/').at(-1) ?? ''] as Parameter;
}

function readParameters(
  parameters: ReadableParameter[],
  place: 'path' | 'query',
  values: Record<string, string | string[] | undefined>,
) {
  const known = parameters.filter((parameter) => parameter.in === place);
  const unknown = Object.keys(values).find((name) => !known.some((parameter) => parameter.name === name));
  if (unknown !== undefined)
    refuse([{ field: unknown, message: 'is not a known parameter' }], `In the ${place}`);
  const read: Record<string, unknown> = {};
  for (const parameter of known) {
    const { name } = parameter;
    const value = values[name];
    if (Array.isArray(value))
      refuse([{ field: name, message: 'is given more than once' }], `In the ${place}`);
    else if (value?.includes('\u0000'))
      refuse([{ field: name, message: 'must not hold the character NUL' }], `In the ${place}`);
    else if (value !== undefined) read[name] = readParameter(parameter, value);
  }
  return read;
}

function readParameter({ name, in: place, schema, check }: ReadableParameter, text: string): unknown {
  const value = valueOf(schema, text);
  const isNumber = schema.type !== 'integer' || value !== undefined;
  const printed = text.slice(0, 50);
  const details = isNumber ? check(value) : [{ message: `must be a whole number, not "${printed}"` }];
  refuse(
    details.map((detail) => ({ ...detail, field: name })),
    `In the ${place}`,
  );
  return value;
}

function valueOf({ type }: Parameter['schema'], text: string): unknown {
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return type === 'integer' ? readWholeNumber(text) : text;
}

/** A whole number of at most 64 bits in its only spelling, if it is one: `01` for an id would be a second address of the same thing. */
function readWholeNumber(text: string) {
  return /^(0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= highest ? toId(text) : undefined;
}
