import type { Field, Fields, FieldType } from './compile.ts';

/** A continuation of a line: the text it offers, and the whole line with it. */
export interface Suggestion {
  readonly text: string;
  readonly line: string;
}

const most = 8;
const value = /(?:^|[\s(-])("(?:[^"\\]|\\.)*"|[^\s()"~^<>:-][^\s()"~^<>:]*)(:|>=?|<=?)([^\s()"]*)$/;
const field = /(?:^|[\s(]|\s-|^-)([^\s()"~^<>:-][^\s()"~^<>:]*)?$/;

/** The continuations of a line: first a field, then one of its values. */
export function suggestionsFor(line: string, fields: Fields): readonly Suggestion[] {
  const [, name = '', , begun = ''] = value.exec(line) ?? [];
  if (name !== '') {
    const type = fields.get(name.replaceAll('"', '').toLowerCase())?.type;
    return offered(line, begun, type === undefined ? [] : valuesOf(type), ' ');
  }
  const word = field.exec(line);
  return word ? offered(line, word[1] ?? '', namesOf(fields), ':') : [];
}

function offered(line: string, begun: string, texts: readonly string[], end: string): Suggestion[] {
  const lower = begun.toLowerCase();
  const before = line.slice(0, line.length - begun.length);
  const fitting = texts.filter((text) => text.toLowerCase().startsWith(lower) && text !== begun);
  return fitting.slice(0, most).map((text) => ({ text, line: before + text + end }));
}

function valuesOf(type: FieldType): readonly string[] {
  if (typeof type !== 'string') return type;
  if (type === 'boolean') return ['true', 'false'];
  return type === 'time' || type === 'date' ? ['now-1h', 'now-24h', 'now-7d'] : [];
}

/** The names to suggest. Those with special characters need quotes, and are left to the numbers of the columns. */
function namesOf(fields: Fields): readonly string[] {
  const names = [...fields].map(([typed, { name }]: readonly [string, Field]) =>
    typed === name.toLowerCase() ? name : typed,
  );
  const first = ['status', 'error', 'kind', 'created', 'updated', 'tag'];
  const plain = names.filter((name) => /^\w+$/.test(name) && !/^col\d+$/.test(name));
  return [...first.filter((name) => plain.includes(name)), ...plain.filter((name) => !first.includes(name))];
}
