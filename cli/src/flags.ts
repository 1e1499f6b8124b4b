import { parseJson, toId } from '@millrace/api';
import { InvalidArgumentError, Option } from 'commander';
import type { Member } from './contract.ts';

// Members that the server sets, and those that must not stand in the history of the shell or in the list of processes.
const setByServer = ['id', 'createdBy', 'createdOn', 'updatedBy', 'updatedOn', 'tenantId', 'tenantUuid'];
const secret = ['password', 'apiKey', 'token'];
// Options that every command has.
const taken = ['body', 'url', 'help'];
const withoutFlag = new Set([...setByServer, ...secret, ...taken]);

/** Whether a member can be given by a flag of its own; the others come with --body only. */
export function hasFlag({ name, isRequired }: Member): boolean {
  return !withoutFlag.has(name) && (name !== 'version' || isRequired);
}

/** The flag of a member: `--work-item-model-id` for `workItemModelId`. `--json` has another meaning already. */
export function flagName(name: string): string {
  return name === 'json' ? '--data' : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The name under which commander keeps the value of a flag. */
export function attributeOf(flag: string): string {
  return new Option(flag).attributeName();
}

/** The options that set a member; a boolean has a second one, which sets it to false. */
export function optionsFor(member: Member): Option[] {
  const flag = flagName(member.name);
  const description = [member.description, member.isRequired ? '(required)' : ''].filter(Boolean).join(' ');
  if (member.kind === 'boolean') {
    const no = flag.replace('--', '--no-');
    return [new Option(flag, `${description} (${no} for false)`.trim()), new Option(no).hideHelp()];
  }
  const option = new Option(`${flag} <${placeholders[member.kind]}>`, description);
  if (member.choices !== undefined) option.choices(member.choices);
  return [option.argParser((text: string, earlier: unknown) => readFlag(member, text, earlier))];
}

const placeholders = {
  text: 'text',
  time: 'time',
  integer: 'n',
  number: 'n',
  texts: 'text',
  integers: 'n,n',
  json: 'json',
};

/**
 * The value that a flag stands for. JSON stays a text here: it may have to be read from a file.
 * @param earlier what the same flag gave before, for members that are lists
 */
export function readFlag({ kind, choices }: Member, text: string, earlier?: unknown): unknown {
  if (choices !== undefined) return readChoice(choices, text);
  switch (kind) {
    case 'integer':
      return readWholeNumber(text);
    case 'number':
      return readNumber(text);
    case 'integers':
      return [
        ...(Array.isArray(earlier) ? (earlier as unknown[]) : []),
        ...text.split(',').map(readWholeNumber),
      ];
    case 'texts':
      return Array.isArray(earlier) ? [...(earlier as string[]), text] : [text];
    case 'json':
    case 'text':
    case 'time':
    case 'boolean':
      return text;
  }
}

/** @throws InvalidArgumentError when the text is no whole number; ids keep all their digits. */
export function readWholeNumber(text: string): number | bigint {
  if (/^-?\d{1,19}$/.test(text)) return toId(text);
  throw new InvalidArgumentError('It must be a whole number.');
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
