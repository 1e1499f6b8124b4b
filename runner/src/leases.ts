import type { Id, Schemas } from '@millrace/api';
import { LeaseLost } from './errors.ts';
import type { Emit } from './events.ts';
import type { WorkItem } from './item.ts';

type Progress = Schemas['Progress'];

/** An item in work. */
export interface Lease {
  readonly item: WorkItem;
  /** Aborted with the reason, when the item is to be let go. */
  readonly controller: AbortController;
  /** What the server has not been told yet. */
  progress: Progress | undefined;
}

/** The items that this runner works on, of any queues. */
export interface Leases {
  readonly held: Set<Lease>;
  readonly emit: Emit;
  readonly onIdle: Set<() => void>;
}

export function createLeases(emit: Emit): Leases {
  return { held: new Set(), emit, onIdle: new Set() };
}

export function hold(leases: Leases, item: WorkItem): Lease {
  for (const lease of leases.held) {
    if (isSame(lease.item, item))
      lose(leases, lease, 'CLAIMED_AGAIN', 'its lease lapsed, and it was claimed again');
  }
  const lease = { item, controller: new AbortController(), progress: undefined };
  leases.held.add(lease);
  return lease;
}

/** For when the handler has ended, however. */
export function drop({ held, onIdle }: Leases, lease: Lease): void {
  held.delete(lease);
  if (held.size > 0) return;
  for (const resolve of onIdle) resolve();
  onIdle.clear();
}

/** Resolves when no handler is at work. */
export async function idle({ held, onIdle }: Leases): Promise<void> {
  if (held.size > 0) await new Promise<void>((resolve) => void onIdle.add(resolve));
}

/** Lets go of an item that belongs to somebody else now. */
export function lose({ emit }: Leases, { item, controller }: Lease, code: string, message: string): void {
  if (isLost({ controller })) return;
  emit({ type: 'leaseLost', id: item.id, code, message });
  controller.abort(new LeaseLost(code, message));
}

export function isLost({ controller }: Pick<Lease, 'controller'>): boolean {
  return controller.signal.reason instanceof LeaseLost;
}

function isSame(one: { id: Id; queueId: Id }, other: { id: Id; queueId: Id }): boolean {
  return one.id === other.id && one.queueId === other.queueId;
}
