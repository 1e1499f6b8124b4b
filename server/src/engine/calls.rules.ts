import type { Id, Input, Operation, OperationId } from '@millrace/api';
import type { Lanes } from './group-commit.ts';
import type { Identity } from './operation.ts';

/** The members of a call that decide which others share its transaction. */
interface Call {
  readonly operationId: OperationId;
  readonly identity: Pick<Identity, 'tenantUuid'>;
  readonly queueId: Id | undefined;
  readonly input: Input;
  readonly bodyBytes: number;
}

/** The queue in the path of a call, if the operation has one there. */
export function queueIdOf({ queue }: Operation, path: object): Id | undefined {
  return queue ? (path as { id: Id }).id : undefined;
}

/** Whether an operation changes nothing. */
export function readsOnly({ effect }: Pick<Operation, 'effect'>): boolean {
  return effect === 'read' || effect === 'stream' || effect === 'download';
}

// A call that takes longer than the round trips and the commit that it shares; only similar calls wait for it.
const largeWeight = 1000;

// The work of one transaction is felt by all that share it: calls that bring much of it share with their own queue alone.
const mostShared = 20;

/**
 * The lanes of a call. Small calls of one operation share transactions within their tenant, whichever queues they concern; one that the
 * lane of all cannot perform goes through that of its own queue.
 */
export function lanesOf(call: Call): Lanes {
  const { operationId, queueId, identity } = call;
  const own = `${operationId} of queue ${queueId ?? ''}`;
  const shared = `${operationId} of tenant ${identity.tenantUuid}`;
  if (weigh(call) > largeWeight) return { own: `${own}, large` };
  if (queueId === undefined) return { own: shared };
  return weigh(call) > mostShared ? { own } : { own, shared };
}

/** The time that the caller waits for something to be there, in milliseconds. */
export function waitMilliseconds({ input }: Pick<Call, 'input'>): number {
  return 1000 * ((input.body as { waitSeconds?: number } | undefined)?.waitSeconds ?? 0);
}

// Most items are smaller: a call with larger ones weighs as much as one with more items.
const usualItemBytes = 1024;

/** Number of items of usual size that the call amounts to. */
export function weigh({ input, bodyBytes }: Pick<Call, 'input' | 'bodyBytes'>): number {
  const { workItems, leases, results, count } = (input.body ?? {}) as Record<string, unknown>;
  const list = workItems ?? leases ?? results;
  const items = Array.isArray(list) ? list.length : typeof count === 'number' ? count : 1;
  return Math.max(items, bodyBytes / usualItemBytes);
}
