import { empty, join, sql, type Sql } from '../db.ts';
import { Refusal } from '../errors.ts';
import { knownField, listRefusal, printed, readValue, sensitive, type Field } from './values.ts';

type Fields = Record<string, Field>;
type Node = Record<string, unknown>;

const maxLevels = 32;
// Each comparison is a parameter of the statement, of which PostgreSQL allows 65,535, and work for each row.
const maxComparisons = 100;
// Each of these reads whole texts: one for every display column.
const maxSubstrings = 10;
const groups = ['and', 'or', 'not'];
const signs: Record<string, Sql> = {
  eq: sql`=`,
  ne: sql`is distinct from`,
  lt: sql`<`,
  le: sql`<=`,
  gt: sql`>`,
  ge: sql`>=`,
};
const operators = [...Object.keys(signs), 'substring', 'startsWith', ...groups, 'NONE'];
const members = ['operator', 'field', 'value', 'operands'];

/**
 * The condition of a filter; undefined when it restricts nothing.
 * @throws Refusal INVALID_REQUEST that names the part of the filter that cannot be understood.
 */
export function readFilter(filter: unknown, fields: Fields): Sql | undefined {
  refuseExcess(filter);
  return readNode(filter, fields, 'filter');
}

/** Whether a filter, already validated, compares this field. */
export function namesField(filter: unknown, field: string): boolean {
  const { field: named, operands } = (filter ?? {}) as Node;
  return (
    named === field || (Array.isArray(operands) && operands.some((operand) => namesField(operand, field)))
  );
}

/** A comparison of a filter; the operator is in lower case. */
export interface Comparison {
  readonly field: string;
  readonly operator: string;
  readonly value: unknown;
}

/** The comparisons that must all hold, whatever else a filter, already validated, contains. */
export function conjunctsOf(filter: unknown): Comparison[] {
  const { operator, operands, ...comparison } = (filter ?? {}) as Node;
  const name = typeof operator === 'string' ? operator.toLowerCase() : 'none';
  if (name === 'and') return (operands as unknown[]).flatMap(conjunctsOf);
  if (name === 'none' || groups.includes(name)) return [];
  return [{ field: comparison['field'] as string, operator: name, value: comparison['value'] }];
}

/** Whether a filter, already validated, consists only of comparisons of this field that must all hold. */
export function onlyCompares(filter: unknown, field: string): boolean {
  const { operator, operands, field: named } = (filter ?? {}) as Node;
  const name = typeof operator === 'string' ? operator.toLowerCase() : 'none';
  if (name === 'and') return (operands as unknown[]).every((operand) => onlyCompares(operand, field));
  return name === 'none' || (!groups.includes(name) && named === field);
}

/**
 * The decision of a filter, already validated, on rows for which some comparisons are known.
 * @param decide whether a comparison holds; undefined when that is not known.
 * @returns undefined when the known comparisons do not decide it
 */
export function decideFilter(
  filter: unknown,
  decide: (comparison: Comparison) => boolean | undefined,
): boolean | undefined {
  const { operator, operands } = (filter ?? {}) as Node;
  const name = typeof operator === 'string' ? operator.toLowerCase() : 'none';
  if (name === 'none') return true;
  if (!groups.includes(name)) return decide(conjunctsOf(filter)[0] as Comparison);
  const parts = (operands as unknown[]).filter(restricts).map((operand) => decideFilter(operand, decide));
  if (parts.length === 0) return true;
  const decisive = name === 'or';
  const together = parts.includes(decisive) ? decisive : parts.includes(undefined) ? undefined : !decisive;
  return name === 'not' && together !== undefined ? !together : together;
}

/** A filter, already validated, without the values that it compares these fields with: for readers who may not see the values. */
export function withoutValues(filter: unknown, fields: ReadonlySet<string>): unknown {
  if (fields.size === 0 || typeof filter !== 'object' || filter === null) return filter;
  const { operands, field, value, ...rest } = filter as Node;
  const isHidden = typeof field === 'string' && fields.has(field);
  return {
    ...rest,
    ...(field !== undefined && { field }),
    ...(value !== undefined && { value: isHidden ? '•••' : value }),
    ...(Array.isArray(operands) && { operands: operands.map((one) => withoutValues(one, fields)) }),
  };
}

/** Whether a part of a filter restricts anything: groups leave out parts that do not. */
function restricts(node: unknown): boolean {
  const { operator, operands } = (node ?? {}) as Node;
  const name = typeof operator === 'string' ? operator.toLowerCase() : 'none';
  return name !== 'none' && (!groups.includes(name) || (operands as unknown[]).some(restricts));
}

/** Walks the filter without recursion, which a deep one would exhaust, so that the later reading may recurse. */
function refuseExcess(filter: unknown): void {
  const rest = [{ node: filter, level: 1 }];
  const leaves: unknown[] = [];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { operator, operands } = (next.node ?? {}) as Node;
    const name = typeof operator === 'string' ? operator.toLowerCase() : undefined;
    if (!name || !groups.includes(name) || !Array.isArray(operands)) leaves.push(name);
    else if (next.level > maxLevels) throw excess(`nests more than ${maxLevels} levels`, 'Flatten it.');
    else for (const node of operands as unknown[]) rest.push({ node, level: next.level + 1 });
    if (leaves.length > maxComparisons)
      throw excess(`has more than ${maxComparisons} comparisons`, 'Ask in parts.');
  }
  if (leaves.filter((name) => name === 'substring').length > maxSubstrings)
    throw excess(`has more than ${maxSubstrings} comparisons by substring`, 'Ask in parts.');
}

function excess(what: string, remedy: string): Refusal {
  return new Refusal('INVALID_REQUEST', `The filter ${what}. ${remedy}`, {
    details: [{ field: 'filter', message: what }],
  });
}

function readNode(node: unknown, fields: Fields, pointer: string): Sql | undefined {
  if (node === null || node === undefined) return undefined;
  if (typeof node !== 'object' || Array.isArray(node))
    throw listRefusal(pointer, `must be an object, not ${printed(node)}`);
  if (Object.keys(node).length === 0) return undefined;
  const operator = readOperator(node as Node, pointer);
  if (operator === 'none') return undefined;
  refuseUnknownMembers(node, pointer);
  return groups.includes(operator)
    ? readGroup(operator, node as Node, fields, pointer)
    : readLeaf(operator, node as Node, fields, pointer);
}

function readOperator({ operator }: Node, pointer: string): string {
  const name = typeof operator === 'string' ? operator.toLowerCase() : undefined;
  if (name !== undefined && operators.some((known) => known.toLowerCase() === name)) return name;
  const what = operator === undefined ? 'is missing' : `is unknown: ${printed(operator)}`;
  throw listRefusal(`${pointer}.operator`, `${what}. Known operators are ${operators.join(', ')}`);
}

function refuseUnknownMembers(node: object, pointer: string): void {
  const unknown = Object.keys(node).find((member) => !members.includes(member));
  if (unknown !== undefined)
    throw listRefusal(`${pointer}.${unknown}`, `is not a known member; those are ${members.join(', ')}`);
}

function readGroup(operator: string, { operands }: Node, fields: Fields, pointer: string): Sql | undefined {
  if (!Array.isArray(operands))
    throw listRefusal(`${pointer}.operands`, `must be the list of what ${operator} applies to`);
  const parts = operands.flatMap(
    (operand, index) => readNode(operand, fields, `${pointer}.operands.${index}`) ?? [],
  );
  if (parts.length === 0) return undefined;
  if (operator === 'or') return sql`(${join(parts, ' or ')})`;
  const all = sql`(${join(parts, ' and ')})`;
  // A comparison with an unset field is null in SQL and counts as false, so that its negation is true.
  return operator === 'not' ? sql`(${all} is not true)` : all;
}

function readLeaf(operator: string, node: Node, fields: Fields, pointer: string): Sql {
  const field = knownField(node['field'], fields, pointer);
  const { name, column, type, has, hashed } = field;
  refuseSenseless(operator, field, pointer);
  if (!('value' in node)) throw listRefusal(`${pointer}.value`, `is missing. Say null for "unset"`);
  const { value } = node;
  if (type === 'texts') return readMembership(operator, column, value, { name, pointer });
  if (value === null && operator === 'eq') return sql`(${column} is null)`;
  if (value === null && operator === 'ne') return sql`(${column} is not null)`;
  const read = hashed
    ? sql`${hashed(value, `${pointer}.value`)}::text`
    : readValue(name, type, value, `${pointer}.value`);
  if (has) return operator === 'eq' ? has(read) : sql`(${has(read)} is not true)`;
  if (operator === 'substring') return sql`(${column} ilike ${containing(String(read.values[0]))})`;
  if (operator === 'startswith') return sql`starts_with(${column}, ${read})`;
  return sql`(${column} ${signs[operator] ?? empty} ${read})`;
}

/** A list of texts has a value when one of them equals it, or contains it; an empty list is unset. */
function readMembership(
  operator: string,
  column: Sql,
  value: unknown,
  { name, pointer }: { name: string; pointer: string },
): Sql {
  const isEmpty = sql`(coalesce(cardinality(${column}), 0) = 0)`;
  if (value === null) return operator === 'eq' ? isEmpty : sql`(not ${isEmpty})`;
  const read = readValue(name, 'texts', value, `${pointer}.value`);
  if (operator === 'substring')
    return sql`(exists (select from unnest(${column}) as one where one ilike ${containing(String(read.values[0]))}))`;
  return operator === 'eq' ? sql`(${read} = any(${column}))` : sql`((${read} = any(${column})) is not true)`;
}

type NamedField = Field & { readonly name: string };

function refuseSenseless(operator: string, { name, type, has, hashed }: NamedField, pointer: string): void {
  if (hashed && operator !== 'eq' && operator !== 'ne') throw sensitive(name, `${pointer}.operator`, 'found');
  const isOrdered = typeof type === 'string' && type !== 'boolean' && type !== 'texts' && !has;
  const known = [
    'eq',
    'ne',
    ...(isOrdered ? ['lt', 'le', 'gt', 'ge'] : []),
    ...(type === 'text' || type === 'texts' ? ['substring'] : []),
    ...(type === 'text' ? ['startsWith'] : []),
  ];
  if (known.some((one) => one.toLowerCase() === operator)) return;
  throw listRefusal(
    `${pointer}.operator`,
    `${operator} makes no sense for the field ${name}, which knows ${known.join(', ')}`,
  );
}

/** The pattern for texts that contain the value; special characters in it are escaped. */
export function containing(value: string): string {
  return `%${value.replace(/[\\%_]/g, '\\$&')}%`;
}
