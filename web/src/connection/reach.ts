import { createStore } from '../store/store.ts';

/** The time since which the server does not answer; undefined while it does. */
export const awaySince = createStore<Date | undefined>(undefined);

/** The time at which a call is repeated that the server has put off because it is busy; undefined where it takes all calls. */
export const busyUntil = createStore<Date | undefined>(undefined);

/** Notes that the server has asked for a call to be repeated later. @param ms the wait, in milliseconds */
export function notePutOff(ms: number): void {
  const until = new Date(Date.now() + ms);
  busyUntil.set(until);
  setTimeout(() => busyUntil.get() === until && busyUntil.set(undefined), ms);
}

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
