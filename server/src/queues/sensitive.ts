import type { Id } from '@millrace/api';
import { sql, type Reader } from '../engine/db.ts';
import type { Attribute } from '../engine/operation.ts';

/** The attributes of those of these queues, including deleted ones, that have sensitive attributes, or had. */
export async function sensitiveAttributes(
  db: Reader,
  queueIds: readonly Id[],
): Promise<ReadonlyMap<Id, readonly Attribute[]>> {
  if (queueIds.length === 0) return new Map();
  const rows = await db.rows<{ id: Id; attributes: Attribute[] }>(sql`
    select q.id, q.attributes from (
      select id, attributes from queues union all select id, attributes from deleted_queues) q
    where q.id = any(${queueIds}::bigint[])
      and exists (select from json_array_elements(q.attributes) a where a ->> 'sensitivity' is not null)`);
  return new Map(rows.map(({ id, attributes }) => [id, attributes]));
}
