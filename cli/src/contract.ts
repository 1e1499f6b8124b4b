import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { operations, type Operation, type OperationId } from '@millrace/api';
import { kindInPath, kindOfMember, type Kind } from './kinds.ts';

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
  /** What it is the id of, where that has a name. */
  readonly names: Kind | undefined;
}

export interface Member {
  readonly name: string;
  readonly place: 'body' | 'query';
  readonly kind:
    | 'text'
    | 'time'
    | 'integer'
    | 'number'
    | 'boolean'
    | 'texts'
    | 'integers'
    /** Records of which the id is enough. */
    | 'references'
    | 'json';
  /** What it is the id of, or the ids, where that has a name. */
  readonly names: Kind | undefined;
  /** The only values it can have, where there are such. */
  readonly choices: readonly string[] | undefined;
  readonly description: string;
  readonly isRequired: boolean;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly readOnly?: boolean;
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

/** What one of the items holds that are created. */
export function membersOfNewItem(): Member[] {
  return bodyMembers(find<Schema>('components', 'schemas', 'NewWorkItem'));
}

/** Names of what the server says of an item. */
export function membersOfItem(): string[] {
  return Object.keys(find<Schema>('components', 'schemas', 'WorkItem').properties ?? {});
}

function parametersOf(path: string, parameters: readonly PathParameter[]): Parameter[] {
  return [...path.matchAll(/(\w+)\/\{(\w+)\}/g)].map(([, parent = '', name = '']) => {
    const description = parameters.find((one) => one.in === 'path' && one.name === name)?.description ?? '';
    return { name, description, names: kindInPath(parent, name) };
  });
}

function queryMembers(parameters: readonly PathParameter[]): Member[] {
  const inQuery = parameters.filter((one) => one.in === 'query');
  return inQuery.map(({ name, schema, description, required = false }) =>
    memberOf(name, { ...resolve(schema), ...(description && { description }) }, 'query', required),
  );
}

/** What can be said in a schema; members that only the server sets are left out. */
function bodyMembers(body: Schema): Member[] {
  const { properties = {}, required = [] } = resolve(body);
  return Object.entries(properties)
    .map(([name, schema]) => ({ name, schema: { ...resolve(schema), readOnly: isReadOnly(schema) } }))
    .filter(({ schema }) => !schema.readOnly)
    .map(({ name, schema }) => memberOf(name, schema, 'body', required.includes(name)));
}

function isReadOnly(schema: Schema): boolean {
  return schema.readOnly === true || resolve(schema).readOnly === true;
}

function memberOf(name: string, schema: Schema, place: Member['place'], isRequired: boolean): Member {
  const { description = '', enum: choices } = schema;
  const kind = kindOf(schema);
  const isId = kind === 'integer' || kind === 'integers';
  const names = kind === 'references' ? 'role' : isId ? kindOfMember(name) : undefined;
  return { name, place, kind, names, choices, description, isRequired };
}

function kindOf({ type: declared = 'object', format, items = {} }: Schema): Member['kind'] {
  const [type] = [declared].flat().filter((one) => one !== 'null');
  if (type === 'string') return format === 'date-time' ? 'time' : 'text';
  if (type === 'integer' || type === 'number' || type === 'boolean') return type;
  return type === 'array' ? listKindOf(items) : 'json';
}

function listKindOf({ type, $ref = '' }: Schema): Member['kind'] {
  if (type === 'string') return 'texts';
  if (type === 'integer') return 'integers';
  return $ref.endsWith('/RoleReference') ? 'references' : 'json';
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
