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
