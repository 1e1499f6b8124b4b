import { ApiError, type Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { onEvents } from '../live/effects.ts';
import { createStore, type Store } from '../store/store.ts';
import type { Event, EventQuery } from './rules.ts';

/** Events as read so far, from the newest on. */
export interface Feed {
  /** The newest first. */
  readonly events: readonly Event[];
  /** Newer ones that wait until they are asked for, the newest first. */
  readonly fresh: readonly Event[];
  readonly isReading: boolean;
  /** Whether there may be older ones. */
  readonly isMore: boolean;
  /** The approximate number of events scanned without enough matches. */
  readonly looked: number;
  readonly problem?: string;
}

const pageLength = 100;
// More rows than anybody reads make a page slow.
export const mostShown = 1000;
const scanned = 10_000;
const scansAtOnce = 10;
const newerMs = 500;

/** Reads the matching events page by page, and new ones as they come in. */
export class FeedReader {
  readonly feed: Store<Feed> = createStore<Feed>({
    events: [],
    fresh: [],
    isReading: false,
    isMore: true,
    looked: 0,
  });
  readonly #query: EventQuery;
  #older = 'now';
  #newer: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReadingNewer = false;

  constructor(query: EventQuery) {
    this.#query = query;
  }

  /** Reads older events, on through parts of the feed without a match, but not through all of it at once. */
  async readOlder(): Promise<void> {
    if (this.feed.get().isReading) return;
    this.#change({ isReading: true, looked: 0 });
    let found = 0;
    try {
      for (
        let scans = 0;
        scans < scansAtOnce && found < pageLength / 2 && this.feed.get().isMore;
        scans += 1
      ) {
        const { list, cursor, isMore, newest } = await call('listEvents', {
          query: { ...this.#query, before: this.#older, limit: pageLength },
        });
        this.#newer ??= newest;
        this.#older = cursor;
        found += list.length;
        const { events, looked } = this.feed.get();
        this.#change({ events: [...events, ...list], isMore, looked: looked + scanned });
      }
      const { problem: _, ...feed } = this.feed.get();
      this.feed.set({ ...feed, isReading: false, ...(found > 0 && { looked: 0 }) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#change({ isReading: false, isMore: false, problem: error.message });
    }
  }

  /** Reads events as they come in, until the returned function is called. */
  follow(): () => void {
    const stop = onEvents(
      () => (this.#timer ??= setTimeout(() => void this.#readNewer().catch(() => undefined), newerMs)),
    );
    return () => {
      stop();
      clearTimeout(this.#timer);
    };
  }

  /** Moves the waiting events into the list. */
  show(): void {
    const { events, fresh } = this.feed.get();
    this.#change({ events: [...fresh, ...events], fresh: [] });
  }

  async #readNewer(): Promise<void> {
    this.#timer = undefined;
    if (this.#newer === undefined || this.#isReadingNewer) return;
    this.#isReadingNewer = true;
    try {
      const { until: _, ...query } = this.#query;
      for (let isMore = true; isMore;) {
        const page: Schemas['EventPage'] = await call('listEvents', {
          query: { ...query, after: this.#newer, limit: mostShown },
        });
        this.#newer = page.cursor;
        ({ isMore } = page);
        const { fresh } = this.feed.get();
        this.#change({ fresh: [...page.list.toReversed(), ...fresh].slice(0, mostShown) });
      }
    } finally {
      this.#isReadingNewer = false;
    }
  }

  #change(members: Partial<Feed>): void {
    this.feed.set({ ...this.feed.get(), ...members });
  }
}
