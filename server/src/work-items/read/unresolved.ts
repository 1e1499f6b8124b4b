import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../../access/members/membership.ts';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import type { Actor, PlainOperation } from '../../engine/operation.ts';

const shownItems = 100;

export const listDoubts: PlainOperation<'listDoubts'> = async ({ db, actor }, { query }) => {
  const wanted = unresolved(actor, query.queueId);
  const total = await countUnresolved(db, wanted);
  return { total, list: await selectUnresolved(db, wanted, query.limit ?? shownItems) };
};

/** The condition for items in doubt in the queues that the caller sees, or in one of them. */
function unresolved(actor: Actor, queueId: Id | undefined): Sql {
  return sql`i.failure_kind = 'IN_DOUBT' and ${seenBy(actor)}
    and (${queueId}::bigint is null or i.queue_id = ${queueId}::bigint)`;
}

/** The number of items that are IN_DOUBT. */
async function countUnresolved(db: Db, wanted: Sql): Promise<number> {
  const row = await db.row<{ count: Id }>(sql`
    select count(*) from work_items i join queues q on q.id = i.queue_id
    where ${wanted}`);
  return Number(row?.count);
}

/** The items that are IN_DOUBT, longest-waiting first. */
function selectUnresolved(db: Db, wanted: Sql, limit: number): Promise<Schemas['ItemInDoubt'][]> {
  return db.rows(sql`
    select i.queue_id as "queueId", q.name as "queueName", i.id, i.version, i.ended_on as since,
      i.point_of_no_return_on as "pointOfNoReturnOn", i.device_id as "deviceId", i.error
    from work_items i join queues q on q.id = i.queue_id
    where ${wanted} order by i.ended_on, i.id limit ${limit}`);
}
