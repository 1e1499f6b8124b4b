import type { Readable } from 'node:stream';

/** A line of a body that is not empty. */
export interface Line {
  /** In the body, from 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

// As many as one transaction stores without holding others up.
const linesAtOnce = 500;
const bytesAtOnce = 1024 * 1024;
// An item has 1,000,000 characters of data at most, each of up to six bytes.
export const longestLine = 8 * 1024 * 1024;

/** Reads the lines of a body. */
export class LineReader {
  readonly #portions: AsyncGenerator<Line[]>;
  /** Lines that were read and are not taken yet. */
  #ahead: Line[] = [];

  constructor(body: Readable) {
    this.#portions = portionsOf(body);
  }

  /** The next lines; none when the body has ended. */
  async next(): Promise<Line[]> {
    const ahead = this.#ahead;
    this.#ahead = [];
    if (ahead.length > 0) return ahead;
    const next = await this.#portions.next();
    return next.done ? [] : next.value;
  }

  /**
   * Lines that were just taken, with more of them or fewer, so that they end with that of this number; or before, where the body has no more,
   * or they are longer than those that are taken at a time.
   */
  async until(last: number, taken: readonly Line[]): Promise<Line[]> {
    const lines = [...taken];
    while ((lines.at(-1)?.number ?? 0) < last && sizeOf(lines) <= bytesAtOnce + longestLine) {
      const more = await this.next();
      if (more.length === 0) break;
      lines.push(...more);
    }
    const end = lines.findIndex(({ number }) => number > last);
    if (end === -1) return lines;
    this.#ahead = lines.splice(end);
    return lines;
  }
}

function sizeOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** The lines of a body, some at a time: as many as are there when the sender pauses, who may wait for what becomes of them. */
async function* portionsOf(body: Readable): AsyncGenerator<Line[]> {
  let [lines, size, number] = [[] as Line[], 0, 0];
  let rest: Buffer[] = [];
  const end = (last: Buffer) => {
    const bytes = withoutReturn(Buffer.concat([...rest, last]));
    rest = [];
    number += 1;
    if (bytes.length > 0) lines.push({ number, bytes });
    size += bytes.length;
  };
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      end(chunk.subarray(from, at));
      from = at + 1;
      if (lines.length < linesAtOnce && size < bytesAtOnce) continue;
      yield lines;
      [lines, size] = [[], 0];
    }
    // The rest of a line that is too long is let go; its length alone is remembered, by one byte too many.
    if (from < chunk.length) rest = bounded([...rest, chunk.subarray(from)]);
    if (lines.length === 0 || body.readableLength > 0) continue;
    yield lines;
    [lines, size] = [[], 0];
  }
  if (rest.length > 0) end(Buffer.alloc(0));
  if (lines.length > 0) yield lines;
}

function bounded(pieces: Buffer[]): Buffer[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return length <= longestLine ? pieces : [Buffer.alloc(longestLine + 1)];
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes;
}
