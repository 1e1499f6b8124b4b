import type { Place } from './low-water.ts';
import type { TakePlace } from './places.ts';
import type { WakeUp } from './wake-ups.ts';

/** Wakes calls, enough of them for the items; items that have become claimable come with their places. */
export type Wake = (name: WakeUp, items: number, places: readonly Place[]) => void;

/** Requests that a user or tenant has sent to one process. */
export type Spent = readonly [who: 'user' | 'tenant', name: string, requests: number];

/** The other processes of this server, as reached from one of them. A server of one process has none. */
export interface Siblings {
  /** Wakes calls of the other processes, and of other servers. */
  readonly wake: Wake;
  /** Tells the others of requests that came in here, for limits over all of them together. */
  readonly tellRequests: (spent: readonly Spent[]) => void;
  /** Tells whether this process can do work. */
  readonly tellReadiness: (isReady: boolean) => void;
  readonly takePlace: TakePlace;
  /** Processes of the server that are not ready. */
  readonly missing: () => number;
  /** Sets the receivers of messages from the others. */
  readonly hear: (heard: Partial<Heard>) => void;
}

interface Heard {
  readonly wake: Wake;
  readonly requests: (spent: readonly Spent[]) => void;
}
