import type { Schemas } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';

/** One attribute of a work item model. */
export interface Attribute {
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
  readonly isRequired: boolean;
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
  const none = { field: 'attributes', message: 'must name at least one attribute' };
  const problems = [
    ...nameProblems(sent.name),
    ...(attributes.length === 0 ? [none] : attributes.flatMap(attributeProblems)),
  ];
  if (problems.length > 0) throw refusalOf(problems);
  return {
    name,
    attributes: attributes.map((one) => ({
      name: one.name ?? '',
      type: one.type ?? 'TEXT',
      isRequired: one.isRequired ?? true,
    })),
  };
}

/** What is wrong with the name of a model, an attribute or a queue: white space around it would be invisible. */
export function nameProblems(name: string | undefined): ErrorDetail[] {
  const field = 'name';
  if (name === undefined) return [{ field, message: 'is missing' }];
  if (name.trim() === '') return [{ field, message: 'must not be blank' }];
  return name.trim() === name ? [] : [{ field, message: 'must not begin or end with white space' }];
}

type SentAttributes = NonNullable<Schemas['WorkItemModel']['attributes']>;

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

function refusalOf(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ index, field, message }) =>
    index === undefined ? `${field} ${message}` : `attributes.${index}.${field} ${message}`,
  );
  return new Refusal('INVALID_REQUEST', `This is no work item model: ${sentences.join('; ')}.`, { details });
}
