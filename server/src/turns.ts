export interface Limits {
  /** How many pieces of work run at the same time. */
  readonly atOnce: number;
  /** How many may wait for their turn. */
  readonly waiting: number;
  /** What further ones are told. */
  readonly refusal: () => Error;
}

/** Runs a piece of work when it is its turn. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs pieces of work in order of arrival, a few at a time; when too many wait already, it refuses. */
export function createTurns({ atOnce, waiting, refusal }: Limits): Turns {
  let running = 0;
  const queue: (() => void)[] = [];

  return async (work) => {
    if (running >= atOnce) await wait();
    else running += 1;
    try {
      return await work();
    } finally {
      // The turn goes to the next in line without becoming free in between, or a newcomer could take it.
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };

  function wait(): Promise<void> {
    if (queue.length >= waiting) return Promise.reject(refusal());
    return new Promise((resolve) => void queue.push(resolve));
  }
}

/** Turns for each name by itself: who has much to do keeps only themselves waiting. */
export function createTurnsByName(limits: Limits): (name: string) => Turns {
  const lines = new Map<string, { readonly turns: Turns; pieces: number }>();

  return (name) => async (work) => {
    const line = lines.get(name) ?? { turns: createTurns(limits), pieces: 0 };
    lines.set(name, line);
    line.pieces += 1;
    try {
      return await line.turns(work);
    } finally {
      line.pieces -= 1;
      if (line.pieces === 0) lines.delete(name);
    }
  };
}
