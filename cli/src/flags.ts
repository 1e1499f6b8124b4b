import { parseJson, toId, type Id } from '@millrace/api';
import { InvalidArgumentError, Option } from 'commander';
import { readJsonOption } from './body.ts';
import type { Member } from './contract.ts';
import { readReference } from './names.ts';
import { readTime, timeForms } from './times.ts';

// Secrets must not stand in the history of the shell or in the list of processes.
const secret = ['password', 'apiKey', 'token'];
// Options that every command has.
const taken = ['body', 'url', 'help'];
const withoutFlag = new Set([...secret, ...taken]);

/** Whether a member can be given by a flag of its own; the others come with --body only. */
export function hasFlag({ name, isRequired }: Member): boolean {
  return !withoutFlag.has(name) && (name !== 'version' || isRequired);
}

/** The flag of a member: `--work-item-model-id` for `workItemModelId`. `--json` has another meaning already. */
export function flagName(name: string): string {
  return name === 'json' ? '--data' : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The name under which commander keeps a flag. */
export function attributeOf(flag: string): string {
  return new Option(flag).attributeName();
}

/** The options that set a member; a boolean has a second one, which sets it to false. */
export function optionsFor(member: Member): Option[] {
  const flag = flagName(member.name);
  const description = descriptionOf(member);
  if (member.kind === 'boolean') {
    const no = flag.replace('--', '--no-');
    return [new Option(flag, `${description} (${no} for false)`.trim()), new Option(no).hideHelp()];
  }
  const option = new Option(`${flag} <${placeholderOf(member)}>`, description);
  if (member.choices !== undefined) option.choices(member.choices);
  return [option.argParser((text: string, earlier: unknown) => readFlag(member, text, earlier))];
}

function descriptionOf({ kind, description, shape, isRequired }: Member): string {
  const times = kind === 'time' ? `(${timeForms}; your local time unless it has an offset)` : '';
  const like = shape === undefined ? '' : `Form: ${shape}`;
  const sentence = like && /\w$/.test(description) ? `${description}.` : description;
  return [sentence, like, times, isRequired ? '(required)' : ''].filter(Boolean).join(' ');
}

const placeholders: Readonly<Record<Member['kind'], string>> = {
  text: 'text',
  time: 'time',
  integer: 'n',
  number: 'n',
  boolean: '',
  texts: 'text',
  integers: 'n,n',
  references: 'role,role',
  json: 'json',
};

function placeholderOf({ kind, names }: Member): string {
  if (names === undefined || kind === 'references') return placeholders[kind];
  return kind === 'integers' ? `${names},${names}` : names;
}

/** The values given by flags; members without one are left out. */
export async function valuesOf(
  members: readonly Member[],
  flags: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const { name, kind } of members) {
    const flag = flagName(name);
    const value = flags[attributeOf(flag)];
    if (value !== undefined)
      values[name] = kind === 'json' ? await readJsonOption(flag, value as string) : value;
  }
  return values;
}

/**
 * The value of a flag. JSON stays a text here, as it may name a file; names stay names, as only the server knows their ids.
 * @param earlier the value of the same flag so far, for members that are lists
 */
export function readFlag(member: Member, text: string, earlier?: unknown): unknown {
  const { kind, choices, names } = member;
  if (choices !== undefined) return readChoice(choices, text);
  switch (kind) {
    case 'integer':
      return names === undefined ? readWholeNumber(text) : readName(text);
    case 'number':
      return readNumber(text);
    case 'integers':
    case 'references':
    case 'texts':
      return [...(Array.isArray(earlier) ? (earlier as unknown[]) : []), ...readList(member, text)];
    case 'json':
      return readJson(text);
    case 'time':
      return readTime(text);
    case 'text':
    case 'boolean':
      return text;
  }
}

/** A list as JSON, or the part of it from one use of the flag: one text, or ids and names separated by commas. */
function readList({ kind, names }: Member, text: string): unknown[] {
  if (text === '') return [];
  const parts = jsonList(text) ?? (kind === 'texts' ? [text] : text.split(','));
  if (kind === 'texts') return parts.map(String);
  return parts.map((part) => {
    if (kind === 'references' && typeof part === 'object') return part;
    return names === undefined ? readWholeNumber(String(part)) : readName(String(part));
  });
}

function jsonList(text: string): unknown[] | undefined {
  if (!text.trim().startsWith('[')) return undefined;
  try {
    const value = parseJson(text);
    return Array.isArray(value) ? (value as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

/** Checks JSON on the command line before the server is asked for anything. */
function readJson(text: string): string {
  if (text === '-' || text.startsWith('@')) return text;
  try {
    parseJson(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`It must be JSON, @file or - for stdin: ${(error as Error).message}`);
  }
}

/** @throws InvalidArgumentError when it is neither */
function readName(text: string): Id | string {
  const reference = readReference(text);
  if (reference === '' || /^[[{]/.test(String(reference)))
    throw new InvalidArgumentError('It must be a name or an id.');
  return reference;
}

/** @throws InvalidArgumentError when the text is no whole number as numbers are written; ids keep all their digits. */
export function readWholeNumber(text: string): number | bigint {
  if (/^(0|-?[1-9]\d{0,18})$/.test(text)) return toId(text);
  throw new InvalidArgumentError('It must be a whole number, without zeros in front.');
}

/** @throws InvalidArgumentError when the number is none of these. */
export function wholeNumberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${String(least)} to ${String(most)}.`);
  };
}

function readChoice(choices: readonly string[], text: string): string {
  const choice = choices.find((one) => one.toLowerCase() === text.toLowerCase());
  if (choice === undefined) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
  return choice;
}

function readNumber(text: string): unknown {
  if (/^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return parseJson(text);
  throw new InvalidArgumentError('It must be a number.');
}
