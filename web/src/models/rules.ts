import type { Id, Schemas } from '@millrace/api';

type Attribute = Schemas['WorkItemAttribute'];
export type Type = NonNullable<Attribute['type']>;

export type Sensitivity = NonNullable<Attribute['sensitivity']>;

export const types: readonly Type[] = ['TEXT', 'NUMBER', 'DATE', 'BOOLEAN'];
export const sensitivities: readonly Sensitivity[] = ['NONE', 'PERSONAL', 'SECRET'];

/** An attribute while somebody changes it. */
export interface Draft {
  /** Identifies it while its name is typed. */
  readonly key: string;
  /** The id of an attribute that the model has already. */
  readonly id?: Id;
  readonly name: string;
  readonly type: Type;
  readonly isRequired: boolean;
  /** Left out where none was ever set. */
  readonly sensitivity?: Sensitivity;
}

export function draftsOf(attributes: readonly Attribute[]): Draft[] {
  return attributes.map(({ id, name = '', type = 'TEXT', isRequired = true, sensitivity }, index) => ({
    key: id === undefined ? `${index} ${name}` : String(id),
    ...(id !== undefined && { id }),
    name,
    type,
    isRequired,
    ...(sensitivity && { sensitivity }),
  }));
}

/** An order alone: which attributes there are is told by themselves. */
export const lists = { order: 'order' } as const;

/** The drafts of a model by their keys, so that the changes of several people come together by attribute. */
export interface ModelDraft {
  /** The keys in their order; others come behind. */
  readonly order: readonly string[];
  readonly [key: `#${string}`]: Draft;
}

export function recordOf(drafts: readonly Draft[]): ModelDraft {
  const byKey = Object.fromEntries(drafts.map((draft) => [`#${draft.key}`, draft]));
  return { order: drafts.map(({ key }) => key), ...byKey };
}

export function listOf({ order, ...byKey }: ModelDraft): Draft[] {
  const place = ({ key }: Draft) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.values<Draft>(byKey).toSorted((one, other) => place(one) - place(other));
}

/** Whether the drafts differ from the attributes. */
export function isChanged(attributes: readonly Attribute[], drafts: readonly Draft[]): boolean {
  const plain = (all: readonly Draft[]) =>
    all.map((draft) => [draft.key, draft.name, draft.type, draft.isRequired, draft.sensitivity ?? 'NONE']);
  return JSON.stringify(plain(draftsOf(attributes))) !== JSON.stringify(plain(drafts));
}

/** The names of attributes whose values a change would hide, and of those it would show to all. */
export function marksIn(attributes: readonly Attribute[], drafts: readonly Draft[]) {
  const isMarked = ({ sensitivity = 'NONE' }: Pick<Draft, 'sensitivity'>) => sensitivity !== 'NONE';
  const was = new Set(
    draftsOf(attributes)
      .filter(isMarked)
      .map(({ key }) => key),
  );
  const namesOf = (some: readonly Draft[]) => some.map(({ name }) => name).join(', ');
  return {
    hidden: namesOf(drafts.filter((one) => isMarked(one) && !was.has(one.key))),
    shown: namesOf(drafts.filter((one) => !isMarked(one) && was.has(one.key))),
  };
}

/** The drafts with a new, optional one, as existing items lack it. Its key is one that no other has, whichever were removed before. */
export function withNew(drafts: readonly Draft[]): Draft[] {
  const used = drafts.map(({ key }) => Number(/^new (\d+)$/.exec(key)?.[1] ?? 0));
  return [...drafts, { key: `new ${Math.max(0, ...used) + 1}`, name: '', type: 'TEXT', isRequired: false }];
}

export function movedUp(drafts: readonly Draft[], index: number): Draft[] {
  return drafts.toSpliced(index - 1, 2, ...drafts.slice(index - 1, index + 1).toReversed());
}

/**
 * The attributes in a pasted sample: an object of JSON or a list of them, or a row of names.
 * @returns undefined for a table with values, from which the server can tell more
 */
export function sampled(text: string): Draft[] | undefined {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) return fromJson(trimmed);
  if (/[\r\n]/.test(trimmed)) return undefined;
  const names = trimmed.split(/[,;\t|]/).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  return names
    .filter((name) => name !== '')
    .map((name, index) => ({ key: `${index} ${name}`, name, type: 'TEXT', isRequired: false }));
}

/** @throws SyntaxError when it is no JSON */
function fromJson(text: string): Draft[] {
  const parsed: unknown = JSON.parse(text);
  const records = (Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]).filter(
    (one): one is Record<string, unknown> => typeof one === 'object' && one !== null,
  );
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return names.map((name, index) => {
    const values = records
      .map((record) => record[name])
      .filter((value) => value !== undefined && value !== null);
    const isRequired = values.length === records.length;
    return { key: `${index} ${name}`, name, type: typeOf(values), isRequired };
  });
}

const day = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/;

function typeOf(values: readonly unknown[]): Type {
  if (values.length === 0) return 'TEXT';
  if (values.every((value) => typeof value === 'number')) return 'NUMBER';
  if (values.every((value) => typeof value === 'boolean')) return 'BOOLEAN';
  return values.every((value) => typeof value === 'string' && day.test(value)) ? 'DATE' : 'TEXT';
}
