import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse, type CsvError } from 'csv-parse';
import { Refusal, type ErrorDetail } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { newItem, storeItems } from '../work-items/create.ts';
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
  const created = await storeFile(context, path).catch((error: unknown) => {
    throw unreadable(name, error as CsvError);
  });
  if (created === 0)
    throw new Refusal('INVALID_REQUEST', `${name} has no rows below its header. Nothing was created.`);
  return { created };
};

/** Reads the file row by row and stores it in portions; the transaction keeps all of it, or nothing. */
async function storeFile(context: QueueContext, path: string): Promise<number> {
  let created = 0;
  await pipeline(createReadStream(path), decode, parse(csv), async (records: AsyncIterable<string[]>) => {
    for await (const rows of portions(readFile(context.queue, records))) {
      await storeRows(context, rows);
      created += rows.length;
    }
  });
  return created;
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

async function storeRows(context: QueueContext, rows: readonly Row[]): Promise<void> {
  const items = rows.map(({ record }) =>
    newItem(context.queue, { json: record }, context.actor.id, context.now),
  );
  try {
    await storeItems(context, items, 'createWorkItemsFromFile');
  } catch (error) {
    throw error instanceof Refusal
      ? refusalOf(
          (error.details ?? []).map((detail) => inFile(rows, detail)),
          error.code,
        )
      : error;
  }
}

/** A problem of an item, told of the row that it came from. */
function inFile(rows: readonly Row[], { index = 0, ...detail }: ErrorDetail): ErrorDetail {
  return { row: rows[index]?.row ?? 0, ...detail };
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
