import { isHeldUp, isUndone } from './errors.ts';

/** The names of the lanes that a call may go through. */
export interface Lanes {
  /** That of calls which the same thing may hold up. */
  readonly own: string;
  /** That which it shares with others, as long as nothing holds its own up. */
  readonly shared?: string;
}

interface Waiting<Call, Outcome> extends Required<Lanes> {
  readonly call: Call;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

type Lane<Call, Outcome> = Waiting<Call, Outcome>[];

// A batch holds its locks while it runs; larger ones gain nothing.
const maxWeight = 2000;

// The statements of another queue cost about as much as this many items.
const weightOfLane = 20;

// A batch that takes longer would be felt by all that share a lane with it.
const slowMs = 250;

// The time for which calls stay in their own lane after a slow batch: their like would hold up the others again.
const apartMs = 60_000;

/**
 * Group commit. Calls that may share a transaction go through one lane. A call on an idle lane runs at once; calls that
 * arrive while a batch of their lane is under way run together as the next one. The calls of a batch that was undone as a
 * whole run again, in their own lanes where they shared one, and one by one if that fails as well, so that a call which cannot succeed
 * harms no other.
 */
export class GroupCommit<Call, Outcome> {
  readonly #lanes = new Map<string, Lane<Call, Outcome>>();
  /** Own lanes that were slow, until their time is over. */
  readonly #apart = new Map<string, NodeJS.Timeout>();
  readonly #run: (calls: readonly Call[], isShared: boolean) => Promise<Outcome[]>;
  readonly #weigh: (call: Call) => number;

  /**
   * @param run one outcome for each call, in order; told whether the lane is shared, where it must not wait long for anything.
   * @param weigh how much a call adds to a batch, in items.
   */
  constructor(
    run: (calls: readonly Call[], isShared: boolean) => Promise<Outcome[]>,
    weigh: (call: Call) => number,
  ) {
    this.#run = run;
    this.#weigh = weigh;
  }

  /** Runs the call, together with others of its lane if there are any. */
  enqueue({ own, shared = own }: Lanes, call: Call): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      // An own lane is there while calls are held up: this one would be, too, and others with it.
      const isApart = this.#lanes.has(own) || this.#apart.has(own);
      this.#add(isApart ? own : shared, [{ call, own, shared, resolve, reject }]);
    });
  }

  #add(name: string, calls: Lane<Call, Outcome>): void {
    const lane = this.#lanes.get(name);
    if (lane) lane.push(...calls);
    else void this.#drain(name, calls);
  }

  async #drain(name: string, lane: Lane<Call, Outcome>): Promise<void> {
    this.#lanes.set(name, lane);
    while (lane.length > 0) {
      const batch = takeBatch(lane, this.#weigh);
      const begun = performance.now();
      await this.#settle(name, batch).catch((error: unknown) => this.#settleFailed(name, batch, error));
      if (
        performance.now() - begun > slowMs &&
        batch.some(({ own, shared }) => own === name && shared !== name)
      )
        this.#keepApart(name);
    }
    this.#lanes.delete(name);
  }

  #keepApart(name: string): void {
    clearTimeout(this.#apart.get(name));
    this.#apart.set(name, setTimeout(() => this.#apart.delete(name), apartMs).unref());
  }

  async #settle(name: string, batch: Lane<Call, Outcome>): Promise<void> {
    const isShared = batch.some(({ own }) => own !== name);
    const outcomes = await this.#run(
      batch.map(({ call }) => call),
      isShared,
    );
    for (const [index, outcome] of outcomes.entries()) batch[index]?.resolve(outcome);
  }

  async #settleFailed(name: string, batch: Lane<Call, Outcome>, error: unknown): Promise<void> {
    const lanes = groupBy(batch, ({ own }) => own);
    const isAlone = batch.length === 1 && (lanes.has(name) || !isHeldUp(error));
    // Calls of a batch that may be on disk must not run again: their work would be done twice.
    if (isAlone || !isUndone(error)) for (const { reject } of batch) reject(error);
    else if (lanes.has(name))
      for (const waiting of batch) await this.#settle(name, [waiting]).catch(waiting.reject);
    else for (const [own, calls] of lanes) this.#add(own, calls);
  }
}

/**
 * Takes calls off the lane, at least one, until their weight is enough for a batch; those of one own lane together, as its statements cost
 * about the same for one call as for many.
 */
function takeBatch<Call, Outcome>(
  lane: Lane<Call, Outcome>,
  weigh: (call: Call) => number,
): Lane<Call, Outcome> {
  const batch = new Set<Waiting<Call, Outcome>>();
  let weight = 0;
  for (const calls of groupBy(lane, ({ own }) => own).values()) {
    weight += weightOfLane;
    for (const waiting of calls) {
      weight += weigh(waiting.call);
      if (batch.size > 0 && weight > maxWeight) break;
      batch.add(waiting);
    }
    if (weight > maxWeight) break;
  }
  // In place: others have the lane at hand.
  const all = lane.splice(0);
  for (const waiting of all) if (!batch.has(waiting)) lane.push(waiting);
  return all.filter((waiting) => batch.has(waiting));
}

/** Things by their key, in the order of each key's first. */
export function groupBy<Thing, Key>(
  things: readonly Thing[],
  keyOf: (thing: Thing) => Key,
): Map<Key, Thing[]> {
  const groups = new Map<Key, Thing[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return groups;
}
