/** Work that goes on after the answer to its call. Stopping the server ends it. */
export class Background {
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  /** @param work handles its own failures; its signal aborts when the server stops */
  readonly begin = (work: (signal: AbortSignal) => Promise<void>): void => {
    const done = work(this.#stopping.signal).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  };

  /** Settles when no work is under way. */
  readonly settled = (): Promise<unknown> => Promise.allSettled(this.#underWay);

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#underWay);
  }
}
