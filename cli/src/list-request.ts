import { InvalidArgumentError, type Command } from 'commander';
import { isRecord, readJsonOption } from './body.ts';
import { wholeNumberFrom } from './flags.ts';

/** What the flags of a list command ask for. */
export interface ListFlags {
  readonly where?: readonly Comparison[];
  readonly filter?: string;
  readonly sort?: readonly Sort[];
  readonly limit?: number;
  readonly offset?: number;
}

interface Comparison {
  readonly operator: string;
  readonly field: string;
  readonly value: string | null;
}

interface Sort {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

const operators: Readonly<Record<string, string>> = {
  '=': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '~': 'substring',
};

/** Adds the flags by which a command says which rows it is about. */
export function addFilterFlags(command: Command): void {
  command
    .option(
      '--where <comparison>',
      'Only rows such as status=FAILED; operators: = != < <= > >= ~ (repeatable)',
      more(readComparison),
    )
    .option('--filter <json>', 'A filter as the API takes it: JSON, @file or - for stdin');
}

/** Adds the flags by which a list command says which rows it wants, and in which order. */
export function addListFlags(command: Command): void {
  addFilterFlags(command);
  command
    .option('--sort <field>', 'Order by this field, -field for descending (repeatable)', more(readSort))
    .option('--limit <n>', 'At most so many rows (200 unless given)', wholeNumberFrom(1, 10_000))
    .option('--offset <n>', 'Skip so many rows', wholeNumberFrom(0, Number.MAX_SAFE_INTEGER));
}

/** The list request that the flags stand for; members that were not given are left out. */
export async function listRequest(flags: ListFlags): Promise<Record<string, unknown>> {
  const { sort, limit, offset } = flags;
  const page = { ...(offset !== undefined && { offset }), ...(limit !== undefined && { length: limit }) };
  return {
    ...(await filterOf(flags)),
    ...(sort !== undefined && { sort }),
    ...(Object.keys(page).length > 0 && { page }),
  };
}

/** The filter that the flags stand for, all of which must hold; no member when there is none. */
export async function filterOf({ where = [], filter }: ListFlags): Promise<Record<string, unknown>> {
  const given = filter === undefined ? [] : [await readJsonOption('--filter', filter)];
  const operands = [...given, ...where];
  if (operands.length === 0) return {};
  return { filter: operands.length === 1 ? operands[0] : { operator: 'and', operands } };
}

/** A filter with each of its comparisons changed. */
export async function changedFilter(
  filter: unknown,
  change: (comparison: Record<string, unknown>) => Promise<Record<string, unknown>>,
): Promise<unknown> {
  if (!isRecord(filter)) return filter;
  const { operands } = filter;
  if (!Array.isArray(operands)) return change(filter);
  const changed: unknown[] = [];
  for (const one of operands) changed.push(await changedFilter(one, change));
  return { ...filter, operands: changed };
}

/** @throws InvalidArgumentError when the text is no comparison. */
export function readComparison(text: string): Comparison {
  const [, field, sign = '', value = ''] = /^([^=!<>~]+)(!=|<=|>=|=|<|>|~)(.*)$/s.exec(text) ?? [];
  const operator = operators[sign];
  if (field === undefined || operator === undefined)
    throw new InvalidArgumentError('It must be like status=FAILED, id>=100 or name~credit.');
  return { operator, field: field.trim(), value: value.trim() === 'null' ? null : value.trim() };
}

function readSort(text: string): Sort {
  return text.startsWith('-')
    ? { field: text.slice(1), direction: 'desc' }
    : { field: text, direction: 'asc' };
}

/** Gathers what a flag gives each time it is used. */
function more<T>(read: (text: string) => T): (text: string, earlier: T[] | undefined) => T[] {
  return (text, earlier = []) => [...earlier, read(text)];
}
