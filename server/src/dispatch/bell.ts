import type { Id } from '@millrace/api';

/**
 * What a bell rings for: items in a queue, named by its id; what has changed for the devices of a pool or for one; that
 * others have done something to items which a user holds; or that something is on record which readers of the feed want to know.
 */
export type BellName = Id | `pool ${Id}` | `device ${Id}` | `holder ${Id}` | 'events';

export const poolBell = (poolId: Id): BellName => `pool ${poolId}`;
export const deviceBell = (deviceId: Id): BellName => `device ${deviceId}`;
export const holderBell = (userId: Id): BellName => `holder ${userId}`;

/** More than can wait at a bell: all of them wake. */
export const everybody = 1_000_000;

// The bell is a hint and may be missed, between servers above all: sleepers look again by themselves so often, all at the
// same moment, so that their looks share a transaction.
const lookMs = 5000;

/** Tells callers of this server that wait for work where there may be some. */
export class Bell {
  readonly #rungAt = new Map<BellName, number>();
  readonly #sleepers = new Map<BellName, Set<() => void>>();
  #rings = 0;
  #isClosed = false;

  /** Whether waiting has come to an end, because the server stops. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How often bells have rung; read it before looking for work, and wait only for what rings after. */
  get rings(): number {
    return this.#rings;
  }

  /** Waits until one of the bells has rung after `since`, it is time to look, the time is up, or the caller has gone. */
  wait(names: readonly BellName[], since: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    const hasRung = names.some((name) => (this.#rungAt.get(name) ?? 0) > since);
    if (this.#isClosed || signal.aborted || hasRung) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#leave(names, wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, lookMs - (Date.now() % lookMs)));
      signal.addEventListener('abort', wake);
      for (const name of names) this.#sleepers.set(name, (this.#sleepers.get(name) ?? new Set()).add(wake));
    });
  }

  #leave(names: readonly BellName[], wake: () => void): void {
    for (const name of names) {
      const asleep = this.#sleepers.get(name);
      asleep?.delete(wake);
      if (asleep?.size === 0) this.#sleepers.delete(name);
    }
  }

  /** Rings for so many items: those wake who have waited longest, and some to spare for callers that have gone. */
  ring(name: BellName, items: number): void {
    this.#rings += 1;
    this.#rungAt.set(name, this.#rings);
    const woken = [...(this.#sleepers.get(name) ?? [])].slice(0, 2 * items + 4);
    for (const wake of woken) wake();
  }

  /** Ends all waiting, now and from now on. */
  close(): void {
    this.#isClosed = true;
    const all = new Set([...this.#sleepers.values()].flatMap((asleep) => [...asleep]));
    for (const wake of all) wake();
  }
}
