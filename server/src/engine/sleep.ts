import { setTimeout } from 'node:timers/promises';

/** Waits for this time, or until the signal aborts; never throws. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);
}
