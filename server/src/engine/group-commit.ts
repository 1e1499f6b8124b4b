import { isUndone } from './errors.ts';

interface Waiting<Call, Outcome> {
  readonly call: Call;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

type Lane<Call, Outcome> = Waiting<Call, Outcome>[];

// A batch holds its locks while it runs; larger ones gain nothing.
const maxWeight = 2000;

/**
 * Group commit. Calls that may share a transaction go through one lane. A call on an idle lane runs at once; calls that
 * arrive while a batch of their lane is under way run together as the next one. The calls of a batch that was undone as a
 * whole run again one by one, so that a call which cannot succeed harms no other.
 */
export class GroupCommit<Call, Outcome> {
  readonly #lanes = new Map<string, Lane<Call, Outcome>>();
  readonly #run: (calls: readonly Call[]) => Promise<Outcome[]>;
  readonly #weigh: (call: Call) => number;

  /**
   * @param run one outcome for each call, in order.
   * @param weigh how much a call adds to a batch, in items.
   */
  constructor(run: (calls: readonly Call[]) => Promise<Outcome[]>, weigh: (call: Call) => number) {
    this.#run = run;
    this.#weigh = weigh;
  }

  /** Runs the call, together with others of its lane if there are any. */
  enqueue(laneName: string, call: Call): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiting = { call, resolve, reject };
      const lane = this.#lanes.get(laneName);
      if (lane) lane.push(waiting);
      else void this.#drain(laneName, [waiting]);
    });
  }

  async #drain(laneName: string, lane: Lane<Call, Outcome>): Promise<void> {
    this.#lanes.set(laneName, lane);
    while (lane.length > 0) {
      const batch = takeBatch(lane, this.#weigh);
      await this.#settle(batch).catch((error: unknown) => this.#settleFailed(batch, error));
    }
    this.#lanes.delete(laneName);
  }

  async #settle(batch: Lane<Call, Outcome>): Promise<void> {
    const outcomes = await this.#run(batch.map(({ call }) => call));
    for (const [index, outcome] of outcomes.entries()) batch[index]?.resolve(outcome);
  }

  async #settleFailed(batch: Lane<Call, Outcome>, error: unknown): Promise<void> {
    // Calls of a batch that may be on disk must not run again: their work would be done twice.
    if (batch.length === 1 || !isUndone(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const waiting of batch) await this.#settle([waiting]).catch(waiting.reject);
  }
}

/** Takes calls off the lane, at least one, until their weight is enough for a batch. */
function takeBatch<Call, Outcome>(
  lane: Lane<Call, Outcome>,
  weigh: (call: Call) => number,
): Lane<Call, Outcome> {
  let weight = 0;
  let size = 0;
  for (const { call } of lane) {
    weight += weigh(call);
    if (size > 0 && weight > maxWeight) break;
    size += 1;
  }
  return lane.splice(0, size);
}
