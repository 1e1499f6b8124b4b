import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError } from '@millrace/api';

const firstSeconds = 0.25;
const longestSeconds = 10;

/**
 * Seconds to wait after a number of failures in a row, from 1.
 * @param random from 0 to 1; it keeps runners that failed together from coming back together.
 */
export function backOffSeconds(failures: number, random: number): number {
  return Math.min(longestSeconds, firstSeconds * 2 ** (failures - 1)) * (0.5 + random / 2);
}

/** Whether the same call may succeed later, without anybody changing it. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && ([401, 408, 429].includes(error.status) || error.status >= 500);
}

/** Waits; shorter when the signal is aborted. */
export async function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  // An abort is the only way for it to fail.
  await sleep(Math.max(0, seconds * 1000), undefined, signal && { signal }).catch(() => undefined);
}

/** Waits for the promise, at most for a number of seconds, and until the signal is aborted. */
export async function waitFor(
  promise: Promise<unknown>,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await Promise.race([promise, pause(seconds, over.signal)]);
  end();
  signal.removeEventListener('abort', end);
}
