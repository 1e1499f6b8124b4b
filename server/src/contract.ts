import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { operations, toId, type OperationId } from '@millrace/api';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Refusal, type ErrorDetail } from './errors.ts';

/** The contract as it is served. */
export const contractText = readFileSync(
  fileURLToPath(import.meta.resolve('@millrace/api/openapi.json')),
  'utf8',
);

type Json = Record<string, unknown>;
interface ContractOperation {
  operationId: OperationId;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Json };
  responses: Record<string, { $ref: string } | { content?: Json }>;
}
interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: { type?: string; format?: string };
}

const contract = JSON.parse(contractText) as {
  paths: Record<string, Record<string, ContractOperation>>;
  components: { parameters: Record<string, Parameter> };
};

/** Checks that a value has the shape of a schema; complains about each member that does not fit. */
export type Check = (value: unknown) => ErrorDetail[];

/** Reads and checks what a request brings. @throws Refusal INVALID_REQUEST that names each member that does not fit. */
export interface RequestReader {
  readonly path: (values: Record<string, string>) => Record<string, unknown>;
  readonly query: (values: Record<string, string | string[] | undefined>) => Record<string, unknown>;
  readonly body: (value: unknown) => void;
}

// Strict mode is about schemas alone; this one is a whole OpenAPI document, with words of its own.
const ajv = new Ajv2020({ allErrors: true, strict: false });
// Named imports of this CommonJS package differ between Node versions; the function is its default export.
(formats as unknown as (instance: Ajv2020) => void)(ajv);
ajv.addKeyword({ keyword: 'int64', schemaType: 'number', validate: isInt64, errors: false });
ajv.addFormat('binary', true);
const isDateTime = ajv.formats['date-time'] as { validate: (text: string) => boolean };
ajv.addFormat('date-time', (text) => isDateTime.validate(text) && isInstant(text));
ajv.addSchema(strict(contract) as Json, 'contract');

const operationOf = new Map(
  Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, operation]) => [operation.operationId, { path, method, operation }] as const,
    ),
  ),
);

/** The reader for requests of an operation. */
export function requestReader(operationId: OperationId): RequestReader {
  const { pointer, operation } = locate(operationId);
  const parameters = (operation.parameters ?? []).map(readableParameter);
  const check =
    operations[operationId].body === 'json'
      ? compile(`${pointer}/requestBody/content/application~1json`)
      : () => [];
  return {
    path: (values) => readParameters(parameters, 'path', values),
    query: (values) => readParameters(parameters, 'query', values),
    body: (value) => refuse(check(value), 'The body does not fit the contract'),
  };
}

/** The check for answers of an operation; for tests, which hold every answer against the contract. */
export function responseCheck(operationId: OperationId, status: number): Check {
  const { pointer, operation } = locate(operationId);
  const response = operation.responses[String(status)];
  if (!response) return () => [{ message: `${operationId} does not promise a ${status}` }];
  const place = '$ref' in response ? response.$ref.slice(1) : `${pointer}/responses/${status}`;
  const [media] = '$ref' in response ? ['application/json'] : Object.keys(response.content ?? {});
  return media === undefined ? () => [] : compile(`${place}/content/${media.replace('/', '~1')}`);
}

function locate(operationId: OperationId) {
  const found = operationOf.get(operationId);
  if (!found) throw new Error(`The contract has no operation ${operationId}`);
  const pointer = `/paths/${found.path.replaceAll('/', '~1').replace(/[{}]/g, encodeURIComponent)}/${found.method}`;
  return { pointer, operation: found.operation };
}

function compile(place: string): Check {
  const validate = ajv.compile({ $ref: `contract#${place}/schema` });
  return (value) => (validate(value) ? [] : complaints(validate));
}

/**
 * The contract as it is enforced: members that a schema does not name are refused, so that a misspelt one is noticed;
 * and 64-bit integers may be bigint.
 */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  if (copy['type'] === 'integer' && copy['format'] === 'int64') return { int64: copy['minimum'] ?? 0 };
  const isClosed = copy['type'] === 'object' && copy['properties'] !== undefined;
  return isClosed ? { additionalProperties: false, ...copy } : copy;
}

/** The format allows leap seconds, and by its offset the years 0 and 10000: a Date and the database do not. */
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

/** What Ajv knows of some of the errors. */
interface Params {
  readonly additionalProperty?: string;
  readonly missingProperty?: string;
  readonly allowedValues?: readonly unknown[];
}

// What the checker says of these is right, but says nothing to people.
const sayings: Readonly<Record<string, string>> = { 'must match pattern "\\S"': 'must not be blank' };

function complaints(validate: ValidateFunction): ErrorDetail[] {
  return (validate.errors ?? [])
    .slice(0, 100)
    .map(({ instancePath, keyword, message = '', params }: ErrorObject) => {
      const field = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
      const inside = (name: string) => [field, name].filter(Boolean).join('.');
      const {
        additionalProperty: unknown,
        missingProperty: missing,
        allowedValues: choices,
      } = params as Params;
      if (unknown !== undefined) return { field: inside(unknown), message: 'is not a known member' };
      if (missing !== undefined) return { field: inside(missing), message: 'is required' };
      const wanted =
        sayings[message] ?? (keyword === 'int64' ? 'must be a whole number of at most 64 bits' : message);
      return { ...(field && { field }), message: choices ? `must be one of ${choices.join(', ')}` : wanted };
    });
}

function refuse(details: ErrorDetail[], what: string): void {
  const [first] = details;
  if (!first) return;
  const sentence = [first.field, first.message].filter(Boolean).join(' ');
  throw new Refusal('INVALID_REQUEST', `${what}: ${sentence}.`, { details });
}

interface ReadableParameter extends Parameter {
  readonly check: Check;
}

function readableParameter(parameter: Parameter | { $ref: string }): ReadableParameter {
  const resolved = resolveParameter(parameter);
  const validate = ajv.compile(strict(resolved.schema) as Json);
  return { ...resolved, check: (value) => (validate(value) ? [] : complaints(validate)) };
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
    else if (value !== undefined) read[name] = readParameter(parameter, value);
  }
  return read;
}

function readParameter({ name, in: place, schema, check }: ReadableParameter, text: string): unknown {
  const value = schema.type === 'integer' ? readWholeNumber(text) : text;
  const isNumber = schema.type !== 'integer' || value !== undefined;
  const printed = text.slice(0, 50);
  const details = isNumber ? check(value) : [{ message: `must be a whole number, not "${printed}"` }];
  refuse(
    details.map((detail) => ({ ...detail, field: name })),
    `In the ${place}`,
  );
  return value;
}

/** A whole number of at most 64 bits, if it is one. */
function readWholeNumber(text: string) {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= highest ? toId(text) : undefined;
}
