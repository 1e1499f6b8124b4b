import { ApiError, toId, type Client, type Id } from '@millrace/api';
import type { Member } from './contract.ts';
import { kindOfMember, listCommandOf, namingOf, type Kind } from './kinds.ts';
import { didYouMean } from './near.ts';

type Row = Readonly<Record<string, unknown>> & { readonly id: Id };
type Values = Readonly<Record<string, unknown>>;

const timeoutSeconds = 60;
// The number of things of a kind among which a similar name is looked for.
const lookedThrough = 1000;

/** Reads a text in place of an id: a whole number is an id, anything else is a name; also 01, which is not how a number is written. */
export function readReference(text: string): Id | string {
  const trimmed = text.trim();
  return /^(0|[1-9]\d{0,18})$/.test(trimmed) ? toId(trimmed) : trimmed;
}

/**
 * The id of the thing that has a name; an id is returned unchanged.
 * @throws Error that says where to look, when none or several of the things that the caller may see have the name
 */
export async function idOf(client: Client, kind: Kind, given: unknown): Promise<Id> {
  const reference = readReference(String(given));
  if (typeof reference !== 'string') return reference;
  const { fields, isArchivable } = namingOf(kind);
  const named = fields.map((field) => ({ operator: 'eq', field, value: reference }));
  const archived = [true, false].map((value) => ({ operator: 'eq', field: 'archived', value }));
  const operands = [
    { operator: 'or', operands: named },
    { operator: 'or', operands: archived },
  ];
  const rows = await listOf(client, kind, {
    filter: { operator: 'and', operands: operands.slice(0, isArchivable ? 2 : 1) },
  });
  const [row, ...others] = rows;
  if (row === undefined) throw new Error(await unknownName(client, kind, reference));
  if (others.length > 0) throw new Error(ambiguousName(kind, reference, rows));
  return row.id;
}

/** Replaces names by ids in the members that refer to things. */
export async function withIds(client: Client, members: readonly Member[], values: Values): Promise<Values> {
  const found: Record<string, unknown> = {};
  for (const { name, kind, names } of members) {
    const value = values[name];
    if (names === undefined || value === undefined || value === null) continue;
    if (!Array.isArray(value)) found[name] = await idIfNamed(client, names, value);
    else found[name] = await inTurn(value, (one) => referenceTo(client, { names, kind }, one));
  }
  return { ...values, ...found };
}

/** Replaces a name by its id in a comparison with an id. */
export async function comparisonWithId(client: Client, comparison: Values): Promise<Values> {
  const { field, value } = comparison;
  const kind = typeof field === 'string' ? kindOfMember(field) : undefined;
  return kind === undefined ? comparison : { ...comparison, value: await idIfNamed(client, kind, value) };
}

async function referenceTo(
  client: Client,
  { names, kind }: { readonly names: Kind; readonly kind: Member['kind'] },
  value: unknown,
): Promise<unknown> {
  if (typeof value === 'object') return value;
  const id = await idIfNamed(client, names, value);
  return kind === 'references' ? { id } : id;
}

function idIfNamed(client: Client, kind: Kind, value: unknown): unknown {
  return typeof value === 'string' ? idOf(client, kind, value) : value;
}

async function inTurn(values: readonly unknown[], change: (value: unknown) => unknown): Promise<unknown[]> {
  const changed: unknown[] = [];
  for (const value of values) changed.push(await change(value));
  return changed;
}

async function listOf(client: Client, kind: Kind, body: object): Promise<readonly Row[]> {
  const { list } = namingOf(kind);
  try {
    return ((await client.call(list, { body }, { timeoutSeconds })) as { list: Row[] }).list;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    throw new Error(`You may not list ${kind}s, so that none is found by its name: use the id.`, {
      cause: error,
    });
  }
}

async function unknownName(client: Client, kind: Kind, name: string): Promise<string> {
  const rows = await listOf(client, kind, { page: { length: lookedThrough } });
  const known = rows.flatMap((row) => namesIn(row, kind));
  const hint = didYouMean(name, known);
  return (
    `No ${kind} is named "${name}", or you may not see it. ${hint} ` +
    `\`${listCommandOf(kind)}\` shows those you may see; the id works as well.`
  ).replace('  ', ' ');
}

function ambiguousName(kind: Kind, name: string, rows: readonly Row[]): string {
  const each = rows.map((row) => `${String(row.id)} (${namesIn(row, kind).join(', ')})`);
  return `"${name}" can mean any of ${String(rows.length)} ${kind}s: ${each.join('; ')}. Use the id.`;
}

function namesIn(row: Row, kind: Kind): string[] {
  const names = namingOf(kind).fields.map((field) => row[field]);
  return names.filter((name): name is string => typeof name === 'string' && name !== '');
}
