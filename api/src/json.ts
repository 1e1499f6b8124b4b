/**
 * JSON without loss. Numbers that a double cannot hold survive reading and writing: integers beyond 2^53 become
 * `bigint`, other numbers an `ExactNumber` that keeps its digits. All else is the native parser's work.
 */

/** A 64-bit id: a number while a double holds it, a bigint beyond. Equal ids are always `===`. */
export type Id = number | bigint;

/** A number whose digits a double would lose, kept as it was written. */
export class ExactNumber {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
  toString(): string {
    return this.digits;
  }
  /** A marked text, which `stringifyJson` turns into the number. */
  toJSON(): string {
    return mark + this.digits;
  }
}

/** JSON written by somebody else that `stringifyJson` puts in unchanged, for values that are only passed on. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): string {
    passedOn.push(this.text);
    return textMark;
  }
}

/** The texts found in the present call of `stringifyJson`, in order. */
let passedOn: string[] = [];
const textMark = '\u0000t';
const escapedTextMark = '"\\u0000t"';

// A marked text cannot be mistaken for data, because texts with NUL are refused.
const mark = '\u0000n:';
const escapedMark = '"\\u0000n:';
const markedNumber = /"\\u0000n:([^"]*)"/g;
const perhapsForbiddenText = /\\u(?:0000|d[89a-f])|[\ud800-\udfff]/i;
// Fewer than 16 digits and no exponent always fit a double.
const perhapsInexact = /\d[\d.]{15}|\d[eE][+-]?\d/;
// The native parser takes seconds for megabytes of brackets; a short text cannot hold enough of them.
const shortText = 64 * 1024;
const deepest = 200;
const [quote, backslash] = [34, 92];
const [openSquare, closeSquare, openCurly, closeCurly] = [91, 93, 123, 125];
const textOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/**
 * Reads JSON text.
 * @throws SyntaxError when it is no JSON, when a long text nests absurdly deep, or when a text or a name in it holds NUL or half a surrogate pair, which
 *   PostgreSQL cannot store.
 */
export function parseJson(text: string): unknown {
  if (text.length > shortText && depthOf(text) > deepest)
    throw new SyntaxError(`it nests deeper than ${deepest} levels`);
  return parseShallowJson(text);
}

/** Reads JSON text as `parseJson` does, for text already known not to nest absurdly deep. */
export function parseShallowJson(text: string): unknown {
  if (perhapsForbiddenText.test(text)) refuseForbiddenText(JSON.parse(text));
  if (!perhapsInexact.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(textOrNumber, markIfInexact), unmark);
}

/** Writes JSON text; `bigint` and `ExactNumber` keep their digits, and `JsonText` all of its letters. */
export function stringifyJson(value: unknown): string {
  const text = stringify(value);
  const exact = text.includes(escapedMark) ? text.replace(markedNumber, '$1') : text;
  return passedOn.length === 0 ? exact : withTexts(exact, passedOn);
}

function withTexts(text: string, texts: readonly string[]): string {
  const [first = '', ...parts] = text.split(escapedTextMark);
  return parts.reduce((written, part, index) => written + (texts[index] ?? '') + part, first);
}

/** A 64-bit integer from its digits, in the one form that makes equal ids `===`. */
export function toId(digits: string): Id {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

/** The value of a number that may be exact, as a double: for comparing and ordering, not for keeping. */
export function toDouble(value: number | bigint | ExactNumber): number {
  return Number(value instanceof ExactNumber ? value.digits : value);
}

/** The depth of nested brackets, up to the limit. Reads the characters by hand: matches would cost more than parsing. */
function depthOf(text: string): number {
  let depth = 0;
  let isText = false;
  for (let index = 0; index < text.length && depth <= deepest; index += 1) {
    const character = text.charCodeAt(index);
    if (character === backslash) index += 1;
    else if (character === quote) isText = !isText;
    else if (!isText && (character === openSquare || character === openCurly)) depth += 1;
    else if (!isText && (character === closeSquare || character === closeCurly)) depth -= 1;
  }
  return depth;
}

function stringify(value: unknown): string {
  passedOn = [];
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    passedOn = [];
    // Only a bigint brings us here. A replacer on every call would make all writing several times slower.
    return JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'bigint' ? mark + String(member) : member,
    );
  }
}

function markIfInexact(part: string): string {
  if (part.startsWith('"') || isExactDouble(part)) return part;
  return `${escapedMark}${part}"`;
}

function isExactDouble(digits: string): boolean {
  const value = Number(digits);
  if (String(value) === digits && (Number.isSafeInteger(value) || !Number.isInteger(value))) return true;
  const significant = digits
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  const isInRange = value === 0 ? significant === '' : Math.abs(value) > 1e-300 && Math.abs(value) < 1e300;
  return significant.length <= 15 && isInRange;
}

function unmark(_: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(mark)) return value;
  const digits = value.slice(mark.length);
  return /^-?\d+$/.test(digits) ? toId(digits) : new ExactNumber(digits);
}

function refuseForbiddenText(root: unknown): void {
  const rest = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === 'string') refuseIfForbidden(value);
    else if (typeof value === 'object' && value !== null) {
      Object.keys(value).forEach(refuseIfForbidden);
      for (const member of Object.values(value) as unknown[]) rest.push(member);
    }
  }
}

function refuseIfForbidden(text: string): void {
  if (text.includes('\u0000')) throw new SyntaxError('a text holds the character NUL (\\u0000)');
  if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
    throw new SyntaxError('a text holds half a surrogate pair, which is no character');
  }
}
