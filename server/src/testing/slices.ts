import type { Interruptible } from '../engine/slices.ts';

/** The result of work that is done without pauses. */
export function atOnce<T>(work: Interruptible<T>): T {
  for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}
