import type { Work } from '../item.ts';

/** The tools of an item, for tests, and a record of their use. */
export interface Hands extends Work {
  readonly lines: string[];
  readonly told: unknown[];
}

/** @param marked the answer to the mark of the point of no return */
export function hands(signal = new AbortController().signal, marked = () => Promise.resolve()): Hands {
  const lines: string[] = [];
  const told: unknown[] = [];
  const tell = (what: unknown) => void told.push(what);
  return {
    lines,
    told,
    signal,
    log: (line) => void lines.push(line),
    progress: (percent, text) => Promise.resolve(tell({ percent, text })),
    pointOfNoReturn: () => {
      tell('point of no return');
      return marked();
    },
    tag: (...tags) => tell({ tags }),
    resultText: (text) => tell({ resultText: text }),
  };
}
