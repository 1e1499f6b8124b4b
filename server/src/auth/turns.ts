interface Limits {
  /** How many pieces of work run at the same time. */
  readonly atOnce: number;
  /** How many may wait for their turn. */
  readonly waiting: number;
  /** What further ones are told. */
  readonly refusal: () => Error;
}

/** Runs pieces of work in order of arrival, a few at a time; when too many wait already, it refuses. */
export function createTurns({ atOnce, waiting, refusal }: Limits) {
  let running = 0;
  const queue: (() => void)[] = [];

  return async <T>(work: () => Promise<T>): Promise<T> => {
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
