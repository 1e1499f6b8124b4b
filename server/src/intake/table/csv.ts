import { isUtf8 as areUtf8 } from 'node:buffer';
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse, type CsvError } from 'csv-parse';
import { withoutMark } from '../../records/formula.rules.ts';
import { lengthOf, type Line, type ReadOptions, type Table } from './cells.rules.ts';
import { asTable, kindOf, refusedKinds } from './kinds.rules.ts';
import { problemOf, unreadableRow } from './problems.rules.ts';

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

/** Texts that are no tables, by their beginnings, and the advice for each. */
const odd: readonly (readonly [begin: RegExp, sentence: string])[] = [
  [
    /^<\?xml[^]*?(urn:schemas-microsoft-com:office:spreadsheet|progid="Excel\.Sheet")/i,
    'The file is an "XML Spreadsheet 2003", whatever its name ends with. Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)", and send that',
  ],
  [
    /^(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)*<(!doctype\s+html|html|head|body|meta|style|table|div|tr)\b/i,
    'The file is a page of HTML, whatever its name ends with, as some programs write for Excel. Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)" or as "CSV UTF-8", and send that',
  ],
  [
    /^MIME-Version:/i,
    'The file is a web page in one file (.mht). Open it in Excel, save it as "Excel Workbook (.xlsx)", and send that',
  ],
  [/^(<\?xml|<!doctype|<\w+\s+xmlns[:=])/i, `The file is XML, which is no table. ${asTable}`],
  [
    /^(\{\s*("|\}|$)|\[\s*[{[]\s*["\]])/,
    'The file is JSON, which is no table. A program sends its items by createWorkItems (POST /v4/wlm/queues/{id}/workitems), in one body or as lines of JSON; or save them as "CSV UTF-8", and send that',
  ],
  [
    /^ID;PWXL/,
    'The file is a SYLK file (.slk). Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)", and send that',
  ],
];

/** The advice for a text that is no table; undefined where it may be one. */
function oddText(begin: string): string | undefined {
  const text = begin.replace(/^[\ufeff\s]+/, '').slice(0, 4096);
  return odd.find(([pattern]) => pattern.test(text))?.[1];
}

const marks = ['fffe0000', '0000feff'];

/** Whether bytes are text of four bytes a character, which has no decoder here: two or three of the four are zeros. */
function isUtf32(start: Uint8Array): boolean {
  const begin = Buffer.from(start.subarray(0, 4096));
  if (marks.includes(begin.toString('hex', 0, 4))) return true;
  const [first, second, third, fourth] = [0, 1, 2, 3].map((place) => zerosAt(begin, place)) as Zeros;
  const isLittle = fourth > 0.9 && first < 0.1;
  const isBig = first > 0.9 && fourth < 0.1;
  return begin.length >= 16 && (isLittle ? third > 0.9 : isBig && second > 0.9);
}

type Zeros = [number, number, number, number];

/** The share of zeros among the bytes at this place of four. */
function zerosAt(bytes: Buffer, place: number): number {
  const own = bytes.filter((_, index) => index % 4 === place);
  return own.filter((byte) => byte === 0).length / Math.max(1, own.length);
}

/** A function that tells whether all bytes up to now, which come part by part, are UTF-8; a character may be split between two parts. */
function utf8Watch(): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const cut = bytes.length - unfinished(bytes);
    rest = Buffer.from(bytes.subarray(cut));
    return areUtf8(bytes.subarray(0, cut));
  };
}

/** Number of bytes at the end that are the beginning of a character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return missing(byte, back);
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** The present bytes of a character, when others of it are missing. */
function missing(lead: number, present: number): number {
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return present < length ? present : 0;
}

/** Well above the 200 attributes of a model, so that a person learns which columns are too many. */
export const mostColumns = 1000;

const [quote, feed, carriage] = [34, 10, 13];

/**
 * Refuses a row of very many columns before the parser meets it, which would hold all of them in memory to make one row.
 * @returns a function that takes the text of the file, part by part, and returns the row reached; it throws the refusal
 */
function columnLimit(delimiter: string): (text: string) => number {
  const between = delimiter.charCodeAt(0);
  let [row, columns, isQuoted, last] = [1, 1, false, 0];
  return (text) => {
    for (let at = 0; at < text.length; at += 1) {
      const sign = text.charCodeAt(at);
      if (sign === quote) isQuoted = !isQuoted;
      else if (isQuoted) continue;
      else if (sign === between) columns += 1;
      else if (sign === feed || sign === carriage) {
        if (sign === carriage || last !== carriage) row += 1;
        columns = 1;
      }
      if (columns > mostColumns) throw tooManyColumns(row);
      last = sign;
    }
    return row;
  };
}

/** The refusal of a row with very many columns. */
export function tooManyColumns(row: number): Error {
  const message = `has more than ${mostColumns} columns. Leave out those that stand for nothing`;
  return problemOf(message, row);
}

const candidates = [',', ';', '\t', '|'];
const looked = 20;

/**
 * The delimiter of a file, from its beginning: the one with the most consistent number of columns, and of equals the one with the most
 * columns. A comma where there is one column.
 */
function delimiterOf(start: string): string {
  const [, declared] = /^sep=([,;\t|])\r?\n/i.exec(start) ?? [];
  if (declared !== undefined) return declared;
  let best = { delimiter: ',', alike: 0, columns: 1 };
  for (const delimiter of candidates) {
    const counts = columnCounts(start, delimiter);
    const [columns = 1] = counts;
    const alike = counts.filter((count) => count === columns).length / counts.length;
    if (columns < 2) continue;
    if (alike > best.alike || (alike === best.alike && columns > best.columns))
      best = { delimiter, alike, columns };
  }
  return best.delimiter;
}

/** Whether the file begins with the line that declares the delimiter to Excel. */
function declaresDelimiter(start: string): boolean {
  return /^sep=.\r?\n/i.test(start);
}

/** Number of columns in each of the first rows. */
function columnCounts(text: string, delimiter: string): number[] {
  const between = delimiter.charCodeAt(0);
  const counts: number[] = [];
  let [columns, isQuoted, isBlank] = [1, false, true];
  for (let at = 0; at < text.length && counts.length < looked; at += 1) {
    const sign = text.charCodeAt(at);
    const isEnd = !isQuoted && (sign === feed || sign === carriage);
    if (sign === quote) isQuoted = !isQuoted;
    else if (!isQuoted && sign === between) columns += 1;
    if (!isEnd) isBlank = false;
    else {
      if (!isBlank) counts.push(columns);
      [columns, isBlank] = [1, true];
    }
  }
  // The last row may be cut in the middle, unless it is the only one.
  return counts.length === 0 ? [columns] : counts;
}

/** The encoding marked by the first bytes of a file. */
function markedEncoding(start: Uint8Array): string | undefined {
  const [first, second, third] = start;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

/** UTF-16 without a mark, recognized by the zeros in every second byte. */
function unmarkedUtf16(start: Uint8Array): string | undefined {
  const pairs = Math.floor(start.length / 2);
  let [evens, odds] = [0, 0];
  for (let at = 0; at + 1 < start.length; at += 2) {
    if (start[at] === 0) evens += 1;
    if (start[at + 1] === 0) odds += 1;
  }
  if (pairs < 2) return undefined;
  if (odds > pairs * 0.3 && evens < pairs * 0.05) return 'utf-16le';
  return evens > pairs * 0.3 && odds < pairs * 0.05 ? 'utf-16be' : undefined;
}
