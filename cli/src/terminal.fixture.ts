import pico from 'picocolors';
import type { Terminal } from './terminal.ts';

/** A terminal that keeps the written text. */
export function createWrittenTerminal(width?: number) {
  const out: string[] = [];
  const said: string[] = [];
  const plain = pico.createColors(false);
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    say: (text) => void said.push(text),
    outColors: plain,
    sayColors: plain,
    isLive: false,
    width,
  };
  return { terminal, out, said };
}
