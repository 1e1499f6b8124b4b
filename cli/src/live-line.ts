import type { Terminal } from './terminal.ts';

/** A line at the foot of the terminal that changes in place, while other lines scroll above it. */
export interface LiveLine {
  /** Draws the line anew; nothing where nothing can move. */
  readonly update: (text: string) => void;
  /** Writes a line above. */
  readonly say: (text: string) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

const clear = '\r\u001b[2K';

export function createLiveLine(terminal: Terminal): LiveLine {
  const { stderr } = process;
  if (!terminal.isLive) return { update: () => undefined, say: terminal.say, end: () => undefined };
  let shown = '';
  const update = (text: string) => {
    // A line that wraps could not be cleared as one.
    shown = text.slice(0, stderr.columns - 1);
    stderr.write(clear + shown);
  };
  return {
    update,
    say: (text) => {
      stderr.write(`${clear}${text}\n`);
      update(shown);
    },
    end: () => {
      stderr.write(clear);
      shown = '';
    },
  };
}
