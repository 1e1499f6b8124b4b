import type { Id } from '@millrace/api';
import { sentenceOf, type RowProblem } from './rows.rules.ts';

/** Rows of a file that are kept for a person to correct. */
export const keptRows = 10_000;
export const keptLength = 8 * 1024 * 1024;

/** A row that did not come in as it should have. */
export interface KeptRow {
  readonly row: number;
  /** As JSON. */
  readonly cells: string;
  readonly reason: string;
}

/** The first rows that did not come in, within bounds. */
export class KeptRows {
  #length = 0;
  readonly #places = new Map<number, number>();
  readonly list: KeptRow[] = [];

  add({ row, cells, reason }: KeptRow): void {
    if (this.list.length >= keptRows) return;
    this.#length += cells.length + reason.length;
    if (this.#length > keptLength) return;
    this.#places.set(row, this.list.length);
    this.list.push({ row, cells, reason });
  }

  /** Notes the item made from a row. */
  noteItem(row: number, id: Id): void {
    const place = this.#places.get(row) ?? -1;
    const kept = this.list[place];
    if (kept) this.list[place] = { ...kept, reason: `${kept.reason}; it is item ${id}, which is FAILED` };
  }
}

const longestReason = 2000;

/** The problems of a row, column by column. */
export function reasonOf(problems: readonly RowProblem[]): string {
  const sentences = problems.map((problem) => {
    const place = problem.column ?? problem.field;
    return `${place === undefined ? '' : `${place}: `}${sentenceOf(problem)}`;
  });
  return sentences.join('; ').replaceAll('\0', '').slice(0, longestReason);
}
