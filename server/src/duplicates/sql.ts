import { stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../db.ts';

/** The hash of an item's data, as PostgreSQL writes bytes. */
export interface ItemHash {
  readonly itemId: Id;
  readonly hash: string;
}

/** Stores hashes of items; answers which of them other items have already. */
export async function insertHashes(db: Db, queueId: Id, hashes: readonly ItemHash[]) {
  const input = sql`json_to_recordset(${stringifyJson(hashes)}::json) as r ("itemId" bigint, hash bytea)`;
  // In the order of the hashes, so that two transactions with the same hashes never wait for each other.
  await db.rows(sql`
    insert into work_item_hashes (queue_id, hash, item_id)
    select ${queueId}, r.hash, r."itemId" from ${input} order by r.hash, r."itemId" on conflict do nothing`);
  return db.rows<{ itemId: Id; existingId: Id }>(sql`
    select r."itemId", h.item_id as "existingId" from ${input}
    join work_item_hashes h on h.queue_id = ${queueId} and h.hash = r.hash and h.item_id <> r."itemId"`);
}

export async function deleteHashes(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<void> {
  await db.rows(sql`
    delete from work_item_hashes where queue_id = ${queueId} and item_id = any(${itemIds}::bigint[])`);
}
