/** Calls that may share a transaction go through one lane, named by its key. */
export type Enqueue<Call, Outcome> = (key: string, call: Call) => Promise<Outcome>;

interface Waiting<Call, Outcome> {
  readonly call: Call;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

// A batch holds its locks while it runs; larger ones gain nothing.
const maxWeight = 2000;

/**
 * Group commit. A call on an idle lane runs at once; calls that arrive while a batch of their lane is under way run
 * together as the next one. When a batch fails as a whole, its calls run again one by one, so that a call which cannot
 * succeed harms no other.
 * @param run one outcome for each call, in order.
 * @param weigh how much a call adds to a batch, in items.
 */
export function createBatches<Call, Outcome>(
  run: (key: string, calls: readonly Call[]) => Promise<Outcome[]>,
  weigh: (call: Call) => number,
): Enqueue<Call, Outcome> {
  const lanes = new Map<string, Waiting<Call, Outcome>[]>();

  async function drain(key: string, lane: Waiting<Call, Outcome>[]): Promise<void> {
    while (lane.length > 0) {
      const batch = takeBatch(lane, weigh);
      await settle(key, batch).catch((error: unknown) =>
        batch.length === 1 ? batch[0]?.reject(error) : settleOneByOne(key, batch),
      );
    }
    lanes.delete(key);
  }

  async function settle(key: string, batch: Waiting<Call, Outcome>[]): Promise<void> {
    const outcomes = await run(
      key,
      batch.map(({ call }) => call),
    );
    batch.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
  }

  async function settleOneByOne(key: string, batch: Waiting<Call, Outcome>[]): Promise<void> {
    for (const waiting of batch) await settle(key, [waiting]).catch(waiting.reject);
  }

  return (key, call) =>
    new Promise((resolve, reject) => {
      const lane = lanes.get(key);
      if (lane) return void lane.push({ call, resolve, reject });
      const opened = [{ call, resolve, reject }];
      lanes.set(key, opened);
      void drain(key, opened);
    });
}

/** Takes calls off the lane, at least one, until their weight is enough for a batch. */
function takeBatch<Call, Outcome>(lane: Waiting<Call, Outcome>[], weigh: (call: Call) => number) {
  let weight = 0;
  let size = 0;
  for (const { call } of lane) {
    weight += weigh(call);
    if (size > 0 && weight > maxWeight) break;
    size += 1;
  }
  return lane.splice(0, size);
}
