import type { Id, Schemas } from '@millrace/api';
import type { Attribute } from '../models/rules.ts';

/** What operations on the items of a queue need to know of it. */
export interface QueueDefinition {
  readonly id: Id;
  readonly tenantId: Id;
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly disallowDuplicate: boolean;
  readonly autoRetryLimit: number;
  readonly processingOrders: readonly string[];
  readonly displayColumns: readonly string[];
  readonly expiry?: Schemas['QueueExpiry'];
  readonly attributes: readonly Attribute[];
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
