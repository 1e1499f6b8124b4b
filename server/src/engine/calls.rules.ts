import type { Id, Input, Operation, OperationId } from '@millrace/api';
import type { Identity } from './operation.ts';

/** A call, so far as decides with which others it is performed. */
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

/** Whether an operation leaves everything as it is. */
export function readsOnly({ effect }: Pick<Operation, 'effect'>): boolean {
  return effect === 'read' || effect === 'stream' || effect === 'download';
}

// A call that takes longer than the round trips and the commit that it shares; only the calls of its like wait for it.
const largeWeight = 1000;

/** Calls of one operation share a transaction when they are about the same queue, or else when they are of one tenant. */
export function laneOf(call: Call): string {
  const { operationId, queueId, identity } = call;
  const lane = `${operationId} ${queueId ?? identity.tenantUuid}`;
  return weigh(call) > largeWeight ? `${lane} large` : lane;
}

/** How long the caller waits for something to be there. */
export function waitMilliseconds({ input }: Pick<Call, 'input'>): number {
  return 1000 * ((input.body as { waitSeconds?: number } | undefined)?.waitSeconds ?? 0);
}

// Most items come in fewer: a call with larger ones weighs as much as one with more.
const usualItemBytes = 1024;

/** How many items of usual size the call is about. */
export function weigh({ input, bodyBytes }: Pick<Call, 'input' | 'bodyBytes'>): number {
  const { workItems, leases, results, count } = (input.body ?? {}) as Record<string, unknown>;
  const list = workItems ?? leases ?? results;
  const items = Array.isArray(list) ? list.length : typeof count === 'number' ? count : 1;
  return Math.max(items, bodyBytes / usualItemBytes);
}
