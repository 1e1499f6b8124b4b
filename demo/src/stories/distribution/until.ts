import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../../stage.ts';

const pollMs = 100;
// Far more than anything needs, even on a slow machine: a story that hangs must say where.
const limitMs = 120_000;

/**
 * Tries again and again until there is something to find.
 * @param what the thing waited for, as the end of a sentence
 * @throws Error when it does not come; whatever `find` throws; the reason of the signal.
 */
export async function until<T>(
  { signal }: Pick<Stage, 'signal'>,
  what: string,
  find: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const found = await find();
    if (found !== false && found !== undefined) return found;
    await pause(pollMs, undefined, { signal });
  }
  throw new Error(`Waited ${limitMs / 1000} seconds in vain until ${what}.`);
}
