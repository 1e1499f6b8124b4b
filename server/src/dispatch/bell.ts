import type { Id } from '@millrace/api';

/** Tells waiting consumers that a queue may have work for them. */
export interface Bell {
  /** How often the queue's bell has rung; read it before looking for work, and wait only for what rings after. */
  count(queueId: Id): number;
  /** Waits until the bell of the queue rings beyond `since`, the time is up, or the caller has gone. */
  wait(queueId: Id, since: number, milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Rings for so many new items. */
  ring(queueId: Id, items: number): void;
  /** Ends all waiting, now and from now on. */
  close(): void;
  isClosed(): boolean;
}

// The bell is a hint and may be missed, between servers above all: whoever waits looks again after this time.
const longestWait = 5000;

/** The bell of this server; `createPerform` rings it after commits, other servers' rings reach it by the database. */
export function createBell(): Bell {
  const counts = new Map<Id, number>();
  const sleepers = new Map<Id, Set<() => void>>();
  let closed = false;

  function wait(queueId: Id, since: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (closed || signal.aborted || (counts.get(queueId) ?? 0) !== since) return Promise.resolve();
    return new Promise((resolve) => {
      const asleep = sleepers.get(queueId) ?? new Set();
      sleepers.set(queueId, asleep);
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        asleep.delete(wake);
        if (asleep.size === 0) sleepers.delete(queueId);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, longestWait));
      signal.addEventListener('abort', wake);
      asleep.add(wake);
    });
  }

  function ring(queueId: Id, items: number): void {
    counts.set(queueId, (counts.get(queueId) ?? 0) + 1);
    // Those who have waited longest, and some to spare for callers that have gone or lose to others.
    const woken = [...(sleepers.get(queueId) ?? [])].slice(0, 2 * items + 4);
    for (const wake of woken) wake();
  }

  function close(): void {
    closed = true;
    for (const asleep of [...sleepers.values()]) for (const wake of [...asleep]) wake();
  }

  return { count: (queueId) => counts.get(queueId) ?? 0, wait, ring, close, isClosed: () => closed };
}
