import { statuses, type Operation, type OperationId, type Schemas, type Status } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import type { QueueDefinition } from '../engine/operation.ts';
import { namesOfAutomations, type NamedAutomation } from '../fleet/pools/rules.ts';

/** The pause wanted by a request. */
export function decidePause({ reason, until }: Schemas['PauseRequest'], now: Date) {
  const end = until ? new Date(until) : undefined;
  if (!end || end > now) return { reason, until: end };
  const message = `has passed: it is ${now.toISOString()} by now`;
  return new Refusal('INVALID_REQUEST', `until ${message}.`, { details: [{ field: 'until', message }] });
}

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

type Counts = Readonly<Record<Status, number>>;

/** The reason why a queue with these items cannot be archived. */
export function decideArchiving({ id }: Pick<QueueDefinition, 'id'>, counts: Counts): Refusal | undefined {
  const running = counts.IN_PROGRESS;
  if (running === 0) return undefined;
  return new Refusal(
    'IN_USE',
    `${running === 1 ? 'One item' : `${running} items`} of queue ${id} ${running === 1 ? 'is' : 'are'} in progress. ` +
      `Pause the queue (POST /v4/wlm/queues/${id}/pause), and archive it when they are done.`,
  );
}

/** The reason why a queue with these items and automations cannot be deleted: everything that holds it, at once. */
export function decideDeletion(
  { id }: Pick<QueueDefinition, 'id'>,
  counts: Counts,
  automations: readonly NamedAutomation[],
): Refusal | undefined {
  const held = statuses.flatMap((status) => (counts[status] > 0 ? [{ status, count: counts[status] }] : []));
  const total = held.reduce((sum, { count }) => sum + count, 0);
  const parts = held.map(({ status, count }) => `${count} ${status}`).join(', ');
  const holds = [
    ...(total > 0 ? [`holds ${itemsInWords(total)} (${parts})`] : []),
    ...(automations.length > 0 ? [`has the ${namesOfAutomations(automations)}`] : []),
  ];
  if (holds.length === 0) return undefined;
  const details = [
    ...held.map(({ status, count }) => ({ field: status, message: itemsInWords(count) })),
    ...automations.map(({ id: automation, name }) => ({
      field: 'automation',
      message: `${automation} "${name}"`,
    })),
  ];
  const them = total === 0 && automations.length === 1 ? 'it' : 'them';
  return new Refusal(
    'IN_USE',
    `Queue ${id} ${holds.join(', and ')}. Delete ${them} first, or archive the queue with all that it holds: ` +
      `POST /v4/wlm/queues/${id}/archive.`,
    { details },
  );
}

function itemsInWords(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}
