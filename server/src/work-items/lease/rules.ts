import { mayHappen, type Facts, type Id, type Schemas, type TransitionName } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import {
  bounded,
  firstOf,
  isHolder,
  moved,
  refunded,
  stopped,
  unresolved,
  type Item,
  type Move,
} from '../item/rules.ts';

/** A heartbeat for one item, and its sender. */
export type Beat = Schemas['Lease'] & { readonly actorId: Id };

export function lost(id: Id): Refusal {
  return new Refusal(
    'LEASE_LOST',
    `You do not hold item ${id} any more. Stop working on it; others may have it.`,
  );
}

/** The request to cancel the item, in the form for its holder. */
export function cancellationOf(item: Item): Schemas['LeaseOutcome']['cancel'] {
  if (item.cancelRequestedOn === undefined) return undefined;
  const { canceller: by, cancelReason: reason } = item;
  return { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
}

/** Whether the user holds the item by a claim that returned this version. */
export function isHeld(item: Item, { version, actorId }: Pick<Beat, 'version' | 'actorId'>): boolean {
  return isHolder(item, actorId) && item.version === version;
}

/** The reason why an attempt ends without a report of its holder. */
export interface Ending {
  /** The transition, unless a cancellation or the point of no return prevents it. */
  readonly transition: Extract<TransitionName, 'lapse' | 'exhaust' | 'takeBack'>;
  readonly reason: string;
}

/**
 * The end of an attempt by others than the holder: the item is NEW again and the attempt does not count, unless its leases have expired too
 * often in a row; but a cancelled item has failed, and one past the point of no return is IN_DOUBT.
 */
export function decideReturn(item: Item, { transition: wanted, reason }: Ending, now: Date): Move {
  const transition = firstOf(item, [wanted, 'stop', 'doubt']);
  if (transition === 'stop') return stopped(item, reason, now);
  if (transition === 'doubt') return unresolved(item, reason, now);
  const next = moved(item, transition, now);
  if (transition === 'takeBack') return { transition, item: refunded(next), reason };
  const expired = { ...next, lapseCount: expiriesOf(item) };
  if (transition === 'lapse') return { transition, item: refunded(expired), reason };
  const failure = { result: 'FAILURE', failureKind: 'SYSTEM', error: bounded(reason) } as const;
  return { transition, item: { ...expired, ...failure }, reason };
}

/** The outcome for an item that would be taken back now, in the words of people. */
export function endIfTakenBack(item: Facts): Schemas['RunningItem']['ifTakenBack'] {
  if (mayHappen('takeBack', item)) return 'NEW';
  return mayHappen('stop', item) ? 'FAILED' : 'IN_DOUBT';
}

// The limit of the column: where a queue sets no limit, leases may expire more often.
const countedExpiries = 32_767;

/** Lease expiries in a row, including the present one. */
export function expiriesOf({ lapseCount = 0 }: Pick<Item, 'lapseCount'>): number {
  return Math.min(lapseCount + 1, countedExpiries);
}

/** Whether the lease of the item has expired so often in a row, this time included, that it must not go to another holder. */
export function isExhausted(item: Facts & Pick<Item, 'lapseCount'>, lapseLimit: number): boolean {
  return lapseLimit > 0 && expiriesOf(item) >= lapseLimit && mayHappen('exhaust', item);
}
