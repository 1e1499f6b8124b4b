import { mayHappen, type Facts, type Schemas } from '@millrace/api';
import type { Item } from '../item/rules.ts';
import { expiriesOf, type Ending } from '../lease/rules.ts';

/** Milliseconds between two runs of a chore: often enough that nothing waits two seconds for it. */
export const pauseMs = 500;

/** The same as for low-water marks: a hundred entries take some 20 microseconds, and looks about a fiftieth of the time. */
const entriesPerMs = 100;
export const longestPauseMs = 5000;

/** Milliseconds from a look at all items in progress to the next one. @param walked number of index entries that it walked over */
export function pauseAfterLook(walked: number): number {
  const pause = walked / entriesPerMs;
  return pause < pauseMs ? 0 : Math.min(pause, longestPauseMs);
}

// The latest holders of an item tell more than a list of all of them.
const shownExpiries = 10;

/** Whether the lease of the item has expired so often in a row, this time included, that it must not go to another holder. */
export function isExhausted(item: Facts & Pick<Item, 'lapseCount'>, lapseLimit: number): boolean {
  return lapseLimit > 0 && expiriesOf(item) >= lapseLimit && mayHappen('exhaust', item);
}

/** The end of an attempt whose holder has fallen silent. */
export function leaseExpiry(item: Item): Ending {
  return { transition: 'lapse', reason: `no sign of life until ${leaseEndOf(item).toISOString()}` };
}

/**
 * The end of the last such attempt, with the story for people: the place and time at which each of the holders fell silent.
 * @param attempts the attempts of the item, oldest first, including the one whose lease expires now.
 */
export function exhaustion(item: Item, attempts: readonly Schemas['Attempt'][]): Ending {
  const times = expiriesOf(item);
  const silent = attempts.filter(({ outcome, endedOn }) => outcome === 'LAPSED' || endedOn === undefined);
  const places = silent.slice(-Math.min(times, shownExpiries)).map(({ deviceId, actorId, endedOn }) => {
    const where = deviceId === undefined ? `with user ${actorId}` : `on device ${deviceId}`;
    return `${where} until ${new Date(endedOn ?? leaseEndOf(item)).toISOString()}`;
  });
  const ranOut = times === 1 ? 'The lease ran out' : `The lease ran out ${times} times in a row`;
  const last = times > places.length ? `, at last ${places.length} times` : '';
  const story = `${ranOut}, without a sign of life${last}: ${places.join('; ')}.`;
  return { transition: 'exhaust', reason: `${story} The item may bring down whoever processes it.` };
}

function leaseEndOf({ id, leaseExpiresOn }: Item): Date {
  if (!leaseExpiresOn) throw new Error(`item ${id} has no lease that could run out`);
  return leaseExpiresOn;
}
