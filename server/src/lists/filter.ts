import { empty, join, sql, type Sql } from '../db.ts';
import { Refusal } from '../errors.ts';
import { printed, readValue, type Field, type FieldType } from './values.ts';

type Fields = Record<string, Field>;
type Node = Record<string, unknown>;

const maxLevels = 32;
// Each comparison is a parameter of the statement, of which PostgreSQL takes 65,535, and work for each row.
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
const operators = [...Object.keys(signs), 'substring', ...groups, 'NONE'];
const members = ['operator', 'field', 'value', 'operands'];

/**
 * The condition that a filter stands for; none when it restricts nothing.
 * @throws Refusal INVALID_REQUEST that names what in the filter cannot be understood.
 */
export function readFilter(filter: unknown, fields: Fields): Sql | undefined {
  refuseExcess(filter);
  return readNode(filter, fields, 'filter');
}

/** Whether the filter, which was read and found sound, compares this field. */
export function namesField(filter: unknown, field: string): boolean {
  const { field: named, operands } = (filter ?? {}) as Node;
  return named === field || (Array.isArray(operands) && operands.some((one) => namesField(one, field)));
}

/** Walks the filter without recursion, which a deep one would exhaust, so that the reading afterwards may recurse. */
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

function readNode(node: unknown, fields: Fields, place: string): Sql | undefined {
  if (node === null || node === undefined) return undefined;
  if (typeof node !== 'object' || Array.isArray(node))
    throw refusal(place, `must be an object, not ${printed(node)}`);
  if (Object.keys(node).length === 0) return undefined;
  const operator = readOperator(node as Node, place);
  if (operator === 'none') return undefined;
  refuseUnknownMembers(node, place);
  return groups.includes(operator)
    ? readGroup(operator, node as Node, fields, place)
    : readLeaf(operator, node as Node, fields, place);
}

function readOperator({ operator }: Node, place: string): string {
  const name = typeof operator === 'string' ? operator.toLowerCase() : undefined;
  if (name !== undefined && operators.some((known) => known.toLowerCase() === name)) return name;
  const what = operator === undefined ? 'is missing' : `is unknown: ${printed(operator)}`;
  throw refusal(`${place}.operator`, `${what}. Known operators are ${operators.join(', ')}`);
}

function refuseUnknownMembers(node: object, place: string): void {
  const unknown = Object.keys(node).find((member) => !members.includes(member));
  if (unknown !== undefined)
    throw refusal(`${place}.${unknown}`, `is not a known member; those are ${members.join(', ')}`);
}

function readGroup(operator: string, { operands }: Node, fields: Fields, place: string): Sql | undefined {
  if (!Array.isArray(operands))
    throw refusal(`${place}.operands`, `must be the list of what ${operator} applies to`);
  const parts = operands.flatMap(
    (operand, index) => readNode(operand, fields, `${place}.operands.${index}`) ?? [],
  );
  if (parts.length === 0) return undefined;
  if (operator === 'or') return sql`(${join(parts, ' or ')})`;
  const all = sql`(${join(parts, ' and ')})`;
  // A comparison with an unset field is null in SQL and counts as false, so that its negation is true.
  return operator === 'not' ? sql`(${all} is not true)` : all;
}

function readLeaf(operator: string, node: Node, fields: Fields, place: string): Sql {
  const { name, column, type } = readField(node['field'], fields, place);
  refuseSenseless(operator, name, type, place);
  if (!('value' in node)) throw refusal(`${place}.value`, `is missing. Say null for "unset"`);
  const { value } = node;
  if (type === 'texts') return readMembership(operator, column, value, { name, place });
  if (value === null && operator === 'eq') return sql`(${column} is null)`;
  if (value === null && operator === 'ne') return sql`(${column} is not null)`;
  const read = readValue(name, type, value, `${place}.value`);
  if (operator === 'substring') return sql`(${column} ilike ${containing(read)})`;
  return sql`(${column} ${signs[operator] ?? empty} ${read})`;
}

/** A list of texts has a value when one of them is equal to it, or contains it; it is unset when it is empty. */
function readMembership(
  operator: string,
  column: Sql,
  value: unknown,
  { name, place }: { name: string; place: string },
): Sql {
  const isEmpty = sql`(coalesce(cardinality(${column}), 0) = 0)`;
  if (value === null) return operator === 'eq' ? isEmpty : sql`(not ${isEmpty})`;
  const read = readValue(name, 'texts', value, `${place}.value`);
  if (operator === 'substring')
    return sql`(exists (select from unnest(${column}) as one where one ilike ${containing(read)}))`;
  return operator === 'eq' ? sql`(${read} = any(${column}))` : sql`((${read} = any(${column})) is not true)`;
}

function readField(name: unknown, fields: Fields, place: string): Field & { name: string } {
  const field = typeof name === 'string' && Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field) return { ...field, name: name as string };
  const known = Object.keys(fields).join(', ');
  const what = name === undefined ? 'is missing' : `is unknown: ${printed(name)}`;
  throw refusal(`${place}.field`, `${what}. Known fields are ${known}`);
}

function refuseSenseless(operator: string, name: string, type: FieldType, place: string): void {
  const isOrdered = typeof type === 'string' && type !== 'boolean' && type !== 'texts';
  const known = [
    'eq',
    'ne',
    ...(isOrdered ? ['lt', 'le', 'gt', 'ge'] : []),
    ...(type === 'text' || type === 'texts' ? ['substring'] : []),
  ];
  if (known.includes(operator)) return;
  throw refusal(
    `${place}.operator`,
    `${operator} makes no sense for the field ${name}, which knows ${known.join(', ')}`,
  );
}

/** The pattern for texts that contain the value, whose own characters stand for themselves. */
function containing({ values }: Sql): string {
  return `%${String(values[0]).replace(/[\\%_]/g, '\\$&')}%`;
}

function refusal(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `In the list request, ${field} ${message}.`, {
    details: [{ field, message }],
  });
}
