import { signatureOf, stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import { portion } from '../item/sql.ts';

const hourMs = 3_600_000;

/**
 * Writes missing signatures of failures: older ones, and those that a server of an older version leaves while it still runs. Goes from
 * queue to queue, a portion at a time, and then rests.
 */
export function signFailures(): Job {
  let after: Id = 0;
  const run: Job['run'] = async ({ db }) => {
    const queueId = await selectQueueAfter(db, after);
    if (queueId === undefined) {
      after = 0;
      return hourMs;
    }
    const items = await lockUnsigned(db, queueId);
    if (items.length > 0) await saveSignatures(db, queueId, items);
    if (items.length < portion) after = queueId;
    return 0;
  };
  return { name: 'signFailures', run };
}

async function selectQueueAfter(db: Db, after: Id): Promise<Id | undefined> {
  const row = await db.row<{ id: Id }>(sql`select id from queues where id > ${after} order by id limit 1`);
  return row?.id;
}

function lockUnsigned(db: Db, queueId: Id): Promise<{ id: Id; error?: string | null }[]> {
  return db.rows(sql`
    select id, error from work_items where queue_id = ${queueId} and status = 'FAILED' and error_signature is null
    order by id limit ${portion} for no key update skip locked`);
}

async function saveSignatures(
  db: Db,
  queueId: Id,
  items: readonly { id: Id; error?: string | null }[],
): Promise<void> {
  const rows = items.map(({ id, error }) => ({ id, signature: signatureOf(error) }));
  await db.rows(sql`
    with n as materialized (
      select found.place, r.signature from json_to_recordset(${stringifyJson(rows)}::json) as r (id bigint, signature text)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = r.id offset 0) found)
    update work_items i set error_signature = n.signature from n where i.ctid = n.place`);
}
