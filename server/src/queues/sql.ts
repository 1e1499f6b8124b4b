import type { Id } from '@millrace/api';
import { empty, raw, sql, type Db } from '../db.ts';
import type { QueueDefinition } from './rules.ts';

/**
 * The queue as operations on its items need it, and the time of the database.
 * @param isHeld keeps the queue from being deleted until the transaction ends.
 */
export function selectQueueDefinition(db: Db, queueId: Id, isHeld: boolean): Promise<QueueDefinition | undefined> {
  return db.row<QueueDefinition>(sql`
    select q.id, q.tenant_id as "tenantId", q.name, q.status, q.disallow_duplicate as "disallowDuplicate",
      q.auto_retry_limit as "autoRetryLimit", q.processing_orders as "processingOrders",
      q.display_columns as "displayColumns", q.expiry,
      (select json_agg(json_build_object('name', a.name, 'type', a.type, 'isRequired', a.is_required)
                       order by a.position)
         from work_item_attributes a where a.model_id = q.model_id) as attributes
    from queues q where q.id = ${queueId} ${isHeld ? raw('for key share of q') : empty}`);
}
