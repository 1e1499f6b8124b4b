import { mayHappen, type Facts, type Schemas } from '@millrace/api';
import { lapsesOf, type Ending } from './end.rules.ts';
import type { Item } from './rules.ts';

// Where the item has been lately says more than all places where it ever was.
const toldLapses = 10;

/** Whether the lease of the item has run out so often in a row, with this time, that nobody else is to have it. */
export function isExhausted(item: Facts & Pick<Item, 'lapseCount'>, lapseLimit: number): boolean {
  return lapseLimit > 0 && lapsesOf(item) >= lapseLimit && mayHappen('exhaust', item);
}

/** How the attempt of a holder ends that has fallen silent. */
export function lapse(item: Item): Ending {
  return { transition: 'lapse', reason: `no sign of life until ${leaseEndOf(item).toISOString()}` };
}

/**
 * How the last one ends, with the story for people: where and when each of the holders fell silent.
 * @param attempts of the item, oldest first, with the one that lapses now.
 */
export function exhaustion(item: Item, attempts: readonly Schemas['Attempt'][]): Ending {
  const times = lapsesOf(item);
  const silent = attempts.filter(({ outcome, endedOn }) => outcome === 'LAPSED' || endedOn === undefined);
  const places = silent.slice(-Math.min(times, toldLapses)).map(({ deviceId, actorId, endedOn }) => {
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
