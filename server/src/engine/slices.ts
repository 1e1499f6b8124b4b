import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that may be interrupted wherever it yields: about every millisecond. */
export type Interruptible<T> = Generator<undefined, T>;

// Shared by all work in progress: in one turn the loop comes to each piece of work, even to several of one call, one after the other.
const turnMs = 10;
/** A piece of work gets this much of a turn that others have used up: most are done by then. */
const leastMs = 1;

/** Does long work a little at a time, so that other calls go on in between. */
export async function inSlices<T>(work: Interruptible<T>): Promise<T> {
  let since = enterTurn();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    const now = performance.now();
    if (now - turnSince < turnMs || now - since < leastMs) continue;
    await nextTurn();
    since = enterTurn();
  }
}

/** Does short work at one go. */
export function atOnce<T>(work: Interruptible<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** The time at which the first work began in this turn of the loop. */
let turnSince = 0;
let isInTurn = false;

function enterTurn(): number {
  const now = performance.now();
  if (isInTurn) return now;
  isInTurn = true;
  turnSince = now;
  setImmediate(() => (isInTurn = false));
  return now;
}

/** The changed members of a list. */
export function* mapped<T, R>(
  list: Iterable<T>,
  change: (member: T, index: number) => R,
): Interruptible<R[]> {
  const changed: R[] = [];
  for (const member of list) {
    changed.push(change(member, changed.length));
    yield;
  }
  return changed;
}
