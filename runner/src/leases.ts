import type { Schemas } from '@millrace/api';
import { backOffSeconds, pause } from './backoff.ts';
import { LeaseLost } from './errors.ts';
import type { Emit } from './events.ts';
import type { WorkItem } from './item.ts';

type Progress = Schemas['Progress'];
type Outcome = Schemas['LeaseOutcome'];

/** An item in work. */
export interface Lease {
  readonly item: WorkItem;
  /** Aborted with the reason, when the item is to be let go. */
  readonly controller: AbortController;
  /** What the server has not been told yet. */
  progress: Progress | undefined;
}

/** The items that this runner works on, kept by heartbeats. */
export interface Leases {
  readonly held: Set<Lease>;
  /** Sends heartbeats for all; resolves when they are answered, or could not be sent. */
  readonly beat: () => Promise<void>;
  readonly emit: Emit;
  readonly leaseSeconds: number;
  readonly onIdle: Set<() => void>;
  readonly stopped: AbortSignal;
  /** Heartbeats that failed in a row. */
  failures: number;
}

/** Heartbeats keep the order of what they are given. */
export type Heartbeat = (leases: Schemas['Lease'][]) => Promise<readonly Outcome[]>;

/** @param stopped ends the heartbeats and, by way of `heartbeat`, the call under way. */
export function createLeases(
  leaseSeconds: number,
  heartbeat: Heartbeat,
  emit: Emit,
  stopped: AbortSignal,
): Leases {
  const beat = oneAtATime(() => sendHeartbeats(leases, heartbeat));
  const leases: Leases = {
    held: new Set(),
    beat,
    emit,
    leaseSeconds,
    onIdle: new Set(),
    stopped,
    failures: 0,
  };
  return leases;
}

export function hold(leases: Leases, item: WorkItem): Lease {
  for (const lease of leases.held) {
    if (lease.item.id === item.id)
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

/** Tells the server at once; resolves when it knows, or cannot be reached. */
export async function noteProgress(leases: Leases, lease: Lease, progress: Progress): Promise<void> {
  if (!leases.held.has(lease) || lease.controller.signal.aborted) return;
  lease.progress = progress;
  await leases.beat();
}

/** Sends heartbeats in time, until stopped. */
export async function keepLeases(leases: Leases): Promise<void> {
  while (!leases.stopped.aborted) {
    await pause(secondsToNext(leases), leases.stopped);
    await leases.beat();
  }
}

function secondsToNext({ leaseSeconds, failures }: Leases): number {
  // A third of the lease: two heartbeats in a row may be lost without harm.
  const regular = leaseSeconds / 3;
  return failures === 0 ? regular : Math.min(regular, backOffSeconds(failures, Math.random()));
}

async function sendHeartbeats(leases: Leases, heartbeat: Heartbeat): Promise<void> {
  const sent = [...leases.held].filter(({ controller }) => !controller.signal.aborted);
  if (sent.length === 0 || leases.stopped.aborted) return;
  const progress = sent.map((lease) => lease.progress);
  try {
    const outcomes = await heartbeat(sent.map((lease) => heartbeatOf(lease, leases.leaseSeconds)));
    sent.forEach((lease, index) => settle(leases, lease, progress[index], outcomes[index]));
    leases.failures = 0;
  } catch (error) {
    if (leases.stopped.aborted) return;
    leases.failures += 1;
    const message = error instanceof Error ? error.message : String(error);
    leases.emit({ type: 'retrying', call: 'heartbeatWorkItems', message, seconds: secondsToNext(leases) });
  }
}

function settle(
  leases: Leases,
  lease: Lease,
  sent: Progress | undefined,
  outcome: Outcome | undefined,
): void {
  // An item that was reported meanwhile is not held any more, and nothing is wrong.
  if (!leases.held.has(lease)) return;
  if (lease.progress === sent) lease.progress = undefined;
  if (outcome?.error !== undefined) lose(leases, lease, outcome.error.code, outcome.error.message);
}

function lose({ emit }: Leases, { item, controller }: Lease, code: string, message: string): void {
  if (controller.signal.aborted) return;
  emit({ type: 'leaseLost', id: item.id, code, message });
  controller.abort(new LeaseLost(code, message));
}

function heartbeatOf({ item, progress }: Lease, leaseSeconds: number): Schemas['Lease'] {
  return { id: item.id, version: item.version, leaseSeconds, ...(progress && { progress }) };
}

/** Runs the chore for all who ask; those who ask while it runs share the next run. */
function oneAtATime(chore: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function start(): Promise<void> {
    next = undefined;
    running = chore().finally(() => {
      running = next;
    });
    return running;
  }
  return () => {
    if (running === undefined) return start();
    next ??= running.then(start);
    return next;
  };
}
