import type { Id } from '@millrace/api';
import { markAfterArrival, markAfterLook, type Place } from './low-water.rules.ts';
import type { WakeUp } from './wake-ups.ts';

type Mark = NonNullable<ReturnType<typeof markAfterLook>>;

/** The start of a look, and the items below it that are looked up one by one. */
type Start = Pick<Mark, 'from' | 'below'>;

/** The findings of a look, for the mark. */
export type Found = Omit<Parameters<typeof markAfterLook>[1], 'mark' | 'arrived'>;

const theStart: Start = { from: { sortKey: Buffer.alloc(0), id: 0 }, below: [] };

interface State {
  mark: Mark | undefined;
  /** Items that become claimable during each look under way. */
  readonly looks: Set<Place[]>;
}

/**
 * The low-water marks of queues, as known to this server. One arises where a look at the claimable items of a queue walks over many index
 * entries in vain, as happens while a transaction elsewhere stays open; docs/decisions/0012.
 */
export class LowWaterMarks {
  readonly #states = new Map<WakeUp, State>();
  readonly #wake: (queueId: Id) => void;

  /**
   * @param wake is called at the end of a mark, for calls that wait for items of the queue: the items that it hid from them are found now.
   */
  constructor(wake: (queueId: Id) => void) {
    this.#wake = wake;
  }

  /** Looks at the claimable items of a queue, starting from its mark. */
  async look<T>(queueId: Id, run: (start: Start) => Promise<readonly [T, Found]>): Promise<T> {
    const state = this.#states.get(queueId) ?? { mark: undefined, looks: new Set() };
    this.#states.set(queueId, state);
    const mark = state.mark && state.mark.until > performance.now() ? state.mark : undefined;
    const arrived: Place[] = [];
    state.looks.add(arrived);
    try {
      const [result, found] = await run(mark ?? theStart);
      state.mark = markAfterLook(state.mark, { mark, arrived, ...found }, performance.now());
      if (!mark && state.mark) this.#wakeAtEnd(queueId, state.mark);
      return result;
    } finally {
      state.looks.delete(arrived);
      if (!state.mark && state.looks.size === 0) this.#states.delete(queueId);
    }
  }

  /**
   * To be called with each wake-up after its commit, before waiting calls are woken. With the wake-up of a queue come the items that have
   * become claimable.
   */
  arrive(name: WakeUp, places: readonly Place[]): void {
    const state = this.#states.get(name);
    if (!state || places.length === 0) return;
    state.mark = markAfterArrival(state.mark, places);
    for (const arrived of state.looks) for (const place of places) arrived.push(place);
  }

  /** To be called when looks at a queue were undone: items that they took may lie below the mark that they left. */
  forget(queueId: Id): void {
    const state = this.#states.get(queueId);
    if (!state) return;
    state.mark = undefined;
    if (state.looks.size === 0) this.#states.delete(queueId);
  }

  #wakeAtEnd(queueId: Id, { until }: Mark): void {
    setTimeout(() => this.#wake(queueId), until - performance.now()).unref();
  }
}
