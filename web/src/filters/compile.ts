import { instantIn } from '../page/zones.ts';
import { m } from './messages.ts';
import { FilterProblem, type Filter, type Sign } from './parse.ts';

/** `same` is an id that can only be tested for equality; `date` a time in the data of items, which is stored as it is typed. */
export type FieldType =
  'id' | 'same' | 'number' | 'text' | 'texts' | 'time' | 'date' | 'boolean' | readonly string[];

/** A field that can be compared, under the name that people type. */
export interface Field {
  /** The name in the contract. */
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

/** The reference of typed times: relative ones, such as now-24h, count from `now`, others by the clocks of `zone`. */
export interface Clock {
  readonly now: Date;
  /** Empty for the browser's zone. */
  readonly zone: string;
}

/**
 * A typed filter, as in the contract. A part that is not understood is an error, never left out: no filter selects more than it says.
 * @throws FilterProblem
 */
export function compile(filter: Filter, fields: Fields, clock: Clock): Compiled {
  if (filter.is === 'text') return { operator: 'substring', field: 'any', value: filter.value };
  if (filter.is === 'not') return { operator: 'not', operands: [compile(filter.of, fields, clock)] };
  if (filter.is !== 'compare')
    return { operator: filter.is, operands: filter.of.map((part) => compile(part, fields, clock)) };
  const field = fields.get(filter.field.toLowerCase());
  if (!field) throw new FilterProblem(m.filters.unknownField(filter.field));
  if (field.isHidden && filter.sign !== ':') throw new FilterProblem(m.filters.hidden(filter.field));
  refuseSenseless(filter.sign, filter.field, field.type);
  const value = filter.value === null ? null : valueOf(filter.value, filter.field, field.type, clock);
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

function valueOf(text: string, name: string, type: FieldType, clock: Clock): string {
  if (typeof type !== 'string') {
    const known = type.find((one) => one.toLowerCase() === text.toLowerCase());
    if (known === undefined) throw new FilterProblem(m.filters.badWord(name, type.join(', ')));
    return known;
  }
  if (type === 'time') return timeOf(text, clock);
  if (type === 'date') return relativeTime(text, clock.now) ?? typedTime(text);
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
 * The instant of a typed time: now-24h, or a day or time by the clocks of the zone, unless it names its own.
 * @throws FilterProblem
 */
export function timeOf(text: string, { now, zone }: Clock): string {
  const relative = relativeTime(text, now);
  if (relative !== undefined) return relative;
  const [, day = '', time = '00:00', fraction = '', offset] = parts.exec(typedTime(text)) ?? [];
  if (offset !== undefined) return text;
  const local = `${day}T${time}`;
  if (Number.isNaN(Date.parse(local))) throw new FilterProblem(m.filters.badDate(text));
  const instant = instantIn(local, zone).toISOString();
  // A fraction of a second keeps all its typed digits.
  return fraction === '' ? instant : instant.replace('.000Z', `.${fraction.slice(1)}Z`);
}

const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)([.,]\d+)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

function relativeTime(text: string, now: Date): string | undefined {
  const relative = /^now(?:([+-])(\d{1,6})([smhdw]))?$/.exec(text);
  if (!relative) return undefined;
  const [, sign, amount = '0', unit = 's'] = relative;
  const distance = Number(amount) * (unitMs[unit] ?? 0);
  return new Date(now.getTime() + (sign === '-' ? -distance : distance)).toISOString();
}

function typedTime(text: string): string {
  if (!parts.test(text)) throw new FilterProblem(m.filters.badDate(text));
  return text;
}
