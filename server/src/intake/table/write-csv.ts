import { inSlices, type Interruptible } from '../../engine/slices.ts';
import { defused } from '../../records/formula.rules.ts';
import { shownCell, type Cell } from './cells.rules.ts';

/** The form of a text file to write. */
interface Writing {
  readonly delimiter: string;
  readonly encoding: string;
}

/**
 * Rows as a text file, with a byte order mark where the encoding has one. If a character does not exist in the encoding, the file is UTF-8.
 */
export function csvOf(rows: readonly (readonly Cell[])[], { delimiter, encoding }: Writing): Promise<Buffer> {
  return inSlices(write(rows, delimiter, encoding));
}

function* write(
  rows: readonly (readonly Cell[])[],
  delimiter: string,
  encoding: string,
): Interruptible<Buffer> {
  const encode = yield* encoderFor(encoding);
  const parts: Buffer[] = [encode(mark) ?? Buffer.of()];
  for (const cells of rows) {
    const line = encode(`${cells.map((cell) => quoted(writtenCell(cell), delimiter)).join(delimiter)}\r\n`);
    if (!line) return yield* write(rows, delimiter, 'utf-8');
    parts.push(line);
    yield;
  }
  return Buffer.concat(parts);
}

/** Adds the apostrophe before possible formulas again, which was removed when the file was read. */
const writtenCell = (cell: Cell) =>
  isNumber.test(shownCell(cell)) ? shownCell(cell) : defused(shownCell(cell));

const isNumber = /^[-+]?\d[\d.,' ]*(e[-+]?\d+)?$/i;

function quoted(text: string, delimiter: string): string {
  const isPlain = !text.includes(delimiter) && !/["\r\n]|^\s|\s$/.test(text);
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}

const mark = '\ufeff';

/** Returns undefined for a text that does not exist in the encoding; a byte order mark is dropped where it means nothing. */
type Encode = (text: string) => Buffer | undefined;

function* encoderFor(encoding: string): Interruptible<Encode> {
  if (encoding === 'utf-8') return (text) => Buffer.from(text);
  if (encoding === 'utf-16le') return (text) => Buffer.from(text, 'utf16le');
  if (encoding === 'utf-16be') return (text) => Buffer.from(text, 'utf16le').swap16();
  const bytesOf = tables.get(encoding) ?? (yield* tableOf(encoding));
  tables.set(encoding, bytesOf);
  return (text) => {
    const bytes: number[] = [];
    for (const sign of text) {
      const found = bytesOf.get(sign);
      if (!found) return undefined;
      bytes.push(...found);
    }
    return Buffer.from(bytes);
  };
}

type Table = ReadonlyMap<string, readonly number[]>;

const tables = new Map<string, Table>();

/** The bytes of each character, found by decoding all sequences: Node decodes encodings, but encodes few. */
function* tableOf(encoding: string): Interruptible<Table> {
  const decoder = new TextDecoder(encoding);
  const table = new Map<string, readonly number[]>();
  const note = (...bytes: number[]) => {
    const text = decoder.decode(Uint8Array.from(bytes));
    if ([...text].length === 1 && text !== '\ufffd' && !table.has(text)) table.set(text, bytes);
  };
  for (let byte = 0; byte < 256; byte += 1) note(byte);
  if (/^(windows|iso)-/.test(encoding)) return table;
  for (let lead = 0x81; lead < 0xff; lead += 1) {
    for (let trail = 0x40; trail < 0xff; trail += 1) note(lead, trail);
    yield;
  }
  return table;
}
