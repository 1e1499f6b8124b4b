import type { KeyedRow } from '../duplicates/file-keys.ts';
import { inWhat } from '../duplicates/rules.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import type { KeyColumn, Portion } from './portions.ts';
import { shortened, type RowProblem } from './rows.rules.ts';
import { shownCell, type Cell } from './table/cells.rules.ts';
import type { Duplicate } from './tally.ts';

/** The rows of a portion without a key of their own, because others hold it. */
export function duplicatesIn(
  queue: QueueDefinition,
  { compared, cells }: Portion,
  keyed: readonly KeyedRow[],
  columns: readonly KeyColumn[],
): Duplicate[] {
  const cellsByRow = new Map(compared.map((row, index) => [row, cells[index]]));
  return keyed
    .filter(({ holderId }) => holderId !== undefined)
    .map((one) => {
      const own = cellsByRow.get(one.row);
      return { problem: { row: one.row, ...placeOf(columns, own), ...equality(queue, one) }, cells: own };
    });
}

/** The item or row that a row equals. */
function equality(
  queue: QueueDefinition,
  { holderId, holderRow }: KeyedRow,
): Pick<RowProblem, 'reason' | 'itemId'> {
  if (holderRow !== undefined) return { reason: `equals row ${holderRow}${inWhat(queue)}` };
  return {
    reason: `equals item ${holderId}${inWhat(queue)}`,
    ...(holderId !== undefined && { itemId: holderId }),
  };
}

/** The compared columns, with their values. Sensitive cells are masked already. */
function placeOf(columns: readonly KeyColumn[], cells: string | undefined): Partial<RowProblem> {
  const [first, second] = columns;
  if (!first || cells === undefined) return {};
  const all = JSON.parse(cells) as Cell[];
  const values = columns.map(({ index }) => shownCell(all[index] ?? ''));
  return {
    column: columns.map(({ name }) => name).join(', '),
    ...(!second && { field: first.attribute }),
    value: shortened(values.join(', ')),
  };
}
