import type { Id } from '@millrace/api';

/**
 * The causes that wake a waiting call: items in a queue, named by its id; a change for the devices of a pool, or for one device; a change
 * by others to items that a user holds; or a new event in the feed.
 */
export type WakeUp = Id | `pool ${Id}` | `device ${Id}` | `holder ${Id}` | 'events';

export const poolWakeUp = (poolId: Id): WakeUp => `pool ${poolId}`;
export const deviceWakeUp = (deviceId: Id): WakeUp => `device ${deviceId}`;
export const holderWakeUp = (userId: Id): WakeUp => `holder ${userId}`;

/** More items than there are waiting calls: all of the calls wake. */
export const allWaiting = 1_000_000;

// A wake-up is a hint and may be missed, especially between servers: waiting calls look again by themselves this often, all at the same
// moment, so that they share a transaction.
const lookMs = 5000;

/** Wakes waiting calls of this server when there may be work for them. */
export class WakeUps {
  readonly #notifiedAt = new Map<WakeUp, number>();
  readonly #waiting = new Map<WakeUp, Set<() => void>>();
  #notifications = 0;
  #isClosed = false;

  /** Whether waiting has ended for good, because the server stops. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The number of notifications so far; to be read before looking for work, so that only later ones are waited for. */
  get notifications(): number {
    return this.#notifications;
  }

  /** Waits until one of the wake-ups is notified after `since`, it is time to look, the time is up, or the caller has gone. */
  wait(names: readonly WakeUp[], since: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    const isNotified = names.some((name) => (this.#notifiedAt.get(name) ?? 0) > since);
    if (this.#isClosed || signal.aborted || isNotified) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#leave(names, wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, lookMs - (Date.now() % lookMs)));
      signal.addEventListener('abort', wake);
      for (const name of names) this.#waiting.set(name, (this.#waiting.get(name) ?? new Set()).add(wake));
    });
  }

  #leave(names: readonly WakeUp[], wake: () => void): void {
    for (const name of names) {
      const waiting = this.#waiting.get(name);
      waiting?.delete(wake);
      if (waiting?.size === 0) this.#waiting.delete(name);
    }
  }

  /** Wakes enough calls for the items: the longest-waiting ones, and some more in case callers have gone. */
  notify(name: WakeUp, items: number): void {
    this.#notifications += 1;
    this.#notifiedAt.set(name, this.#notifications);
    const longest = [...(this.#waiting.get(name) ?? [])].slice(0, 2 * items + 4);
    for (const wake of longest) wake();
  }

  /** Ends all waiting, now and from now on. */
  close(): void {
    this.#isClosed = true;
    const all = new Set([...this.#waiting.values()].flatMap((waiting) => [...waiting]));
    for (const wake of all) wake();
  }
}
