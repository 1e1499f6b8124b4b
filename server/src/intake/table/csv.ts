import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse, type CsvError } from 'csv-parse';
import { withoutMark } from '../../records/formula.rules.ts';
import { lengthOf, type Line, type ReadOptions, type Table } from './cells.rules.ts';
import { kindOf, refusedKinds } from './kinds.rules.ts';
import { isUtf32, oddText } from './odd-text.rules.ts';
import { problemOf, unreadableRow } from './problems.rules.ts';
import { columnLimit, declaresDelimiter, delimiterOf, markedEncoding, unmarkedUtf16 } from './text.rules.ts';
import { utf8Watch } from './utf8.ts';

const startBytes = 64 * 1024;
const linesAtOnce = 500;
/** In characters: rows may be long. */
const lengthAtOnce = 1024 * 1024;
/** Repetitive tables shrink to a hundredth; a greater ratio is made on purpose. */
const mostInflation = 500;
const inflationFreeBytes = 32 * 1024 * 1024;
const mostInflatedBytes = 8 * 1024 ** 3;

/** Opens a text file with rows, either plain or compressed by gzip. */
export async function openCsv(path: string, isPacked: boolean, options: ReadOptions): Promise<Table> {
  const { size } = await stat(path);
  let reading: ReadStream | undefined;
  // A new stream each time.
  const packed = () => (reading = createReadStream(path, { highWaterMark: startBytes }));
  const bytes = () => (isPacked ? unpacked(packed()) : packed());
  const judge = (start: Buffer, isUtf8: boolean) => {
    if (isPacked) refusePacked(start);
    const encoding = encodingOf(start, isUtf8, options);
    const head = new TextDecoder(encoding).decode(start, { stream: true });
    const problem = oddText(head);
    if (problem !== undefined) throw problemOf(problem);
    return { encoding, head };
  };
  const { start, isUtf8 } = await survey(bytes, judge);
  const { encoding, head } = judge(start, isUtf8);
  const delimiter = options.delimiter ?? delimiterOf(head);
  const layout = { format: 'CSV' as const, delimiter, encoding };
  const isSaid = encoding === options.encoding?.toLowerCase();
  const skipped = declaresDelimiter(head) ? 1 : 0;
  const lines = readLines(bytes(), { delimiter, encoding, isSaid, skipped });
  return { layout, lines, share: () => (reading?.bytesRead ?? 0) / Math.max(1, size) };
}

/** The bytes in a compressed file. @throws Refusal, while they are read, when they are far more than a table of its size would have */
function unpacked(packed: ReadStream): Readable {
  return Readable.from(inflate(packed), { objectMode: false, highWaterMark: startBytes });
}

async function* inflate(packed: ReadStream): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: startBytes });
  packed.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  let total = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (isBomb(packed.bytesRead, total)) throw problemOf(refusedKinds.bomb);
      yield chunk;
    }
  } catch (error) {
    throw asDamaged(error as Error);
  } finally {
    packed.destroy();
  }
}

/** Whether the ratio between the bytes shows that the file is no table. */
export function isBomb(packed: number, inflated: number): boolean {
  if (inflated > mostInflatedBytes) return true;
  return inflated > inflationFreeBytes && inflated > packed * mostInflation;
}

function asDamaged(error: Error & { code?: string }): Error {
  if (!error.code?.startsWith('Z_')) return error;
  return problemOf('The compressed file is damaged. Compress it anew with gzip, and send it again');
}

/**
 * Reads a file once, to know its beginning and whether all of it is UTF-8.
 * @param judge throws as soon as the beginning is there, when that is no table: what is compressed may inflate to gigabytes behind it
 */
async function survey(bytes: () => Readable, judge: (start: Buffer, isUtf8: boolean) => unknown) {
  const isUtf8Until = utf8Watch();
  const parts: Buffer[] = [];
  let length = 0;
  let isUtf8 = true;
  for await (const chunk of bytes() as AsyncIterable<Buffer>) {
    const isAtStart = length < startBytes;
    if (isAtStart) parts.push(chunk);
    length += chunk.length;
    isUtf8 &&= isUtf8Until(chunk);
    if (isAtStart && length >= startBytes) judge(Buffer.concat(parts).subarray(0, startBytes), isUtf8);
    if (!isUtf8 && length >= startBytes) break;
  }
  return { start: Buffer.concat(parts).subarray(0, startBytes), isUtf8 };
}

/** @throws Refusal when the compressed file is no text */
function refusePacked(start: Buffer): void {
  const { kind, name = kind === 'zip' ? 'a workbook, or another archive' : 'no text' } = kindOf(start);
  if (kind !== 'text') throw problemOf(refusedKinds.packed(name));
}

/**
 * The encoding from a mark in the file, or else from the caller; without both UTF-8 where the file is valid in it, and the one of Windows
 * for Western Europe otherwise.
 */
function encodingOf(start: Buffer, isUtf8: boolean, { encoding }: ReadOptions): string {
  if (isUtf32(start)) throw problemOf(refusedKinds.utf32);
  const known = markedEncoding(start) ?? encoding?.toLowerCase() ?? unmarkedUtf16(start);
  if (known?.startsWith('utf-16')) return known;
  if (start.includes(0)) throw problemOf(refusedKinds.binary);
  if (known === 'utf-8' && !isUtf8)
    throw problemOf(
      'The file is not UTF-8. Save it as "CSV UTF-8", or say its encoding, as in encoding=windows-1252',
    );
  return known ?? (isUtf8 ? 'utf-8' : 'windows-1252');
}

const otherEncoding = 'Say the encoding that the file is in, or save it as "CSV UTF-8"';

interface Reading {
  readonly delimiter: string;
  readonly encoding: string;
  /** Whether the caller has given the encoding. */
  readonly isSaid: boolean;
  /** Lines at the beginning that are no rows. */
  readonly skipped: number;
}

const parsing = {
  relax_column_count: true,
  // Empty lines count: a row has the number that a spreadsheet shows.
  skip_empty_lines: false,
  max_record_size: 1024 * 1024,
  record_delimiter: ['\r\n', '\n', '\r'],
};

const isMarked = (cell: string) => cell.startsWith("'");

async function* readLines(bytes: Readable, reading: Reading) {
  const { delimiter, skipped } = reading;
  const parser = parse({ ...parsing, delimiter });
  const parsed = pipeline(bytes, decoder(reading), parser);
  // The iteration below meets the failure.
  parsed.catch(() => undefined);
  let [row, lines, length] = [0, [] as Line[], 0];
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      row += 1;
      if (row <= skipped || record.every((cell) => cell === '')) continue;
      lines.push({ row, cells: record.some(isMarked) ? record.map(withoutMark) : record });
      length += lengthOf({ cells: record });
      if (lines.length < linesAtOnce && length < lengthAtOnce) continue;
      yield lines;
      [lines, length] = [[], 0];
    }
  } catch (error) {
    throw unreadable(error as CsvError, row);
  } finally {
    bytes.destroy();
  }
  yield lines;
}

const replaced = '\ufffd';

/** The text of the bytes. @throws Refusal when some are invalid in the encoding given by the caller; UTF-8 was already checked */
function decoder({ encoding, isSaid, delimiter }: Reading) {
  return async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
    const text = new TextDecoder(encoding);
    const rowBehind = columnLimit(delimiter);
    const checked = (part: string) => {
      const place = isSaid && encoding !== 'utf-8' ? part.indexOf(replaced) : -1;
      const row = rowBehind(place < 0 ? part : part.slice(0, place));
      if (place >= 0)
        throw problemOf(`has bytes that are no character in ${encoding}. ${otherEncoding}`, row);
      return part;
    };
    for await (const chunk of chunks) {
      yield checked(text.decode(chunk, { stream: true }));
    }
    yield checked(text.decode());
  };
}

/** The error of a file that becomes unreadable, in words for the person who made it. */
function unreadable(error: CsvError & { records?: number }, row: number): Error {
  const problem = unreadableRow(error.code ?? '');
  return problem === undefined ? error : problemOf(problem, (error.records ?? row) + 1);
}
