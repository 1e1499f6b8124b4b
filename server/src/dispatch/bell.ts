import type { Id } from '@millrace/api';

// The bell is a hint and may be missed, between servers above all: whoever waits looks again after this time.
const longestWaitMs = 5000;

/** Tells waiting consumers of this server that a queue may have work for them. */
export class Bell {
  readonly #counts = new Map<Id, number>();
  readonly #sleepers = new Map<Id, Set<() => void>>();
  #isClosed = false;

  /** Whether waiting has come to an end, because the server stops. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How often the queue's bell has rung; read it before looking for work, and wait only for what rings after. */
  count(queueId: Id): number {
    return this.#counts.get(queueId) ?? 0;
  }

  /** Waits until the bell of the queue rings beyond `since`, the time is up, or the caller has gone. */
  wait(queueId: Id, since: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#isClosed || signal.aborted || this.count(queueId) !== since) return Promise.resolve();
    return new Promise((resolve) => {
      const asleep = this.#sleepers.get(queueId) ?? new Set();
      this.#sleepers.set(queueId, asleep);
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        asleep.delete(wake);
        if (asleep.size === 0) this.#sleepers.delete(queueId);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, longestWaitMs));
      signal.addEventListener('abort', wake);
      asleep.add(wake);
    });
  }

  /** Rings for so many new items: those wake who have waited longest, and some to spare for callers that have gone. */
  ring(queueId: Id, items: number): void {
    this.#counts.set(queueId, this.count(queueId) + 1);
    const woken = [...(this.#sleepers.get(queueId) ?? [])].slice(0, 2 * items + 4);
    for (const wake of woken) wake();
  }

  /** Ends all waiting, now and from now on. */
  close(): void {
    this.#isClosed = true;
    const everybody = [...this.#sleepers.values()].flatMap((asleep) => [...asleep]);
    for (const wake of everybody) wake();
  }
}
