import {
  statuses,
  type Id,
  type Operation,
  type OperationId,
  type Schemas,
  type Status,
} from '@millrace/api';
import { namesOfAutomations, type NamedAutomation } from '../automations/rules.ts';
import { Refusal } from '../errors.ts';
import type { Capability } from '../members/rules.ts';
import type { Attribute } from '../models/rules.ts';

/** What operations on the items of a queue need to know of it. */
export interface QueueDefinition {
  readonly id: Id;
  readonly tenantId: Id;
  readonly modelId: Id;
  readonly name: string;
  /** Nothing is granted while INACTIVE. */
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** Then it is INACTIVE, and read-only. */
  readonly archived: boolean;
  readonly disallowDuplicate: boolean;
  /** Attributes that make two items duplicates; all of the model when there are none. */
  readonly uniqueBy: readonly string[];
  /** Whether items that are done are compared as well. */
  readonly duplicateScope: 'ALL' | 'OPEN';
  readonly autoRetryLimit: number;
  /** After so many lapses in a row an item fails; 0 for never. */
  readonly lapseLimit: number;
  readonly processingOrders: readonly string[];
  readonly displayColumns: readonly string[];
  readonly expiry?: Schemas['QueueExpiry'];
  readonly retryBackOff?: Schemas['RetryBackOff'];
  /** Those of the model, now. */
  readonly attributes: readonly Attribute[];
  readonly modelVersion: number;
  /** Records of older versions of the model have other names. */
  readonly namesSince: number;
}

/** The attribute that an order names, and its direction; a leading `-` is descending unless it is part of the name. */
export function orderOf(attributes: readonly Attribute[], order: string) {
  const exact = attributes.find(({ name }) => name === order);
  if (exact) return { attribute: exact, isDescending: false };
  const attribute = attributes.find(({ name }) => `-${name}` === order);
  return attribute && { attribute, isDescending: true };
}

const expiryUnitMs: Record<string, number> = { MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 };

/** When an item of the queue, created now, expires. */
export function expiryOf({ expiry }: Pick<QueueDefinition, 'expiry'>, now: Date): Date | undefined {
  if (!expiry) return undefined;
  if (expiry.type === 'DATE') return expiry.date ? new Date(expiry.date) : undefined;
  return new Date(now.getTime() + (expiry.duration ?? 0) * (expiryUnitMs[expiry.durationUnit ?? ''] ?? 0));
}

/** Why a queue takes no items now, whoever brings them. */
export function decideIntake(queue: Pick<QueueDefinition, 'id' | 'expiry'>, now: Date): Refusal | undefined {
  const expiresOn = expiryOf(queue, now);
  if (expiresOn === undefined || expiresOn > now) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    `Queue ${queue.id} takes no items: they would expire at once, since its expiry, ${expiresOn.toISOString()}, has passed. ` +
      'An owner of the queue can change that (updateQueue).',
  );
}

/** The pause that a request asks for. */
export function decidePause({ reason, until }: Schemas['PauseRequest'], now: Date) {
  const end = until ? new Date(until) : undefined;
  if (!end || end > now) return { reason, until: end };
  const message = `has passed: it is ${now.toISOString()} by now`;
  return new Refusal('INVALID_REQUEST', `until ${message}.`, { details: [{ field: 'until', message }] });
}

/** What may be called on an archived queue besides what only reads; those who still wait for its items hear of none. */
const openInArchive: readonly OperationId[] = [
  'archiveQueue',
  'restoreQueue',
  'deleteQueue',
  'claimWorkItems',
  'heartbeatWorkItems',
  'watchWorkItems',
  'finishWorkItems',
];

/** Why an operation may not be called on the queue, if it is archived. */
export function decideArchived(
  queue: Pick<QueueDefinition, 'id' | 'archived'>,
  operationId: OperationId,
  { effect }: Pick<Operation, 'effect'>,
): Refusal | undefined {
  if (!queue.archived || effect === 'read' || openInArchive.includes(operationId)) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    `Queue ${queue.id} is archived and cannot be changed. Restore it first: POST /v4/wlm/queues/${queue.id}/restore.`,
  );
}

/** A queue that a request names besides its own, if the caller may use it so. */
export function decideOther(
  queue: QueueDefinition | undefined,
  id: Id,
  { needed, capabilities }: { readonly needed: Capability; readonly capabilities: ReadonlySet<Capability> },
): QueueDefinition | Refusal {
  if (!queue || capabilities.size === 0)
    return new Refusal('NOT_FOUND', `There is no queue ${id}, or you do not belong to it.`);
  if (!capabilities.has(needed))
    return new Refusal(
      'FORBIDDEN',
      `You may not ${needed} items in queue ${id}. Ask an owner of that queue.`,
    );
  if (!queue.archived) return queue;
  return new Refusal('STATUS_CONFLICT', `Queue ${id} is archived and takes no items. Restore it first.`);
}

type Counts = Readonly<Record<Status, number>>;

/** Why a queue with these items cannot be archived. */
export function decideArchiving({ id }: Pick<QueueDefinition, 'id'>, counts: Counts): Refusal | undefined {
  const running = counts.IN_PROGRESS;
  if (running === 0) return undefined;
  return new Refusal(
    'IN_USE',
    `${running === 1 ? 'One item' : `${running} items`} of queue ${id} ${running === 1 ? 'is' : 'are'} in progress. ` +
      `Pause the queue (POST /v4/wlm/queues/${id}/pause), and archive it when they are done.`,
  );
}

/** Why a queue with these items and automations cannot be deleted: all that holds it, at once. */
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

const dayInSeconds = 86_400;

/**
 * How many milliseconds an item waits before it is tried again; none without a back-off.
 * @param retries how often it was tried again before.
 * @param chance at random from 0 up to 1: how much of the jitter shortens the wait.
 */
export function backOffMs(backOff: QueueDefinition['retryBackOff'], retries: number, chance: number): number {
  if (!backOff) return 0;
  const { type, seconds = 0, maxSeconds = dayInSeconds, jitterPercent = 0 } = backOff;
  const wait = type === 'FIXED' ? seconds : Math.min(seconds * 2 ** retries, maxSeconds);
  return Math.round(1000 * wait * (1 - (chance * jitterPercent) / 100));
}
