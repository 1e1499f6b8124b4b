import type { Attribute } from '../engine/operation.ts';

/** The forms of sensitive values: sealed where they are stored, masked where they are shown. */

/** The mask in columns and files. */
export const maskText = '•••';

/** Whether the values of an attribute are sensitive by its present model. */
export function isMarked({
  sensitivity,
}: {
  readonly sensitivity?: Attribute['sensitivity'] | undefined;
}): boolean {
  return sensitivity !== undefined && sensitivity !== 'NONE';
}

/** A sensitive value in its stored form. Values of attributes are never objects, so that it cannot be confused with one. */
export interface SealedValue {
  /** Encrypted, with the version of its key. */
  readonly $sealed: string;
  /** Shared by equal values of an attribute; empty where values are not found by it. */
  readonly hash: string;
}

/** A sensitive value as answered. */
interface Mask {
  readonly masked: typeof maskText;
}

export const mask: Mask = { masked: maskText };

export function isSealed(value: unknown): value is SealedValue {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '$sealed')) return false;
  const { $sealed, hash } = value as { $sealed: unknown; hash?: unknown };
  return typeof $sealed === 'string' && typeof hash === 'string';
}

export function isMask(value: unknown): value is Mask {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, '$sealed')) return false;
  return (value as Partial<Mask>).masked === maskText;
}

type Attributes = readonly Attribute[];
type Members = Record<string, unknown>;

/** The present and the former names of an attribute. */
export function namesEver({ name, formerNames = [] }: Attribute): string[] {
  return [...new Set([name, ...formerNames.flatMap((former) => former.name ?? [])])];
}

/**
 * The names under which values are sensitive where the version of the model is unknown, as in events and outputs. Values from before the
 * mark are not sealed at once: until then their names hide them.
 */
export function hiddenNames(attributes: Attributes): ReadonlySet<string> {
  return new Set(attributes.filter(isMarked).flatMap(namesEver));
}

/** The record, or the output of a bot, with a mask for each value that is sealed in it, or has one of the names. */
export function masked<R extends object>(record: R, names: ReadonlySet<string> = new Set()): R {
  const isHidden = (name: string, value: unknown) => isSealed(value) || (value !== null && names.has(name));
  if (!Object.entries(record).some(([name, value]) => isHidden(name, value))) return record;
  const members = Object.entries(record).map(([name, value]) => [name, isHidden(name, value) ? mask : value]);
  return Object.fromEntries(members) as R;
}

/** The changes of an item's event, with masks for all sensitive values. */
export function maskedChanges(attributes: Attributes, changes: Members): Members {
  const { json, output, error } = changes;
  const names = hiddenNames(attributes);
  return {
    ...changes,
    ...(isRecord(json) && { json: masked(json, names) }),
    ...(isRecord(output) && { output: masked(output, names) }),
    ...(typeof error === 'string' && { error: withoutValues(attributes, error) }),
  };
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const beginning = /^Row \d+ of /;
const beginningEnds = ' does not fit the model.';

/** The beginning of the error of an item made from a bad row of a file; the problems follow, one on each line. */
export const errorOfRow = (row: number | undefined, file: string) => `Row ${row} of ${file}${beginningEnds}`;

/** The reason in place of a sensitive value that does not fit. */
export const unshown = 'its values are not shown';
const toldNothing = [/: is required\.$/, /: is masked: [^;"]*\.$/, new RegExp(`; ${unshown}\\.$`)];

/** The error of an item without values of sensitive attributes: one made from a row before they were marked may reveal some. */
export function withoutValues(attributes: Attributes, error: string): string {
  const end = error.indexOf(beginningEnds) + beginningEnds.length;
  if (end < beginningEnds.length || !beginning.test(error) || !attributes.some(isMarked)) return error;
  const lines = error.slice(end).split('\n');
  return (
    error.slice(0, end) +
    lines.map((line) => (line === '' ? line : withoutValue(attributes, line))).join('\n')
  );
}

function withoutValue(attributes: Attributes, line: string): string {
  const begins = (of: Attributes) => of.flatMap(namesEver).find((name) => line.startsWith(`${name}: `));
  const name = begins(attributes.filter(isMarked));
  const isPlain = name === undefined && begins(attributes) !== undefined;
  if (isPlain || toldNothing.some((known) => known.test(line))) return line;
  return `${name === undefined ? '' : `${name}: `}does not fit; ${unshown}.`;
}
