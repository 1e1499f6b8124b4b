import { m } from './messages.ts';
import { FilterProblem, type Filter, type Sign } from './parse.ts';

/** `same` is an id that can only be asked for, not compared. */
export type FieldType = 'id' | 'same' | 'number' | 'text' | 'texts' | 'time' | 'boolean' | readonly string[];

/** What can be compared, by the name that people type. */
export interface Field {
  /** As the contract has it. */
  readonly name: string;
  readonly type: FieldType;
  /** Whether its values are hidden: then only whole ones are found. */
  readonly isHidden?: boolean;
}

export type Fields = ReadonlyMap<string, Field>;

/** A filter as the contract has it. */
export type Compiled =
  | { readonly operator: string; readonly field: string; readonly value: string | null }
  | { readonly operator: 'and' | 'or' | 'not'; readonly operands: readonly Compiled[] };

const operators: Record<Sign, string> = {
  ':': 'eq',
  '~': 'substring',
  '^': 'startsWith',
  '>': 'gt',
  '>=': 'ge',
  '<': 'lt',
  '<=': 'le',
};

/**
 * The contract's filter for one that somebody wrote. Whatever is not understood is said, never left out: no filter selects more
 * than it says.
 * @param now what relative times, such as now-24h, count from
 * @throws FilterProblem
 */
export function compile(filter: Filter, fields: Fields, now: Date): Compiled {
  if (filter.is === 'text') return { operator: 'substring', field: 'any', value: filter.value };
  if (filter.is === 'not') return { operator: 'not', operands: [compile(filter.of, fields, now)] };
  if (filter.is !== 'compare')
    return { operator: filter.is, operands: filter.of.map((part) => compile(part, fields, now)) };
  const field = fields.get(filter.field.toLowerCase());
  if (!field) throw new FilterProblem(m.filters.unknownField(filter.field));
  if (field.isHidden && filter.sign !== ':') throw new FilterProblem(m.filters.hidden(filter.field));
  refuseSenseless(filter.sign, filter.field, field.type);
  const value = filter.value === null ? null : valueOf(filter.value, filter.field, field.type, now);
  if (value === null && filter.sign !== ':')
    throw new FilterProblem(m.filters.badOperator(filter.field, filter.sign));
  return { operator: operators[filter.sign], field: field.name, value };
}

function refuseSenseless(sign: Sign, name: string, type: FieldType): void {
  const isText = type === 'text' || (type === 'texts' && sign === '~');
  const isOrdered = typeof type === 'string' && !['boolean', 'texts', 'same'].includes(type);
  const isKnown = sign === ':' || (sign === '~' || sign === '^' ? isText : isOrdered);
  if (!isKnown) throw new FilterProblem(m.filters.badOperator(name, sign));
}

function valueOf(text: string, name: string, type: FieldType, now: Date): string {
  if (typeof type !== 'string') {
    const known = type.find((one) => one.toLowerCase() === text.toLowerCase());
    if (known === undefined) throw new FilterProblem(m.filters.badWord(name, type.join(', ')));
    return known;
  }
  if (type === 'time') return timeOf(text, now);
  const isNumber =
    type === 'id' || type === 'same'
      ? /^(0|-?[1-9]\d{0,18})$/.test(text)
      : type !== 'number' || isDecimal(text);
  if (!isNumber) throw new FilterProblem(m.filters.badNumber(name, text));
  if (type === 'boolean' && !/^(true|false)$/i.test(text))
    throw new FilterProblem(m.filters.badWord(name, 'true, false'));
  return text;
}

function isDecimal(text: string): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text);
}

const unitMs: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/**
 * A time as it is typed, such as now-24h.
 * @throws FilterProblem
 */
export function timeOf(text: string, now: Date): string {
  const relative = /^now(?:([+-])(\d{1,6})([smhdw]))?$/.exec(text);
  if (relative) {
    const [, sign, amount = '0', unit = 's'] = relative;
    const distance = Number(amount) * (unitMs[unit] ?? 0);
    return new Date(now.getTime() + (sign === '-' ? -distance : distance)).toISOString();
  }
  const isTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$/i.test(text);
  if (!isTime) throw new FilterProblem(m.filters.badDate(text));
  return text;
}
