import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { signatureOf, stringifyJson } from '@millrace/api';
import { hashOf } from '../duplicates/rules.ts';
import { shownProblems } from '../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import { Sealer, type TenantKeys } from '../engine/vault.ts';
import { rankOf, type JsonRecord } from '../records/record.ts';
import { sortKey } from '../work-items/item/rules.ts';
import { namelessProblems, readHeader, refusalOf, type Column, type HeaderReading } from './header.rules.ts';
import {
  errorOf,
  keptCells,
  readingOf,
  readRow,
  type Row,
  type RowProblem,
  type RowReading,
} from './rows.rules.ts';
import {
  lengthOf,
  shownCell,
  told,
  type Cell,
  type Layout,
  type Line,
  type ReadOptions,
} from './table/cells.rules.ts';
import { openTable } from './table/open.ts';
import { problemOf } from './table/problems.rules.ts';
import { keptLength, keptRows, reasonOf } from './kept.rules.ts';
import type { ValueReading } from './values.rules.ts';

/** The purpose of reading a file: its bytes alone, whether its beginning fits the queue, the unique keys of its rows, or items to store. */
export type Purpose = 'hash' | 'head' | 'keys' | 'items';

/** The caller's options for reading a file. */
export interface FileOptions extends ReadOptions, HeaderReading, ValueReading {}

/** A queue as passed to a thread: plain data, with the keys for sealing where it has sensitive attributes. */
type QueueOfJob = Omit<QueueDefinition, 'sealer'> & { readonly keys: TenantKeys | undefined };

/** A file to read, and everything needed for it. */
export interface Job {
  readonly purpose: Purpose;
  readonly path: string;
  readonly name: string;
  readonly options: FileOptions;
  readonly queue: QueueOfJob;
  readonly priority: number;
  /** The time of arrival of the items. */
  readonly now: Date;
  /** Bad rows become items as well, with status FAILED. */
  readonly keepsBad: boolean;
  /** Bad rows are compared with others as well, where their compared values are good. */
  readonly comparesBad: boolean;
  /** Nobody wants the items themselves: nothing is stored, and no values are added up. */
  readonly isTried: boolean;
}

/** A file to be previewed, of which only the beginning is read. */
export interface SampleJob extends Pick<Job, 'path' | 'name' | 'options'> {
  readonly purpose: 'sample';
  /** Of the model that the rows will be items of; empty where there is no model yet. */
  readonly attributes: readonly Attribute[];
}

/** The reports on a file while it is read. */
export type Told =
  | { readonly kind: 'hash'; readonly hash: string; readonly bytes: number }
  | {
      readonly kind: 'header';
      readonly layout: Layout;
      readonly header: readonly string[];
      readonly keyColumns: readonly KeyColumn[];
    }
  /** A preview of the beginning of the file, as JSON: otherwise its numbers would lose digits between threads. */
  | { readonly kind: 'sample'; readonly json: string }
  | ({ readonly kind: 'portion' } & Portion);

/** A column by which rows are compared. */
export interface KeyColumn {
  /** From 0. */
  readonly index: number;
  /** In the header. */
  readonly name: string;
  readonly attribute: string;
}

/** Some rows of a file, ready to be stored. */
export interface Portion {
  /** Number of rows read for it. */
  readonly read: number;
  /** The part of the file read so far, from 0 to 1. */
  readonly share: number;
  /** The rows of its good items, in order. */
  readonly rows: readonly number[];
  /** The rows compared with others, in order; `cells` has theirs as JSON. */
  readonly compared: readonly number[];
  readonly cells: readonly string[];
  /** The unique keys of these, where they are wanted. */
  readonly hashes: readonly string[];
  /** All of its items as JSON, including bad ones where they are kept. */
  readonly items: string;
  /** The row of each good item, in the order of the items; 0 for a bad one. */
  readonly turns: readonly number[];
  /** The places of the first items in the order of claims, by their turn. */
  readonly first: readonly { readonly turn: number; readonly key: string }[];
  readonly bad: readonly BadRow[];
}

/** A row that does not fit the model. */
export interface BadRow {
  readonly row: number;
  /** Empty for rows after the problems that are shown to people. */
  readonly problems: readonly RowProblem[];
  /** For the first bad rows only: the cells as JSON, and the reason why the row does not fit. */
  readonly kept?: { readonly cells: string; readonly reason: string };
}

const rowsAtOnce = 2000;
/** In characters. */
const lengthAtOnce = 4 * 1024 * 1024;

/** A name of the header, in the form kept for the rows to correct. */
const headerCell = (cell: Cell) => told(shownCell(cell), 1000);

/** Reads a file. @throws Refusal when it is no table, or its header does not fit the model */
export async function* readFile(job: Job): AsyncGenerator<Told> {
  if (job.purpose === 'hash') return yield await hashFile(job.path);
  if (job.purpose === 'head') return readHead(job);
  const { layout, lines, share } = await openTable(job.path, job.options);
  let reading: RowReading | undefined;
  const telling = new Telling(job.purpose);
  for await (const [first, ...others] of inPortions(lines)) {
    if (!first) continue;
    const rows = reading ? [first, ...others] : others;
    if (!reading) {
      const columns = readHeader(job.queue.attributes, first, job.options);
      const beginning = { columns, rows, isText: layout.format === 'CSV' };
      reading = readingOf(job.queue.attributes, job.options, beginning);
      const keyColumns = keyColumnsOf(job.queue, columns);
      yield { kind: 'header', layout, header: first.cells.map(headerCell), keyColumns };
    }
    if (rows.length > 0) yield { ...portionOf(job, { ...reading, telling }, rows), share: share() };
  }
}

/** The lines of a file in portions bounded by number and by size: a portion of many long rows would take all memory. */
export async function* inPortions(lines: AsyncIterable<readonly Line[]>): AsyncGenerator<readonly Line[]> {
  let [waiting, length] = [[] as Line[], 0];
  for await (const part of lines) {
    for (const line of part) {
      waiting.push(line);
      length += lengthOf(line);
      if (waiting.length < rowsAtOnce && length < lengthAtOnce) continue;
      yield waiting;
      [waiting, length] = [[], 0];
    }
  }
  yield waiting;
}

/** Reads some rows. @throws Refusal when these already show that the file is no table, has no rows, or does not fit the queue */
async function readHead({ path, name, options, queue }: Job): Promise<void> {
  const { lines } = await openTable(path, options);
  let columns: readonly Column[] | undefined;
  let rows = 0;
  for await (const part of lines) {
    const [first] = part;
    const below = columns ? part : part.slice(1);
    if (first) columns ??= readHeader(queue.attributes, first, options);
    if (columns) refuseNameless(columns, below, options);
    rows += below.length;
    if (rows >= rowsAtOnce) return;
  }
  if (rows === 0) throw emptyFile(name);
}

/** The refusal of a file without rows. */
export const emptyFile = (name: string) => problemOf(`${name} has no rows below its header`);

function refuseNameless(columns: readonly Column[], lines: readonly Line[], options: FileOptions): void {
  const problems = namelessProblems(columns, lines, options);
  if (problems.length > 0) throw refusalOf(problems, 'INVALID_REQUEST');
}

/** The columns by which rows are compared; empty when all of them are. */
function keyColumnsOf({ uniqueBy }: QueueOfJob, columns: readonly Column[]): KeyColumn[] {
  return columns.flatMap(({ name, attribute }, index) =>
    attribute && uniqueBy.includes(attribute.name) ? [{ index, name, attribute: attribute.name }] : [],
  );
}

async function hashFile(path: string): Promise<Told> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { kind: 'hash', hash: hash.digest('hex'), bytes };
}

/**
 * Limits the reports on bad rows, so that a file of nothing else stays small between threads: only the problems that are shown, and the
 * rows that are kept.
 */
class Telling {
  #problems = 0;
  #rows = 0;
  #length = 0;
  readonly #keeps: boolean;

  constructor(purpose: Purpose) {
    this.#keeps = purpose === 'items';
  }

  of({ row, problems }: Row, cells: () => string): BadRow {
    const isShown = this.#problems < shownProblems;
    this.#problems += problems.length;
    const kept = this.#keeps && this.#rows < keptRows && this.#length < keptLength;
    const more = kept ? { kept: { cells: cells(), reason: reasonOf(problems) } } : {};
    this.#rows += 1;
    this.#length += more.kept ? more.kept.cells.length + more.kept.reason.length : 0;
    return { row, problems: isShown ? problems : [], ...more };
  }
}

function portionOf(
  job: Job,
  { telling, ...reading }: RowReading & { readonly telling: Telling },
  lines: readonly Line[],
) {
  refuseNameless(reading.columns, lines, job.options);
  const textOf = ({ cells }: Row) => JSON.stringify(keptCells(reading, cells));
  const read = lines.map((line) => readRow(reading, line));
  const bad = read
    .filter(({ problems }) => problems.length > 0)
    .map((one) => telling.of(one, () => textOf(one)));
  const good = read.filter(({ problems }) => problems.length === 0);
  const rows = good.map(({ row }) => row);
  const isWanted = job.purpose === 'items' && !job.isTried;
  const stored = isWanted ? itemsOf(job, job.keepsBad ? read : good) : nothing;
  const both = { ...comparedOf(job, read, textOf), ...stored };
  return { kind: 'portion' as const, read: lines.length, rows, bad, ...both };
}

const nothing = { items: '[]', turns: [], first: [] };

/** The rows that may turn out to equal others. */
function comparedOf(
  { purpose, queue, comparesBad }: Job,
  read: readonly Row[],
  textOf: (row: Row) => string,
) {
  if (!queue.disallowDuplicate) return { compared: [], cells: [], hashes: [] };
  const rows = read.filter((row) => row.problems.length === 0 || (comparesBad && hasKey(queue, row)));
  return {
    compared: rows.map(({ row }) => row),
    cells: purpose === 'items' ? rows.map(textOf) : [],
    hashes: purpose === 'keys' ? hashesOf(queue, rows) : [],
  };
}

/** Whether the compared values of a bad row are good. */
function hasKey({ uniqueBy }: QueueOfJob, { problems }: Row): boolean {
  return (
    uniqueBy.length > 0 && problems.every(({ field }) => field !== undefined && !uniqueBy.includes(field))
  );
}

function hashesOf({ keys, ...queue }: QueueOfJob, rows: readonly Row[]): string[] {
  const compared = { ...queue, sealer: keys && new Sealer(keys) };
  return rows.map(({ record }) => hashOf(compared, record));
}

// More would be of no use to a claim: see the low-water marks of queues.
const placesAtMost = 101;

function itemsOf(job: Job, rows: readonly Row[]) {
  const { queue, name } = job;
  const keyOf = keysOf(job);
  const items = rows.map(({ record, problems }, turn) => {
    const key = keyOf(record);
    const error = problems.length > 0 ? errorOf(name, problems) : undefined;
    return { turn, key, error, ...(error && { signature: signatureOf(error) }), json: record };
  });
  const waiting = items.filter(({ error }) => error === undefined).map(({ turn, key }) => ({ turn, key }));
  return {
    items: stringifyJson(items),
    turns: rows.map(({ row, problems }) => (problems.length > 0 ? 0 : row)),
    first: queue.processingOrders.length > 0 ? firstPlaces(waiting) : waiting.slice(0, placesAtMost),
  };
}

/** The place of each record in the order of claims, which is the same for all where the queue orders by no attribute. */
function keysOf({ queue, priority, now }: Job): (record: JsonRecord) => string {
  const keyOf = (record: JsonRecord) => sortKey(priority, rankOf(queue, record), now).toString('hex');
  if (queue.processingOrders.length > 0) return keyOf;
  const same = keyOf({});
  return () => same;
}

/** The first places in the order of claims. */
export function firstPlaces<P extends { readonly key: string }>(places: readonly P[]): P[] {
  return places
    .toSorted((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
    .slice(0, placesAtMost);
}
