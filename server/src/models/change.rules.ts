import type { Schemas } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';
import { attributesProblems, nameProblems, noModel, withDefaults, type Attribute } from './rules.ts';

/** A model as it is stored, as far as a change looks at it. */
export interface PresentModel {
  readonly name: string;
  readonly version: number;
  readonly attributes: readonly Attribute[];
}

/** A model as it will be, and what becomes of its attributes. */
export interface ModelChange {
  readonly name: string;
  /** New ones are without an id. */
  readonly attributes: readonly Attribute[];
  /** Whether records of former versions have other names. */
  readonly isRenaming: boolean;
  /** Attributes for whose sake items may not fit any more. */
  readonly doubtful: readonly Doubt[];
  readonly isNone: boolean;
}

export interface Doubt {
  /** The attribute as it is now; none when it is new. */
  readonly before: Attribute | undefined;
  readonly reason: 'required' | 'retyped' | 'removed';
}

/**
 * What a request makes of a model. An attribute is known by its id, or else by its name; what the request leaves out of it stays.
 * @throws Refusal VERSION_CONFLICT, or INVALID_REQUEST that names each thing that is wrong
 */
export function decideModelChange(model: PresentModel, sent: Schemas['WorkItemModelUpdate']): ModelChange {
  if (sent.version !== model.version) {
    throw new Refusal(
      'VERSION_CONFLICT',
      `The model is at version ${model.version} by now, not ${sent.version}. Read it again, then repeat the change.`,
    );
  }
  const name = sent.name ?? model.name;
  const pairs = paired(model.attributes, sent.attributes ?? [...model.attributes]);
  const attributes = pairs.map(({ before, after }) => withHistory(before, after, model.version + 1));
  const problems = [
    ...nameProblems(name),
    ...unknownIds(model, sent),
    ...attributesProblems([...attributes]),
  ];
  if (problems.length > 0) throw noModel(problems);
  const kept = new Set(pairs.map(({ before }) => before));
  const removed = model.attributes.filter((attribute) => !kept.has(attribute));
  return {
    name,
    attributes,
    isRenaming: removed.length > 0 || pairs.some(isAnother),
    doubtful: [
      ...removed.map((before) => ({ before, reason: 'removed' as const })),
      ...pairs.flatMap(doubtsAbout),
    ],
    isNone: name === model.name && isSame(model.attributes, attributes),
  };
}

interface Pair {
  /** None of a new attribute. */
  readonly before: Attribute | undefined;
  readonly after: Attribute;
}

type Sent = NonNullable<Schemas['WorkItemModelUpdate']['attributes']>;

function paired(present: readonly Attribute[], sent: Sent): Pair[] {
  const byId = sent.map(({ id }) => (id === undefined ? undefined : present.find((one) => one.id === id)));
  return sent.map((one, index) => {
    const namesake = present.find(({ name }) => name === one.name);
    const isFree = one.id === undefined && namesake && !byId.includes(namesake);
    const before = byId[index] ?? (isFree ? namesake : undefined);
    const { name = before?.name, type = before?.type, isRequired = before?.isRequired } = one;
    return { before, after: withDefaults({ name, type, isRequired }) };
  });
}

function unknownIds(model: PresentModel, { attributes = [] }: Schemas['WorkItemModelUpdate']): ErrorDetail[] {
  return attributes.flatMap(({ id }, index) => {
    if (id === undefined) return [];
    const isKnown = model.attributes.some((one) => one.id === id);
    const repeats = attributes.findIndex((one) => one.id === id) < index;
    if (isKnown && !repeats) return [];
    const message = isKnown ? `${id} is given twice` : `${id} is that of no attribute of the model`;
    return [{ index, field: 'id', message }];
  });
}

/** The attribute as it will be, with what it was called until this version. */
function withHistory(before: Attribute | undefined, after: Attribute, version: number): Attribute {
  if (!before) return { ...after, formerNames: [{ until: version }] };
  const { id, name, type, formerNames = [] } = before;
  const former = { until: version, name, ...(isRetyped(before, after) && { type }) };
  const history = isAnother({ before, after }) ? [...formerNames, former] : formerNames;
  return { ...(id !== undefined && { id }), ...after, ...(history.length > 0 && { formerNames: history }) };
}

/** Whether records of before have the attribute under another name, or values that are none of now. */
function isAnother({ before, after }: Pair): boolean {
  return before !== undefined && (before.name !== after.name || isRetyped(before, after));
}

/** Whether values of before are no values of now. Everything can be read as a text. */
function isRetyped(before: Attribute, after: Attribute): boolean {
  return before.type !== after.type && after.type !== 'TEXT';
}

function doubtsAbout({ before, after }: Pair): Doubt[] {
  const isTightened = after.isRequired && !before?.isRequired;
  const isOfAnotherType = before !== undefined && before.type !== after.type;
  return [
    ...(isTightened ? [{ before, reason: 'required' as const }] : []),
    ...(isOfAnotherType ? [{ before, reason: 'retyped' as const }] : []),
  ];
}

function isSame(before: readonly Attribute[], after: readonly Attribute[]): boolean {
  const spelled = (list: readonly Attribute[]) =>
    JSON.stringify(
      list.map(({ id, name, type, isRequired }) => [String(id ?? 'new'), name, type, isRequired]),
    );
  return spelled(before) === spelled(after);
}
