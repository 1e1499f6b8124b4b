import type { Id } from '@millrace/api';
import { sql, type Reader } from '../engine/db.ts';

/** A queue of a tenant, present or deleted, whose events may still have plain values that its model marks as sensitive. */
export async function findUnsealed(db: Reader, tenantId: Id): Promise<Id | undefined> {
  const marked = sql`exists (select from json_array_elements(q.attributes) a where a ->> 'sensitivity' is not null)`;
  const row = await db.row<{ id: Id }>(sql`
    select q.id from queues q where q.tenant_id = ${tenantId} and q.rekey_after is not null and ${marked}
    union all
    select q.id from deleted_queues q where q.tenant_id = ${tenantId} and q.rekey_after is not null and ${marked}
    limit 1`);
  return row?.id;
}
