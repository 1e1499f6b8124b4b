import { m } from './messages.ts';

/** The comparisons of a field: equal, contains, begins with, and the orders. */
export type Sign = ':' | '~' | '^' | '>' | '>=' | '<' | '<=';

/** A typed filter. `text` is looked for in all values of a record; the value null stands for "unset". */
export type Filter =
  | { readonly is: 'text'; readonly value: string }
  | { readonly is: 'compare'; readonly field: string; readonly sign: Sign; readonly value: string | null }
  | { readonly is: 'not'; readonly of: Filter }
  | { readonly is: 'and' | 'or'; readonly of: readonly Filter[] };

/** A line that is no filter; the message says why. */
export class FilterProblem extends Error {}

/** The word for a missing value; in quotes it is a text. */
const unset = 'unset';

type Token =
  { readonly kind: 'open' | 'close' | 'minus' | 'or' } | { readonly kind: 'term'; readonly term: Filter };

// A word or a text in quotes; a sign and a value make it a comparison. Characters that need quotes in a value end it.
const word = String.raw`"(?:[^"\\]|\\.)*"|[^\s()"~^<>:]+`;
const value = String.raw`"(?:[^"\\]|\\.)*"|[^\s()"]+`;
const token = new RegExp(
  String.raw`\s*(?:(?<open>\()|(?<close>\))|(?<minus>-)(?=\S)|(?<or>or)(?=[\s(]|$)|(?<word>${word})(?:(?<sign>:?[<>]=?|[:~^])(?<value>${value})?)?)`,
  'y',
);

/**
 * Reads a line such as `status:FAILED error~"timeout" (tag:vip or priority>=8) -retryCount:0`.
 * @returns undefined for an empty line
 * @throws FilterProblem
 */
export function parse(line: string): Filter | undefined {
  const tokens = tokensOf(line);
  if (tokens.length === 0) return undefined;
  const rest = [...tokens];
  const filter = readOr(rest);
  if (rest.length > 0) throw new FilterProblem(m.filters.unexpected(')'));
  return filter;
}

function tokensOf(line: string): Token[] {
  const found: Token[] = [];
  const text = line.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const groups = token.exec(text)?.groups;
    if (!groups) throw new FilterProblem(m.filters.unexpected(text.slice(from).trim()));
    found.push(tokenOf(groups));
  }
  return found;
}

function tokenOf(groups: Record<string, string | undefined>): Token {
  const { open, close, minus, or, word: name = '', sign } = groups;
  if (open) return { kind: 'open' };
  if (close) return { kind: 'close' };
  if (minus) return { kind: 'minus' };
  if (or) return { kind: 'or' };
  if (sign === undefined) return { kind: 'term', term: { is: 'text', value: unquoted(name) } };
  const given = groups['value'];
  if (given === undefined) throw new FilterProblem(m.filters.emptyValue(unquoted(name)));
  const term: Filter = {
    is: 'compare',
    field: unquoted(name),
    // `created:>2026-01-01` is read like `created>2026-01-01`.
    sign: (sign.length > 1 ? sign.replace(/^:/, '') : sign) as Sign,
    value: given === unset ? null : unquoted(given),
  };
  return { kind: 'term', term };
}

function readOr(rest: Token[]): Filter {
  const parts = [readAnd(rest)];
  while (rest[0]?.kind === 'or') {
    rest.shift();
    parts.push(readAnd(rest));
  }
  return together('or', parts);
}

function readAnd(rest: Token[]): Filter {
  const parts = [readOne(rest)];
  while (rest[0] && rest[0].kind !== 'or' && rest[0].kind !== 'close') parts.push(readOne(rest));
  return together('and', parts);
}

function readOne(rest: Token[]): Filter {
  const next = rest.shift();
  if (next === undefined) throw new FilterProblem(m.filters.ended);
  if (next.kind === 'or' || next.kind === 'close')
    throw new FilterProblem(m.filters.unexpected(next.kind === 'close' ? ')' : 'or'));
  if (next.kind === 'term') return next.term;
  if (next.kind === 'minus') return { is: 'not', of: readOne(rest) };
  const inner = readOr(rest);
  if (rest.shift()?.kind !== 'close') throw new FilterProblem(m.filters.unclosed);
  return inner;
}

function together(is: 'and' | 'or', of: readonly Filter[]): Filter {
  return of.length === 1 && of[0] ? of[0] : { is, of };
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : text;
}

/** The line for a filter: `parse` makes the same filter of it. */
export function print(filter: Filter | undefined): string {
  if (filter === undefined) return '';
  if (filter.is === 'text') return quoted(filter.value);
  if (filter.is === 'compare') {
    const { field, sign, value: compared } = filter;
    return `${quoted(field)}${sign}${compared === null ? unset : quoted(compared)}`;
  }
  if (filter.is === 'not') return `-${bracketed(filter.of)}`;
  return filter.of.map(bracketed).join(filter.is === 'or' ? ' or ' : ' ');
}

function bracketed(filter: Filter): string {
  return filter.is === 'and' || filter.is === 'or' ? `(${print(filter)})` : print(filter);
}

function quoted(text: string): string {
  const isPlain = /^[^\s()"~^<>:\\=-][^\s()"~^<>:\\=]*$/.test(text) && text !== 'or' && text !== unset;
  return isPlain ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** The parts that must all hold, shown as pills. */
export function partsOf(filter: Filter | undefined): readonly Filter[] {
  if (filter === undefined) return [];
  return filter.is === 'and' ? filter.of : [filter];
}

/** The parts of a line; none while it is no valid filter. */
export function partsOfLine(line: string): readonly Filter[] {
  try {
    return partsOf(parse(line));
  } catch (error) {
    if (error instanceof FilterProblem) return [];
    throw error;
  }
}

export function allOf(parts: readonly Filter[]): Filter | undefined {
  return parts.length === 0 ? undefined : together('and', parts);
}
