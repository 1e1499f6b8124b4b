import type { Id, Schemas } from '@millrace/api';
import { Cancelled, LeaseLost } from './errors.ts';
import type { Emit } from './events.ts';
import type { WorkItem } from './item.ts';
import { cleanText } from './report.ts';

type Progress = Schemas['Progress'];

/** An item in work. */
export interface Lease {
  readonly item: WorkItem;
  /** Aborted with the reason, when the item is to be let go. */
  readonly controller: AbortController;
  /** Progress that the server has not been told yet. */
  progress: Progress | undefined;
  /** The newest output of the bot, and the part of it that the server was told. */
  logTail: string;
  toldLogTail: string;
  /** Whether the server has been asked for it, or has it on disk. */
  pointOfNoReturn: 'AHEAD' | 'ASKED' | 'PASSED';
  /** Remarks for the report. */
  readonly tags: string[];
  resultText: string;
}

// Limits of the contract.
const logTailCharacters = 16_384;

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
      lose(leases, lease, 'CLAIMED_AGAIN', 'its lease expired, and it was claimed again');
  }
  const lease: Lease = {
    item,
    controller: new AbortController(),
    progress: undefined,
    logTail: '',
    toldLogTail: '',
    pointOfNoReturn: 'AHEAD',
    tags: [],
    resultText: '',
  };
  leases.held.add(lease);
  return lease;
}

/** Adds a line to the bot's output. */
export function addLog(lease: Lease, line: string): void {
  lease.logTail = `${lease.logTail}${line}\n`.slice(-logTailCharacters);
}

/** The bot's output as the server takes it; undefined when there is nothing new. */
export function newLogTail({ logTail, toldLogTail }: Lease): string | undefined {
  return logTail === toldLogTail ? undefined : cleanText(logTail, logTailCharacters);
}

/** Called when the handler has ended, in any way. */
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

/** Gives up an item that belongs to somebody else now. */
export function lose({ emit }: Leases, { item, controller }: Lease, code: string, message: string): void {
  if (isLost({ controller })) return;
  emit({ type: 'leaseLost', id: item.id, code, message });
  controller.abort(new LeaseLost(code, message));
}

/** Tells the handler that a person wants the item stopped. It is ours until it is reported. */
export function cancel({ emit }: Leases, { item, controller }: Lease, by = 'somebody', reason = ''): void {
  if (controller.signal.aborted) return;
  const message = `Cancelled by ${by}${reason === '' ? '.' : `: ${reason}`}`;
  emit({ type: 'cancelled', id: item.id, message });
  controller.abort(new Cancelled(message));
}

export function isLost({ controller }: Pick<Lease, 'controller'>): boolean {
  return controller.signal.reason instanceof LeaseLost;
}

function isSame(one: { id: Id; queueId: Id }, other: { id: Id; queueId: Id }): boolean {
  return one.id === other.id && one.queueId === other.queueId;
}
