import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse, type CsvError } from 'csv-parse';
import { Refusal, type ErrorDetail } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { newItem, storeItems } from '../work-items/create.ts';
import type { NewItem } from '../work-items/sql.ts';
import { readHeader, readRow, type Columns } from './rules.ts';

const rowsAtOnce = 2000;
const shownProblems = 100;
const maxRecordBytes = 1024 * 1024;

/** The uploaded file, as it lies on disk. */
interface File {
  readonly path: string;
  readonly name: string;
}

export const createWorkItemsFromFile: QueueOperation<'createWorkItemsFromFile'> = async (
  context,
  { body },
) => {
  const { path, name } = body as File;
  const created = await refuseUnreadable(name, () => readFile(context, path));
  if (created === 0)
    throw new Refusal('INVALID_REQUEST', `${name} has no rows below its header. Nothing was created.`);
  return { created };
};

/** Reads the file row by row and stores what fits in portions; the transaction keeps all of it, or nothing. */
async function readFile(context: QueueContext, path: string): Promise<number> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRecordBytes,
    record_delimiter: ['\r\n', '\n', '\r'],
  });
  let created = 0;
  await pipeline(createReadStream(path), parser, async (records: AsyncIterable<string[]>) => {
    for await (const items of portions(context, records)) {
      await storeItems(context, context.actor.id, items, 'createWorkItemsFromFile');
      created += items.length;
    }
  });
  return created;
}

async function* portions(context: QueueContext, records: AsyncIterable<string[]>): AsyncGenerator<NewItem[]> {
  const { queue, now } = context;
  let columns: Columns | undefined;
  let row = 0;
  let items: NewItem[] = [];
  const problems: ErrorDetail[] = [];
  for await (const cells of records) {
    row += 1;
    if (!columns) {
      columns = headerOf(context, cells);
      continue;
    }
    const read = readRow(queue.attributes, columns, cells, row);
    problems.push(...read.problems);
    if (problems.length >= shownProblems) break;
    if (problems.length === 0) items.push(newItem(queue, { json: read.record }, now));
    if (items.length < rowsAtOnce) continue;
    yield items;
    items = [];
  }
  if (problems.length > 0) throw refusalOf(problems);
  if (items.length > 0) yield items;
}

function headerOf({ queue }: QueueContext, cells: string[]): Columns {
  const { columns, problems } = readHeader(queue.attributes, cells);
  if (problems.length > 0) throw refusalOf(problems);
  return columns;
}

function refusalOf(problems: readonly ErrorDetail[]): Refusal {
  const [first] = problems;
  const place = [`Row ${first?.row}`, first?.field].filter(Boolean).join(', ');
  return new Refusal('INVALID_REQUEST', `${place}: ${first?.message}. Nothing was created.`, {
    details: problems.slice(0, shownProblems),
  });
}

/** What the parser could not read, in words for whoever made the file. */
async function refuseUnreadable<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as CsvError;
    if (!code?.startsWith('CSV_')) throw error;
    throw new Refusal('INVALID_REQUEST', `${name} cannot be read as CSV: ${message}. Nothing was created.`);
  }
}
