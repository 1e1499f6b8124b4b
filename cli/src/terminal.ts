import pico from 'picocolors';

type Colors = ReturnType<typeof pico.createColors>;

/** The outputs of a command: data on stdout, everything else on stderr. */
export interface Terminal {
  /** Writes a line of data. */
  readonly out: (text: string) => void;
  /** Writes a line for the person at the terminal. */
  readonly say: (text: string) => void;
  /** Colours for `out` and for `say`; without effect where the output is no terminal. */
  readonly outColors: Colors;
  readonly sayColors: Colors;
  /** Whether stderr can be redrawn. */
  readonly isLive: boolean;
  /** Where progress is drawn then; stderr unless it is given. */
  readonly screen?: NodeJS.WritableStream;
  /** Columns of the screen; undefined when the data goes elsewhere and nothing is cut. */
  readonly width: number | undefined;
}

/** The terminal of this process; without colour and movement when `isPlain`, or where it is a file or a pipe. */
export function openTerminal(isPlain: boolean): Terminal {
  const { stdout, stderr } = process;
  // `millrace … | head` closes the pipe early, which is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  return {
    out: (text) => void stdout.write(`${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    outColors: pico.createColors(stdout.isTTY && !isPlain),
    sayColors: pico.createColors(stderr.isTTY && !isPlain),
    isLive: stderr.isTTY && !isPlain,
    width: stdout.isTTY ? stdout.columns : undefined,
  };
}

/**
 * A text from elsewhere, safe to show on a line: control characters, with which it could move the cursor or recolour the
 * screen, and line breaks become spaces.
 */
export function oneLine(text: string): string {
  return withoutControls(text).trim();
}

/** A text from elsewhere, safe to show, on as many lines as it has. */
export function safeLines(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => withoutControls(line).trimEnd());
  return lines.join('\n').trimEnd();
}

function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
