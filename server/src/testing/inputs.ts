import { operations, type Input, type Operation, type OperationId } from '@millrace/api';
import { contractText } from '../engine/contract.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly readOnly?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly minItems?: number;
  readonly maxLength?: number;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface ContractOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
}

type Document = { readonly [name: string]: Document };

const contract = JSON.parse(contractText) as Document;

/** The values for inputs described by the contract. */
interface Filling {
  /** The value of a text. */
  readonly text: (name: string) => string;
  /** The values of members and parameters by name, where the usual one will not do. */
  readonly known: Readonly<Record<string, unknown>>;
  /** Whether optional members are included. */
  readonly isWhole?: boolean;
}

/** Members needed by operations beyond the requirements of the contract. */
const needed: Partial<Record<OperationId, object>> = {
  updateWorkItemStatus: { action: 'DEFER', ids: [1] },
  createCalendar: { hours: [{ day: 'MONDAY', from: '08:00', to: '17:00' }] },
};

/** An input of an operation that is valid by the contract, whatever the operation makes of it. */
export function inputOf(operationId: OperationId, filling: Partial<Filling> = {}): Partial<Input> {
  const { path, method, body }: Operation = operations[operationId];
  const described = contract['paths']?.[path]?.[method.toLowerCase()] as ContractOperation | undefined;
  const full: Filling = { text: () => 'some text', known: {}, ...filling };
  const parameters = (described?.parameters ?? []).map((one) => resolve(one));
  const inPath = parameters.filter((one) => one.in === 'path');
  const schema = described?.requestBody?.content['application/json']?.schema;
  return {
    path: Object.fromEntries(inPath.map((one) => [one.name, valueOf(one.name, one.schema, full)])),
    ...(schema && { body: { ...(valueOf('', schema, full) as object), ...needed[operationId] } }),
    ...(body === 'file' && { body: { file: new Blob([full.text('file')]) } }),
  };
}

function resolve<T extends { readonly $ref?: string }>(one: T): T {
  if (one.$ref === undefined) return one;
  const found = one.$ref
    .split('/')
    .slice(1)
    .reduce<Document | undefined>((place, name) => place?.[name], contract);
  return resolve(found as unknown as T);
}

function valueOf(name: string, given: Schema, filling: Filling): unknown {
  const schema = resolve(given);
  if (name in filling.known) return filling.known[name];
  if (schema.enum) return schema.enum[0];
  const [type] = [schema.type ?? 'object'].flat().filter((one) => one !== 'null');
  if (type === 'object') return membersOf(schema, filling);
  if (type === 'array') return listOf(name, schema, filling);
  if (type === 'boolean') return false;
  if (type === 'integer' || type === 'number') return Math.max(schema.minimum ?? 1, 1);
  return schema.format === 'date-time'
    ? '2040-01-01T00:00:00Z'
    : filling.text(name).slice(0, schema.maxLength);
}

function membersOf({ properties = {}, required = [] }: Schema, filling: Filling): object {
  const wanted = Object.entries(properties).filter(
    ([name, member]) =>
      resolve(member).readOnly !== true &&
      member.readOnly !== true &&
      (filling.isWhole || required.includes(name)),
  );
  return Object.fromEntries(wanted.map(([name, member]) => [name, valueOf(name, member, filling)]));
}

function listOf(name: string, { items = {}, minItems = 0 }: Schema, filling: Filling): unknown[] {
  return filling.isWhole || minItems > 0 ? [valueOf(name, items, filling)] : [];
}
