import type { Client, Id, OperationId } from '@millrace/api';
import { isRecord } from './body.ts';
import { membersOfItem } from './contract.ts';
import { UsageError } from './errors.ts';
import { changedFilter } from './list-request.ts';

type Values = Readonly<Record<string, unknown>>;

const timeoutSeconds = 60;
const findsItems: ReadonlySet<OperationId> = new Set(['listWorkItems', 'updateWorkItemStatus']);

/** Whether an operation finds items of a queue by a filter. */
export function usesDisplayColumns(operationId: OperationId): boolean {
  return findsItems.has(operationId);
}

/** Reads the names of the display columns of a queue when they are asked for, once. */
export function displayColumnsOf(client: Client, id: Id): () => Promise<readonly string[]> {
  let read: Promise<readonly string[]> | undefined;
  return () => {
    read ??= client
      .getQueue({ path: { id } }, { timeoutSeconds })
      .then(({ displayColumns = [] }) => displayColumns);
    return read;
  };
}

/**
 * Replaces names of display columns in filter and sort by col1 to col10. A member that items have themselves, such as
 * status, wins over a column of the same name.
 * @throws UsageError that names the columns there are
 */
export async function withColumns(
  request: unknown,
  columns: () => Promise<readonly string[]>,
): Promise<unknown> {
  if (!isRecord(request)) return request;
  const own = new Set(membersOfItem());
  const columnOf = async (field: unknown) =>
    typeof field !== 'string' || own.has(field) ? field : columnNamed(field, await columns());
  const renamed = async <T extends Values>(one: T) => ({ ...one, ...(await fieldOf(one, columnOf)) });
  const { filter, sort } = request;
  const sorted: unknown[] = [];
  for (const one of Array.isArray(sort) ? (sort as Values[]) : []) sorted.push(await renamed(one));
  return {
    ...request,
    ...(filter !== undefined && { filter: await changedFilter(filter, renamed) }),
    ...(Array.isArray(sort) && { sort: sorted }),
  };
}

/** Replaces the data of items by their display columns, under the present names of the columns. */
export function underColumns(list: readonly Values[], names: readonly string[]): Values[] {
  return list.map(({ json: _, ...item }) => ({
    ...item,
    json: Object.fromEntries(names.map((name, index) => [name, item[`col${String(index + 1)}`]])),
  }));
}

async function fieldOf(
  { field }: Values,
  columnOf: (field: unknown) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  return field === undefined ? {} : { field: await columnOf(field) };
}

function columnNamed(field: string, names: readonly string[]): string {
  const index = names.indexOf(field);
  if (index !== -1) return `col${String(index + 1)}`;
  const columns =
    names.length > 0 ? `Its display columns are ${names.join(', ')}` : 'It has no display columns';
  throw new UsageError(
    `Items of this queue have no "${field}" to filter or sort by. ${columns}; what else there is says --help.`,
  );
}
