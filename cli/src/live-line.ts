import type { Terminal } from './terminal.ts';

/** Lines at the foot of the terminal that change in place, while others scroll above them. */
export interface LiveLine {
  /** Redraws them; does nothing where stderr is no terminal. */
  readonly update: (text: string) => void;
  /** Writes a line above. */
  readonly say: (text: string) => void;
  /** Removes them. */
  readonly end: () => void;
}

// A wrapped line could not be erased as one. The terminal cuts it, as it knows the width of characters.
const cut = '\u001b[?7l';
const wrap = '\u001b[?7h';

export function createLiveLine(terminal: Terminal): LiveLine {
  const { stderr } = process;
  if (!terminal.isLive) return { update: () => undefined, say: terminal.say, end: () => undefined };
  let shown = '';
  const update = (text: string) => {
    const erase = eraseOf(shown);
    shown = withinScreen(text, stderr.rows);
    stderr.write(`${erase}${cut}${shown}${wrap}`);
  };
  return {
    update,
    say: (text) => {
      stderr.write(`${eraseOf(shown)}${text}\n${cut}${shown}${wrap}`);
    },
    end: () => {
      stderr.write(eraseOf(shown));
      shown = '';
    },
  };
}

/** Moves to the beginning of the text, and clears the screen from there. */
function eraseOf(text: string): string {
  const up = text.split('\n').length - 1;
  return `\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`;
}

/** Only as many lines as the screen has: those that have scrolled off could not be erased. */
function withinScreen(text: string, rows: number): string {
  return text
    .split('\n')
    .slice(0, Math.max(1, rows - 1))
    .join('\n');
}
