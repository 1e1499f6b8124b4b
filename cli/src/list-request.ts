import { InvalidArgumentError, type Command } from 'commander';
import { isRecord, readJsonOption } from './body.ts';
import { wholeNumberFrom } from './flags.ts';
import { readTime } from './times.ts';

/** The flags of a list command, as read. */
export interface ListFlags {
  readonly where?: readonly Comparison[];
  readonly filter?: string;
  readonly sort?: readonly Sort[];
  readonly limit?: number;
  readonly offset?: number;
  readonly after?: string;
  /** False to leave out how many rows there are. */
  readonly total?: boolean;
  readonly fields?: readonly string[];
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

const filterShape =
  '{"operator":"and", "operands":[{"operator":"eq|ne|lt|le|gt|ge|substring", "field":"status", "value":"FAILED"}]}';

/** Adds the flags that select rows. */
export function addFilterFlags(command: Command): void {
  command
    .option(
      '--where <comparison>',
      'Only rows such as status=FAILED or updatedOn>=2h ago; operators: = != < <= > >= ~ (repeatable)',
      more(readComparison),
    )
    .option(
      '--filter <json>',
      `A filter as the API takes it: JSON, @file or - for stdin. Form: ${filterShape}`,
    );
}

/** Adds the flag that orders rows. */
export function addSortFlag(command: Command): void {
  command.option('--sort <field>', 'Order by this field, -field for descending (repeatable)', more(readSort));
}

/** Adds the flags that select, order and page rows. */
export function addListFlags(command: Command): void {
  addFilterFlags(command);
  addSortFlag(command);
  command
    .option('--limit <n>', 'Rows at most (200 unless given)', wholeNumberFrom(1, 10_000))
    .option('--offset <n>', 'Rows to skip', wholeNumberFrom(0, Number.MAX_SAFE_INTEGER));
}

/** Adds the flags of lists that may be very long. */
export function addItemListFlags(command: Command): void {
  command
    .option('--after <cursor>', 'Rows behind the place that an earlier list ended at (page.next)')
    .option('--no-total', 'Do not count the rows')
    .option('--fields <names>', 'Only these members of each row, such as id,status,col1', (names: string) =>
      names.split(',').map((name) => name.trim()),
    );
}

/**
 * The list request of the flags; members that were not given are left out.
 * @param times names of the fields that are times
 */
export async function listRequest(
  flags: ListFlags,
  times: readonly string[],
): Promise<Record<string, unknown>> {
  const { sort, limit, offset, after, total, fields } = flags;
  const page = {
    ...(offset !== undefined && { offset }),
    ...(limit !== undefined && { length: limit }),
    ...(after !== undefined && { after }),
    ...(total === false && { total }),
  };
  return {
    ...(await filterOf(flags, times)),
    ...(sort !== undefined && { sort }),
    ...(Object.keys(page).length > 0 && { page }),
    ...(fields !== undefined && { fields }),
  };
}

/**
 * The filter of the flags, all of which must hold; no member when there is none.
 * @param times names of the fields that are times: only in --filter they are as the API takes them
 */
export async function filterOf(
  { where = [], filter }: ListFlags,
  times: readonly string[],
): Promise<Record<string, unknown>> {
  const given = filter === undefined ? [] : [await readJsonOption('--filter', filter)];
  const comparisons = where.map((one) => (times.includes(one.field) ? withInstant(one) : one));
  const operands = [...given, ...comparisons];
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

function withInstant(comparison: Comparison): Comparison {
  const { value } = comparison;
  return { ...comparison, value: value === null ? null : readTime(value) };
}

function readSort(text: string): Sort {
  return text.startsWith('-')
    ? { field: text.slice(1), direction: 'desc' }
    : { field: text, direction: 'asc' };
}

/** Collects the values of a repeatable flag. */
function more<T>(read: (text: string) => T): (text: string, earlier: T[] | undefined) => T[] {
  return (text, earlier = []) => [...earlier, read(text)];
}
