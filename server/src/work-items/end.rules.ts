import type { TransitionName } from '@millrace/api';
import { bounded, firstOf, moved, type Item, type Move } from './rules.ts';

/** Why an attempt ends that its holder did not bring to an end itself. */
export interface Ending {
  /** What happens to the item if nothing stands against it. */
  readonly transition: Extract<TransitionName, 'lapse' | 'exhaust' | 'takeBack'>;
  readonly reason: string;
}

/**
 * What becomes of an item that is taken from its holder: it is NEW again and the attempt does not count, unless it has lapsed
 * too often; but one that was cancelled has failed, and one past the point of no return is in doubt.
 */
export function decideReturn(item: Item, { transition: wanted, reason }: Ending, now: Date): Move {
  const transition = firstOf(item, [wanted, 'stop', 'doubt']);
  if (transition === 'stop') return stopped(item, reason, now);
  if (transition === 'doubt') return doubted(item, reason, now);
  const next = moved(item, transition, now);
  if (transition === 'takeBack') return { transition, item: refunded(next), reason };
  const lapsed = { ...next, lapseCount: lapsesOf(item) };
  if (transition === 'lapse') return { transition, item: refunded(lapsed), reason };
  const failure = { result: 'FAILURE', failureKind: 'SYSTEM', error: bounded(reason) } as const;
  return { transition, item: { ...lapsed, ...failure }, reason };
}

// What the column holds: where a queue sets no limit, an item may lapse more often.
const countedLapses = 32_767;

/** Lapses in a row, with the one of now. */
export function lapsesOf({ lapseCount = 0 }: Pick<Item, 'lapseCount'>): number {
  return Math.min(lapseCount + 1, countedLapses);
}

/** The item without the attempt that does not count: its retries and its place in the order are as they were. */
export function refunded(item: Item): Item {
  return { ...item, startedOn: undefined };
}

/** A cancelled item that ends without success. */
export function stopped(item: Item, error: string | undefined, now: Date): Move {
  const reason = withCancellation(item, error) as string;
  const failure = { result: 'FAILURE', failureKind: 'BUSINESS', error: reason } as const;
  return { transition: 'stop', item: { ...moved(item, 'stop', now), ...failure }, reason };
}

/** An item past the point of no return of which nobody knows whether it was done. */
export function doubted(item: Item, why: string | undefined, now: Date): Move {
  const { pointOfNoReturnOn } = item;
  const since = `${passage(item)}; whether it was done is not known.`;
  const reason = withCancellation(item, why);
  const error = bounded(reason === undefined ? since : `${since} ${reason}`);
  const failure = { result: 'FAILURE', failureKind: 'IN_DOUBT', pointOfNoReturnOn, error } as const;
  return { transition: 'doubt', item: { ...moved(item, 'doubt', now), ...failure }, reason };
}

/** When, and on which device, an item passed the point of no return, in words. */
export function passage({ pointOfNoReturnOn, deviceId }: Item): string {
  const where = deviceId === undefined ? '' : ` on device ${deviceId}`;
  return `It passed the point of no return on ${pointOfNoReturnOn?.toISOString()}${where}`;
}

/** The error of an item, with who cancelled it and why if somebody did. */
export function withCancellation(item: Item, error: string | undefined): string | undefined {
  if (item.cancelRequestedOn === undefined) return error;
  const { canceller = `user ${item.cancelRequestedBy}`, cancelReason } = item;
  const cancelled = `Cancelled by ${canceller}${cancelReason === undefined ? '' : `: ${cancelReason}`}`;
  if (error === undefined) return `${cancelled}.`;
  // A runner that was told so reports it itself.
  return error.startsWith(cancelled) ? error : bounded(`${cancelled}. ${error}`);
}
