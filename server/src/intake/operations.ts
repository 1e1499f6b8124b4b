import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Id } from '@millrace/api';
import { parse, type CsvError } from 'csv-parse';
import { hashOf } from '../duplicates/rules.ts';
import { Refusal, type ErrorDetail } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { decideIntake } from '../queues/rules.ts';
import { newItem, reservePlaces, storeItems } from '../work-items/create.ts';
import { readFile, refusalOf, type Row } from './rules.ts';

const rowsAtOnce = 2000;
const csv = {
  relax_column_count: true,
  skip_empty_lines: true,
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
  await readRows(context, path, async (rows) => {
    for (const { record } of rows) hashes.push(hashOf(context.queue, record));
  });
  return reservePlaces(context, hashes).catch((error: unknown) => {
    throw error instanceof Refusal ? refusalOf((error.details ?? []).map(inFile), error.code) : error;
  });
}

const firstRow = 2;

/** A problem of an item, told of the row that it came from. */
function inFile({ index = 0, ...detail }: ErrorDetail): ErrorDetail {
  return { row: index + firstRow, ...detail };
}

async function readRows(
  { queue }: QueueContext,
  path: string,
  take: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  await pipeline(createReadStream(path), decode, parse(csv), async (records: AsyncIterable<string[]>) => {
    for await (const rows of portions(readFile(queue, records))) await take(rows);
  });
}

async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
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
  if (error.code?.startsWith('CSV_')) {
    return new Refusal(
      'INVALID_REQUEST',
      `${name} cannot be read as CSV: ${error.message}. Nothing was created.`,
    );
  }
  if ((error.code as string | undefined) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') return error;
  return new Refusal(
    'INVALID_REQUEST',
    `${name} is not UTF-8. Save it as "CSV UTF-8" and send it again. Nothing was created.`,
  );
}
