import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Id } from '@millrace/api';
import { parse, type CsvError, type Info } from 'csv-parse';
import { hashOf } from '../duplicates/rules.ts';
import { Refusal, type ErrorDetail } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { decideIntake } from '../queues/rules.ts';
import { newItem, reservePlaces, storeItems } from '../work-items/create.ts';
import { isWorkbook, readFile, refusalOf, unreadableRow, workbook, type Line, type Row } from './rules.ts';

const rowsAtOnce = 2000;
const csv = {
  relax_column_count: true,
  skip_empty_lines: true,
  info: true,
  max_record_size: 1024 * 1024,
  record_delimiter: ['\r\n', '\n', '\r'],
};

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
  const refusal = decideIntake(context.queue, context.now);
  if (refusal) throw refusal;
  const created = await storeFile(context, path).catch((error: unknown) => {
    throw unreadable(name, error as CsvError);
  });
  if (created === 0)
    throw new Refusal('INVALID_REQUEST', `${name} has no rows below its header. Nothing was created.`);
  return { created };
};

/** Reads the file row by row and stores it in portions; the transaction keeps all of it, or nothing. */
async function storeFile(context: QueueContext, path: string): Promise<number> {
  const ids = context.queue.disallowDuplicate ? await reserveRows(context, path) : [];
  let created = 0;
  await readRows(context, path, async (rows) => {
    const items = rows.map(({ record }, index) => ({
      ...newItem(context.queue, { json: record }, context.actor.id, context.now),
      id: ids[created + index],
    }));
    await storeItems(context, items, 'createWorkItemsFromFile');
    created += rows.length;
  });
  return created;
}

/** Takes the places of all rows before the first is stored: taken portion by portion, two files would wait for each other. */
async function reserveRows(context: QueueContext, path: string): Promise<Id[]> {
  const hashes: string[] = [];
  const places: number[] = [];
  await readRows(context, path, async (rows) => {
    for (const { row, record } of rows) {
      hashes.push(hashOf(context.queue, record));
      places.push(row);
    }
  });
  /** A problem of an item, told of the row that it came from. */
  const inFile = ({ index = 0, ...detail }: ErrorDetail): ErrorDetail => ({
    row: places[index] ?? 0,
    ...detail,
  });
  return reservePlaces(context, hashes).catch((error: unknown) => {
    throw error instanceof Refusal ? refusalOf((error.details ?? []).map(inFile), error.code) : error;
  });
}

async function readRows(
  { queue }: QueueContext,
  path: string,
  take: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  await pipeline(createReadStream(path), decode, parse(csv), async (records: AsyncIterable<Parsed>) => {
    for await (const rows of portions(readFile(queue, linesOf(records)))) await take(rows);
  });
}

async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && isWorkbook(chunk)) throw workbook();
    isFirst = false;
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}

interface Parsed {
  readonly record: string[];
  readonly info: Info;
}

/** A row has the number that a spreadsheet shows: empty lines count as well, line breaks inside cells do not. */
async function* linesOf(records: AsyncIterable<Parsed>): AsyncGenerator<Line> {
  for await (const { record, info } of records) yield { row: info.records + info.empty_lines, cells: record };
}

async function* portions(rows: AsyncIterable<Row>): AsyncGenerator<Row[]> {
  let portion: Row[] = [];
  for await (const row of rows) {
    portion.push(row);
    if (portion.length < rowsAtOnce) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

/** What cannot be read at all, in words for whoever made the file. */
function unreadable(name: string, error: CsvError): Error {
  const code: string = error.code ?? '';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new Refusal(
      'INVALID_REQUEST',
      `${name} is not UTF-8. Save it as "CSV UTF-8" and send it again. Nothing was created.`,
    );
  }
  const { records, empty_lines: emptyLines } = error as unknown as Info;
  const problem = unreadableRow(code);
  if (problem === undefined) return error;
  return refusalOf([{ row: records + emptyLines + 1, message: problem }], 'INVALID_REQUEST');
}
