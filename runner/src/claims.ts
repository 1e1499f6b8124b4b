import { backOffSeconds, mayPass, pause } from './backoff.ts';
import type { Emit } from './events.ts';
import type { WorkItem } from './item.ts';
import { slotFree, type Slots } from './slots.ts';

/** The source of a runner's items. */
export interface Source {
  /** The operation that is called. */
  readonly call: 'claimWorkItems' | 'requestWork';
  /** Claims up to `count` items; waits when there are none. */
  readonly take: (count: number, signal: AbortSignal) => Promise<readonly WorkItem[]>;
  /** Given the function that asks the server at once which items are still held, to call when some were taken back. */
  readonly onTakenBack?: (renew: () => void) => void;
}

export interface Claims {
  readonly slots: Slots;
  readonly source: Source;
  readonly start: (item: WorkItem) => void;
  readonly emit: Emit;
  /** Ends the claiming in good order. */
  readonly drain: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
}

// An answer with work takes much less.
const answerSeconds = 0.5;
// No queue is asked more often than this while it has nothing.
const pauseSeconds = 1;

/**
 * Claims items for free slots and starts them, until told to drain.
 * @throws ApiError when the server refuses for a lasting reason.
 */
export async function claimItems(claims: Claims): Promise<void> {
  let failures = 0;
  while (!claims.drain.aborted) {
    await slotFree(claims.slots, claims.drain);
    if (claims.drain.aborted) return;
    const sentOn = performance.now();
    try {
      const items = await claimOnce(claims, sentOn);
      failures = 0;
      start(claims, items);
      // A server that is stopping, or a queue that grants nothing, may answer without waiting.
      if (items.length === 0) await pause(pauseSeconds - (performance.now() - sentOn) / 1000, claims.drain);
    } catch (error) {
      if (claims.drain.aborted) return;
      if (!mayPass(error)) throw error;
      failures += 1;
      await waitToRepeat(claims, error as Error, failures);
    }
  }
}

async function waitToRepeat(
  { source, emit, drain }: Claims,
  { message }: Error,
  failures: number,
): Promise<void> {
  const seconds = backOffSeconds(failures, Math.random());
  emit({ type: 'retrying', call: source.call, message, seconds });
  await pause(seconds, drain);
}

function start({ slots, start: startItem, emit }: Claims, items: readonly WorkItem[]): void {
  if (items.length > 0) emit({ type: 'claimed', items });
  for (const item of items) {
    slots.free -= 1;
    startItem(item);
  }
}

/**
 * One long poll. Items granted to a call that was given up come back only when their leases expire. A call that has just been
 * sent may find work, so draining waits for its answer; one that has been open for longer waits for work that is not there.
 */
async function claimOnce(
  { slots, source, drain, kill }: Claims,
  sentOn: number,
): Promise<readonly WorkItem[]> {
  const controller = new AbortController();
  const giveUp = () => controller.abort(new DOMException('The runner stops.', 'AbortError'));
  let timer: NodeJS.Timeout | undefined;
  const giveUpSoon = () => {
    timer = setTimeout(giveUp, Math.max(0, sentOn + answerSeconds * 1000 - performance.now()));
  };
  drain.addEventListener('abort', giveUpSoon, { once: true });
  kill.addEventListener('abort', giveUp, { once: true });
  try {
    return await source.take(slots.free, controller.signal);
  } finally {
    clearTimeout(timer);
    drain.removeEventListener('abort', giveUpSoon);
    kill.removeEventListener('abort', giveUp);
  }
}
