import type { Operation, OperationId } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';

/** The operations allowed on an archived queue besides those that only read; consumers that still wait for its items get none. */
const openInArchive: readonly OperationId[] = [
  'archiveQueue',
  'restoreQueue',
  'deleteQueue',
  'claimWorkItems',
  'heartbeatWorkItems',
  'watchWorkItems',
  'finishWorkItems',
  'revealWorkItem',
];

/** The reason why an operation may not be called on the queue, if it is archived. */
export function decideArchived(
  queue: Pick<QueueDefinition, 'id' | 'archived'>,
  operationId: OperationId,
  { effect }: Pick<Operation, 'effect'>,
): Refusal | undefined {
  if (!queue.archived || effect === 'read' || effect === 'download' || openInArchive.includes(operationId))
    return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    `Queue ${queue.id} is archived and cannot be changed. Restore it first: POST /v4/wlm/queues/${queue.id}/restore.`,
  );
}
