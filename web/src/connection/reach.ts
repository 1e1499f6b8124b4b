import { createStore } from '../store/store.ts';

/** The time since which the server does not answer; undefined while it does. */
export const awaySince = createStore<Date | undefined>(undefined);

const pauseMs = 2000;

export function noteAnswer(): void {
  awaySince.set(undefined);
}

/**
 * Notes that there was no answer, and asks until there is one.
 * @param ask rejects while the server is away
 */
export function noteSilence(ask: () => Promise<void>): void {
  if (awaySince.get() !== undefined) return;
  awaySince.set(new Date());
  const again = () => setTimeout(() => void ask().then(noteAnswer, again), pauseMs);
  again();
}
