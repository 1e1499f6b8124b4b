import type { Schemas } from '@millrace/api';
import { commonForm, nameProblems, storedName } from '../engine/checks.ts';
import { Refusal, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { isMarked } from '../records/sensitive.rules.ts';

/** A complete and valid definition of a model. */
interface ModelDefinition {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/**
 * The model defined by a request, with defaults for omitted members; members that the server sets are ignored.
 * @throws Refusal INVALID_REQUEST that names each problem, attributes by their index.
 */
export function defineModel(sent: Schemas['WorkItemModel']): ModelDefinition {
  const { name = '', attributes = [] } = sent;
  const problems = [...nameProblems(sent.name), ...attributesProblems(attributes)];
  if (problems.length > 0) throw noModel(problems);
  return { name: storedName(name), attributes: attributes.map((one) => withDefaults(one)) };
}

type SentAttributes = NonNullable<Schemas['WorkItemModel']['attributes']>;

/** A new attribute, with defaults for omitted members. */
function withDefaults({
  name = '',
  type = 'TEXT',
  isRequired = true,
  sensitivity,
}: Partial<Loose>): Attribute {
  const isMarkedNow = sensitivity !== undefined && sensitivity !== 'NONE';
  return { name: storedName(name), type, isRequired, ...(isMarkedNow && { sensitivity }) };
}

type Loose = {
  [Member in 'name' | 'type' | 'isRequired' | 'sensitivity']: Attribute[Member] | undefined;
};

/**
 * Problems of the names of attributes, each with its index.
 * @param kept names that the model already has, which may stay whatever they are
 */
function attributesProblems(
  attributes: SentAttributes,
  kept: ReadonlySet<string | undefined> = new Set(),
): ErrorDetail[] {
  const none = { field: 'attributes', message: 'must name at least one attribute' };
  if (attributes.length === 0) return [none];
  return attributes.flatMap(({ name }, index) => {
    const first = attributes.findIndex((other) => isDuplicate(other.name, name, kept));
    const isExact = attributes[first]?.name === name;
    const message = isExact
      ? `is that of attribute ${first} already`
      : `differs from that of attribute ${first} only in the form of its characters`;
    const twice = { field: 'name', message: `${JSON.stringify(name)} ${message}` };
    const problems = [
      ...nameProblems(name, kept.has(name) ? name : undefined),
      ...(first >= 0 && first < index ? [twice] : []),
    ];
    return problems.map((problem) => ({ index, ...problem }));
  });
}

/** Whether people cannot tell two attributes apart by their names; pairs that the model already has are allowed. */
function isDuplicate(
  one: string | undefined,
  other: string | undefined,
  kept: ReadonlySet<string | undefined>,
): boolean {
  if (one === undefined || other === undefined) return false;
  return one === other || (commonForm(one) === commonForm(other) && !(kept.has(one) && kept.has(other)));
}

/** The refusal of a request that defines no valid model. */
function noModel(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ index, field, message }) =>
    index === undefined ? `${field} ${message}` : `attributes.${index}.${field} ${message}`,
  );
  return new Refusal('INVALID_REQUEST', `This is no work item model: ${sentences.join('; ')}.`, { details });
}

/** A model as stored, with the members that a change needs. */
interface PresentModel {
  readonly name: string;
  readonly version: number;
  readonly attributes: readonly Attribute[];
}

/** A changed model, and the consequences for its items. */
export interface ModelChange {
  readonly name: string;
  /** Without an id where they are new. */
  readonly attributes: readonly Attribute[];
  /** Whether records of former versions have other names. */
  readonly isRenaming: boolean;
  /** The names of the attributes whose values are encrypted from now on; `unmarked` are those whose values no longer are. */
  readonly marked: readonly string[];
  readonly unmarked: readonly string[];
  /** The reasons why items may not fit any more. */
  readonly risks: readonly Risk[];
  readonly isNone: boolean;
}

export interface Risk {
  /** The present attribute; undefined when it is new. */
  readonly before: Attribute | undefined;
  readonly reason: 'required' | 'retyped' | 'removed';
}

/**
 * The change of a model in a request. An attribute is identified by its id, or else by its name; omitted members stay.
 * @throws Refusal VERSION_CONFLICT, or INVALID_REQUEST that names each problem
 */
export function decideModelChange(model: PresentModel, sent: Schemas['WorkItemModelUpdate']): ModelChange {
  if (sent.version !== model.version) throw outdated(model, sent);
  const name = sent.name === undefined || sent.name === model.name ? model.name : storedName(sent.name);
  const pairs = paired(model.attributes, sent.attributes ?? [...model.attributes]);
  const attributes = pairs.map(({ before, after }) => withHistory(before, after, model.version + 1));
  const problems = [
    ...nameProblems(name, model.name),
    ...unknownIds(model, sent),
    ...retypedSecrets(pairs),
    ...attributesProblems([...attributes], new Set(model.attributes.map((one) => one.name))),
  ];
  if (problems.length > 0) throw noModel(problems);
  const kept = new Set(pairs.map(({ before }) => before));
  const removed = model.attributes.filter((attribute) => !kept.has(attribute));
  return {
    name,
    attributes,
    isRenaming: removed.length > 0 || pairs.some(isAnother),
    risks: [
      ...removed.map((before) => ({ before, reason: 'removed' as const })),
      ...pairs.flatMap(risksAbout),
    ],
    marked: namesOf(pairs.filter(isMarking)),
    unmarked: namesOf(pairs.filter(isUnmarking)),
    isNone: name === model.name && isSame(model.attributes, attributes),
  };
}

function outdated({ version }: PresentModel, sent: Schemas['WorkItemModelUpdate']): Refusal {
  return new Refusal(
    'VERSION_CONFLICT',
    `The model is at version ${version} by now, not ${sent.version}. Read it again, then repeat the change.`,
  );
}

const namesOf = (pairs: readonly Pair[]) => pairs.map(({ after }) => after.name);

function isMarking({ before, after }: Pair): boolean {
  return isMarked(after) && !(before && isMarked(before));
}

function isUnmarking({ before, after }: Pair): boolean {
  return before !== undefined && isMarked(before) && !isMarked(after);
}

/** Problems with types: encrypted values cannot be read as values of another type. */
function retypedSecrets(pairs: readonly Pair[]): ErrorDetail[] {
  return pairs.flatMap(({ before, after }, index) => {
    if (!before || !isMarked(before) || before.type === after.type) return [];
    const message = `of ${JSON.stringify(before.name)} stays ${before.type}: its values are encrypted. Take its sensitivity away first`;
    return [{ index, field: 'type', message }];
  });
}

interface Pair {
  /** Undefined for a new attribute. */
  readonly before: Attribute | undefined;
  readonly after: Attribute;
}

type Sent = NonNullable<Schemas['WorkItemModelUpdate']['attributes']>;

function paired(present: readonly Attribute[], sent: Sent): Pair[] {
  const byId = sent.map(({ id }) => (id === undefined ? undefined : present.find((one) => one.id === id)));
  return sent.map((one, index) => {
    const namesake = namesakeOf(one, present);
    const isFree = one.id === undefined && namesake && !byId.includes(namesake);
    const before = byId[index] ?? (isFree ? namesake : undefined);
    const after = changed(before, one);
    // An existing name stays as it is.
    const { name = before?.name } = one;
    return {
      before,
      after: present.some((known) => known.name === name) ? { ...after, name: name ?? '' } : after,
    };
  });
}

/** The attribute with its changes; omitted members stay, or have their defaults. */
function changed(before: Partial<Attribute> = {}, one: Sent[number]): Attribute {
  const { name = before.name, type = before.type, isRequired = before.isRequired } = one;
  const { sensitivity = before.sensitivity } = one;
  const attribute = withDefaults({ name, type, isRequired, sensitivity });
  // Where a mark was removed, some values may still be encrypted.
  return sensitivity === 'NONE' && before.sensitivity !== undefined
    ? { ...attribute, sensitivity }
    : attribute;
}

/** The attribute with exactly this name, or else with another form of its characters. */
function namesakeOf({ name }: Sent[number], present: readonly Attribute[]): Attribute | undefined {
  if (name === undefined) return undefined;
  return (
    present.find((one) => one.name === name) ??
    present.find((one) => commonForm(one.name) === commonForm(name))
  );
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

/** The changed attribute, with the name that it had until this version. */
function withHistory(before: Attribute | undefined, after: Attribute, version: number): Attribute {
  if (!before) return { ...after, formerNames: [{ until: version }] };
  const { id, name, type, formerNames = [] } = before;
  const former = { until: version, name, ...(isRetyped(before, after) && { type }) };
  const history = isAnother({ before, after }) ? [...formerNames, former] : formerNames;
  return { ...(id !== undefined && { id }), ...after, ...(history.length > 0 && { formerNames: history }) };
}

/** Whether former records have the attribute under another name, or with values that are not valid now. */
function isAnother({ before, after }: Pair): boolean {
  return before !== undefined && (before.name !== after.name || isRetyped(before, after));
}

/** Whether former values are not of the present type. Everything can be read as a text. */
function isRetyped(before: Attribute, after: Attribute): boolean {
  return before.type !== after.type && after.type !== 'TEXT';
}

function risksAbout({ before, after }: Pair): Risk[] {
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
      list.map(({ id, name, type, isRequired, sensitivity }) => [
        String(id ?? 'new'),
        name,
        type,
        isRequired,
        sensitivity,
      ]),
    );
  return spelled(before) === spelled(after);
}
