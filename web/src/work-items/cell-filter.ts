import type { Schemas } from '@millrace/api';
import { allOf, FilterProblem, parse, partsOf, print, type Filter } from '../filters/parse.ts';
import { maskText } from '../json/masks.ts';
import type { Item } from './queries.ts';

const plain = new Set(['id', 'status', 'priority', 'retryCount', 'failureKind', 'deviceId']);
const longest = 200;

function equal(field: string, value: string | null): Filter {
  return { is: 'compare', field, sign: ':', value };
}

/** The comparison that selects the items with the same value in a column; undefined where there is none, as for times and masks. */
function sameAs(queue: Schemas['Queue'], item: Item, column: string): Filter | undefined {
  if (plain.has(column)) return equal(column, textOf(item[column as 'priority']));
  if (column === 'error') return sameError(item.error ?? '');
  if (column === 'tags') return item.tags?.[0] === undefined ? undefined : equal('tag', item.tags[0]);
  return sameAttribute(queue, item, column);
}

function textOf(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function sameError(error: string): Filter {
  const [line = ''] = error.split('\n', 1);
  if (line === '') return equal('error', null);
  return { is: 'compare', field: 'error', sign: '~', value: line.slice(0, longest) };
}

function sameAttribute(queue: Schemas['Queue'], item: Item, column: string): Filter | undefined {
  const name = queue.displayColumns?.[Number(/^col(\d+)$/.exec(column)?.[1]) - 1];
  const value = item[column as 'col1'] ?? null;
  if (name === undefined || value === maskText || (value?.length ?? 0) > longest) return undefined;
  return equal(/^\w+$/.test(name) ? name : column, value);
}

/** The filters of a list by a cell: only items with its value, and none of them. */
export interface CellFilters {
  readonly only: string;
  readonly without: string;
}

/** @param q the present filter @returns undefined where a cell cannot be filtered by */
export function filtersBy(
  q: string,
  queue: Schemas['Queue'],
  item: Item,
  column: string,
): CellFilters | undefined {
  const part = sameAs(queue, item, column);
  if (!part) return undefined;
  try {
    const parts = partsOf(parse(q));
    return {
      only: print(allOf([...parts, part])),
      without: print(allOf([...parts, { is: 'not', of: part }])),
    };
  } catch (error) {
    if (error instanceof FilterProblem) return undefined;
    throw error;
  }
}
