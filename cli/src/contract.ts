import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { operations, type Operation, type OperationId } from '@millrace/api';

/** An operation in the words of the contract, as far as a command needs them. */
export interface Description {
  readonly operation: Operation;
  readonly text: string;
  /** Parameters of the path, in its order. */
  readonly parameters: readonly Parameter[];
  /** What the body holds, and the query. */
  readonly members: readonly Member[];
  /** Whether the body asks for a part of a list: filter, sort, page. */
  readonly isList: boolean;
  /** Whether the body has a filter. */
  readonly isFiltered: boolean;
  /** What the answer is. */
  readonly answer: string;
}

export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly isQueue: boolean;
}

export interface Member {
  readonly name: string;
  readonly place: 'body' | 'query';
  readonly kind: 'text' | 'time' | 'integer' | 'number' | 'boolean' | 'texts' | 'integers' | 'json';
  /** The only values it can have, where there are such. */
  readonly choices: readonly string[] | undefined;
  readonly description: string;
  readonly isRequired: boolean;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface PathParameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface PathOperation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly PathParameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

type Document = Readonly<Record<string, unknown>>;

let kept: Document | undefined;

/** Describes an operation from the contract. */
export function describe(operationId: OperationId): Description {
  const operation: Operation = operations[operationId];
  const described = find<PathOperation>('paths', operation.path, operation.method.toLowerCase());
  const parameters = (described.parameters ?? []).map((one) => resolve(one));
  const body = described.requestBody?.content['application/json']?.schema;
  const members = [...queryMembers(parameters), ...(body === undefined ? [] : bodyMembers(body))];
  const summary = described.summary.replace(/[?.]?$/, (end) => end || '.');
  return {
    operation,
    text: [summary, described.description].filter(Boolean).join(' '),
    parameters: parametersOf(operation.path, parameters),
    members,
    isList: body?.$ref?.endsWith('/ListRequest') ?? false,
    isFiltered: members.some(({ name, place }) => name === 'filter' && place === 'body'),
    answer: described.responses[String(operation.success)]?.description ?? '',
  };
}

function parametersOf(path: string, parameters: readonly PathParameter[]): Parameter[] {
  return [...path.matchAll(/(\w+)\/\{(\w+)\}/g)].map(([, parent = '', name = '']) => {
    const description = parameters.find((one) => one.in === 'path' && one.name === name)?.description ?? '';
    return { name, description, isQueue: parent === 'queues' };
  });
}

function queryMembers(parameters: readonly PathParameter[]): Member[] {
  const inQuery = parameters.filter((one) => one.in === 'query');
  return inQuery.map(({ name, schema, description, required = false }) =>
    memberOf(name, { ...resolve(schema), ...(description && { description }) }, 'query', required),
  );
}

function bodyMembers(body: Schema): Member[] {
  const { properties = {}, required = [] } = resolve(body);
  return Object.entries(properties).map(([name, schema]) =>
    memberOf(name, resolve(schema), 'body', required.includes(name)),
  );
}

function memberOf(name: string, schema: Schema, place: Member['place'], isRequired: boolean): Member {
  const { description = '', enum: choices } = schema;
  return { name, place, kind: kindOf(schema), choices, description, isRequired };
}

function kindOf(schema: Schema): Member['kind'] {
  const types = [schema.type ?? 'object'].flat().filter((type) => type !== 'null');
  const [type] = types;
  if (type === 'string') return schema.format === 'date-time' ? 'time' : 'text';
  if (type === 'integer' || type === 'number' || type === 'boolean') return type;
  if (type === 'array' && schema.items?.type === 'string') return 'texts';
  if (type === 'array' && schema.items?.type === 'integer') return 'integers';
  return 'json';
}

function resolve<T extends { readonly $ref?: string }>(value: T): T {
  return value.$ref === undefined ? value : find<T>(...value.$ref.replace('#/', '').split('/'));
}

function find<T>(...names: string[]): T {
  kept ??= JSON.parse(readFileSync(contractFile(), 'utf8')) as Document;
  let value: unknown = kept;
  for (const name of names) value = (value as Document)[name];
  return value as T;
}

function contractFile(): string {
  return fileURLToPath(import.meta.resolve('@millrace/api/openapi.json'));
}
