import type { Id, Schemas } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';

/** One attribute of a work item model. */
export interface Attribute {
  /** Stays the same whatever becomes of the rest; none before it is stored. */
  readonly id?: Id;
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
  readonly isRequired: boolean;
  /** By the version until which they were in use, ascending. */
  readonly formerNames?: FormerName[];
}

/** What an attribute was in the versions of its model before one. */
export interface FormerName {
  readonly until: number;
  /** Left out where the attribute was not there yet. */
  readonly name?: string;
  /** Given where it was another, whose values cannot be read as those of now. */
  readonly type?: Attribute['type'];
}

/** A model as somebody defines it, complete and sound. */
export interface ModelDefinition {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/**
 * The model that a request defines, with what it leaves out filled in; members that the server sets are ignored.
 * @throws Refusal INVALID_REQUEST that names each thing that is wrong, attributes by their index.
 */
export function defineModel(sent: Schemas['WorkItemModel']): ModelDefinition {
  const { name = '', attributes = [] } = sent;
  const problems = [...nameProblems(sent.name), ...attributesProblems(attributes)];
  if (problems.length > 0) throw noModel(problems);
  return { name, attributes: attributes.map(withDefaults) };
}

export type SentAttributes = NonNullable<Schemas['WorkItemModel']['attributes']>;

/** A new attribute, with what its definition leaves out. */
export function withDefaults({ name = '', type = 'TEXT', isRequired = true }: Partial<Loose>): Attribute {
  return { name, type, isRequired };
}

type Loose = { [Member in 'name' | 'type' | 'isRequired']: Attribute[Member] | undefined };

/** What is wrong with the name of a model, an attribute or a queue: white space around it would be invisible. */
export function nameProblems(name: string | undefined): ErrorDetail[] {
  const field = 'name';
  if (name === undefined) return [{ field, message: 'is missing' }];
  if (name.trim() === '') return [{ field, message: 'must not be blank' }];
  return name.trim() === name ? [] : [{ field, message: 'must not begin or end with white space' }];
}

/** What is wrong with the names of attributes, each by its index. */
export function attributesProblems(attributes: SentAttributes): ErrorDetail[] {
  const none = { field: 'attributes', message: 'must name at least one attribute' };
  return attributes.length === 0 ? [none] : attributes.flatMap(attributeProblems);
}

function attributeProblems(
  { name }: SentAttributes[number],
  index: number,
  all: SentAttributes,
): ErrorDetail[] {
  const first = all.findIndex((other) => other.name === name);
  const repeats = name !== undefined && first < index;
  const twice = { field: 'name', message: `${JSON.stringify(name)} is that of attribute ${first} already` };
  return [...nameProblems(name), ...(repeats ? [twice] : [])].map((problem) => ({ index, ...problem }));
}

/** Says what keeps a request from defining a model. */
export function noModel(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ index, field, message }) =>
    index === undefined ? `${field} ${message}` : `attributes.${index}.${field} ${message}`,
  );
  return new Refusal('INVALID_REQUEST', `This is no work item model: ${sentences.join('; ')}.`, { details });
}
