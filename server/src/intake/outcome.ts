import type { Id } from '@millrace/api';
import { shownProblems, type ErrorDetail } from '../engine/errors.ts';
import { refusalOf } from './header.rules.ts';
import { KeptRows, reasonOf } from './kept.rules.ts';
import type { OnError } from './options.rules.ts';
import { firstPlaces, type BadRow, type KeyColumn, type Portion } from './portions.ts';
import { sentenceOf, type RowProblem } from './rows.rules.ts';
import type { Layout } from './table/cells.rules.ts';

/** The outcome of the rows of a file so far. */
export class FileOutcome {
  readonly #onError: OnError;
  readonly #isRefused: boolean;
  #isAllDuplicates = true;
  layout: Layout = { format: 'CSV' };
  header: readonly string[] = [];
  keyColumns: readonly KeyColumn[] = [];
  readonly kept = new KeptRows();
  /** Of attributes, by their names, as JSON. */
  sums: string | undefined;
  read = 0;
  created = 0;
  rejected = 0;
  duplicates = 0;
  readonly problems: RowProblem[] = [];
  /** The first items in the order of claims. */
  places: readonly { readonly key: string; readonly id: Id }[] = [];

  /** @param isRefused whether problems are already known for which nothing is to be stored */
  constructor(onError: OnError, isRefused = false) {
    this.#onError = onError;
    this.#isRefused = isRefused;
  }

  /** Notes rows that do not fit, and duplicates. @throws Refusal where nothing is to be stored then, and enough are known */
  note(bad: readonly BadRow[], duplicates: readonly Duplicate[] = []): void {
    this.rejected += bad.length;
    this.duplicates += duplicates.length;
    for (const { row, kept } of bad) if (kept) this.kept.add({ row, ...kept });
    for (const { cells, problem } of duplicates)
      if (cells !== undefined) this.kept.add({ row: problem.row, cells, reason: reasonOf([problem]) });
    if (bad.length > 0) this.#isAllDuplicates = false;
    if (this.isFull) return this.refuse();
    const problems = [...bad.flatMap((one) => one.problems), ...duplicates.map(({ problem }) => problem)];
    const first = problems.toSorted((one, other) => one.row - other.row);
    this.problems.push(...first.slice(0, shownProblems - this.problems.length));
    if (this.isFull) this.refuse();
  }

  /** Whether as many problems are known as are reported. */
  get isFull(): boolean {
    return this.problems.length >= shownProblems;
  }

  noteStored(portion: Portion, ids: readonly { readonly turn: number; readonly id: Id }[]): void {
    const idByTurn = new Map(ids.map(({ turn, id }) => [turn, id]));
    this.#noteItems(portion, idByTurn);
    const first = portion.first.flatMap(({ turn, key }) => {
      const id = idByTurn.get(turn);
      return id === undefined ? [] : [{ key, id }];
    });
    this.places = firstPlaces([...this.places, ...first]);
  }

  /** Whether nothing is to be stored, because there are problems. */
  get isRefused(): boolean {
    return this.#onError === 'reject' && (this.#isRefused || this.problems.length > 0);
  }

  /** @throws Refusal where nothing is to be stored, because there are problems */
  refuse(): void {
    if (!this.isRefused) return;
    const details = this.problems.map(detailOf).toSorted((one, other) => (one.row ?? 0) - (other.row ?? 0));
    throw refusalOf(details, this.#isAllDuplicates ? 'DUPLICATE' : 'INVALID_REQUEST');
  }

  /** Notes the items made from bad rows. */
  #noteItems({ turns, bad }: Portion, idByTurn: ReadonlyMap<number, Id>): void {
    const ofBad = turns.flatMap((row, turn) => (row === 0 ? [idByTurn.get(turn)] : []));
    const idByRow = new Map(bad.map(({ row }, index) => [row, ofBad[index]]));
    for (const [row, id] of idByRow) if (id !== undefined) this.kept.noteItem(row, id);
    for (const [place, problem] of this.problems.entries()) {
      const itemId = idByRow.get(problem.row);
      if (itemId !== undefined) this.problems[place] = { ...problem, itemId };
    }
  }
}

/** A row that equals another, with its cells as JSON. */
export interface Duplicate {
  readonly problem: RowProblem;
  readonly cells: string | undefined;
}

function detailOf(problem: RowProblem): ErrorDetail {
  const { row, field, itemId } = problem;
  const message = sentenceOf(problem);
  return { row, ...(field !== undefined && { field }), ...(itemId !== undefined && { itemId }), message };
}
