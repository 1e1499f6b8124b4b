import type { Readable } from 'node:stream';

/** Callbacks for the lines of a stream. */
export interface LineReader {
  /** A line without its end. */
  readonly onLine: (line: string) => void;
  /** A line is longer than the limit; nothing more is read. Without it, long lines lose their beginning. */
  readonly onTooLong?: () => void;
}

/** Reads a stream line by line; the rest behind the last line end is a line as well. */
export function readLines(stream: Readable, maxCharacters: number, reader: LineReader): void {
  const { onLine, onTooLong } = reader;
  let rest = '';
  let isOver = false;
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    if (isOver) return;
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
    if (rest.length <= maxCharacters) return;
    if (onTooLong === undefined) rest = rest.slice(-maxCharacters);
    else {
      isOver = true;
      rest = '';
      onTooLong();
    }
  });
  stream.on('end', () => rest !== '' && onLine(rest));
  // A broken pipe has said all it will say; the exit of the process tells the rest.
  stream.on('error', () => undefined);
}
