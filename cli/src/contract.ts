import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { operations, type Operation, type OperationId } from '@millrace/api';
import { kindInPath, kindOfMember, type Kind } from './kinds.ts';

/** The parts of an operation's contract that a command needs. */
export interface Description {
  readonly operation: Operation;
  readonly text: string;
  /** Parameters of the path, in its order. */
  readonly parameters: readonly Parameter[];
  /** Members of the body and of the query. */
  readonly members: readonly Member[];
  /** Whether the body asks for a part of a list: filter, sort, page. */
  readonly isList: boolean;
  /** Whether it lists work items, of which there may be very many. */
  readonly isOfItems: boolean;
  /** Whether the body has a filter. */
  readonly isFiltered: boolean;
  /** Whether it answers a file. */
  readonly isFile: boolean;
  /** Description of the answer. */
  readonly answer: string;
}

export interface Parameter {
  readonly name: string;
  readonly description: string;
  /** The kind of thing whose id it is, where that has names. */
  readonly names: Kind | undefined;
  /** Whether it is a text instead of a number. */
  readonly isText?: boolean;
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
  /** The kind of thing whose id or ids it holds, where that has names. */
  readonly names: Kind | undefined;
  /** The only values it can have, where they are limited. */
  readonly choices: readonly string[] | undefined;
  /** The form of its JSON; other kinds have none. */
  readonly shape: string | undefined;
  /** Fewest characters of a text, where the contract asks for some. */
  readonly minLength: number | undefined;
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
  readonly minLength?: number;
}

interface PathParameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface PathOperation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly PathParameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}

type Document = Readonly<Record<string, unknown>>;

let kept: Document | undefined;

/** Describes an operation from the contract. */
export function describe(operationId: OperationId): Description {
  const operation: Operation = operations[operationId];
  const described = inContract(operation);
  const parameters = (described.parameters ?? []).map((one) => resolve(one));
  const body = described.requestBody?.content['application/json']?.schema;
  const members = [...queryMembers(parameters), ...(body === undefined ? [] : bodyMembers(body))];
  const success = described.responses[String(operation.success)];
  const summary = described.summary.replace(/[?.]?$/, (end) => end || '.');
  return {
    operation,
    text: [summary, described.description].filter(Boolean).join(' '),
    parameters: parametersOf(operation.path, parameters),
    members,
    isList: body?.$ref?.endsWith('ListRequest') ?? false,
    isOfItems: body?.$ref?.endsWith('/WorkItemListRequest') ?? false,
    isFiltered: members.some(({ name, place }) => name === 'filter' && place === 'body'),
    isFile: operation.effect === 'download',
    answer: success?.description ?? '',
  };
}

/** Members of an item to create. */
export function membersOfNewItem(): Member[] {
  return bodyMembers(find<Schema>('components', 'schemas', 'NewWorkItem'));
}

/** Names of the members of an item. */
export function membersOfItem(): string[] {
  return Object.keys(find<Schema>('components', 'schemas', 'WorkItem').properties ?? {});
}

/** Names of the times in the rows that an operation filters: the rows that it lists, or else work items. */
export function timesInRows(operationId: OperationId): string[] {
  const operation: Operation = operations[operationId];
  const answer = inContract(operation).responses[String(operation.success)]?.content?.['application/json'];
  const list = answer === undefined ? undefined : resolve(answer.schema).properties?.['list'];
  const row = list?.items ?? { $ref: '#/components/schemas/WorkItem' };
  const members = Object.entries(resolve(row).properties ?? {});
  return members.flatMap(([name, schema]) => (kindOf(resolve(schema)) === 'time' ? [name] : []));
}

function inContract({ path, method }: Operation): PathOperation {
  return find<PathOperation>('paths', path, method.toLowerCase());
}

function parametersOf(path: string, parameters: readonly PathParameter[]): Parameter[] {
  return [...path.matchAll(/(\w+)\/\{(\w+)\}/g)].map(([, parent = '', name = '']) => {
    const known = parameters.find((one) => one.in === 'path' && one.name === name);
    const isText = known?.schema.type === 'string';
    const { description = '' } = known ?? {};
    return { name, description, names: kindInPath(parent, name), ...(isText && { isText }) };
  });
}

function queryMembers(parameters: readonly PathParameter[]): Member[] {
  const inQuery = parameters.filter((one) => one.in === 'query');
  return inQuery.map(({ name, schema, description, required = false }) =>
    memberOf(name, { ...resolve(schema), ...(description && { description }) }, 'query', required),
  );
}

/** Members of a body, without those that only the server sets. */
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
  const { description = '', minLength } = schema;
  const kind = kindOf(schema);
  // Words only: the server says which numbers there are.
  const choices = kind === 'integer' ? undefined : schema.enum;
  const shape = kind === 'json' ? shapeOf(schema) : undefined;
  const isId = kind === 'integer' || kind === 'integers';
  const names = kind === 'references' ? 'role' : isId ? kindOfMember(name) : undefined;
  return { name, place, kind, names, choices, shape, minLength, description, isRequired };
}

/** The JSON of a schema, with the members that a caller may set; in place of values, what each can be. */
function shapeOf(schema: Schema): string {
  const { properties, items, enum: choices, description = '' } = schema;
  const kind = kindOf(schema);
  if (items !== undefined) return `[${shapeOf(resolve(items))}]`;
  if (kind === 'json') return properties === undefined ? '{"name":value}' : shapeOfMembers(properties);
  if (kind === 'time') return '"2026-12-01T08:00:00Z"';
  if (kind === 'boolean') return 'true';
  if (kind !== 'text') return 'n';
  // Where letters may be of either case, only the description names the words.
  const words = choices ?? description.match(/\b[A-Z]{4,}\b/g) ?? ['text'];
  return `"${words.join('|')}"`;
}

function shapeOfMembers(properties: Readonly<Record<string, Schema>>): string {
  const members = Object.entries(properties).filter(([, schema]) => !isReadOnly(schema));
  return `{${members.map(([name, schema]) => `"${name}":${shapeOf(resolve(schema))}`).join(', ')}}`;
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
