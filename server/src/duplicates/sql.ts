import { stringifyJson, type Id } from '@millrace/api';
import { named, sql, type Db } from '../db.ts';
import type { Claim } from './rules.ts';

/**
 * Takes places that nobody has; answers the hashes of those it took. In the order of the hashes, and each hash once, so that
 * transactions which want the same places never wait for each other.
 */
export async function insertHashes(db: Db, queueId: Id, claims: readonly Claim[]): Promise<string[]> {
  const statement = sql`
    insert into work_item_hashes (queue_id, hash, item_id)
    select ${queueId}, c.hash, c."itemId"
    from json_to_recordset(${stringifyJson(claims)}::json) as c ("itemId" bigint, hash bytea) order by c.hash
    on conflict do nothing returning hash::text`;
  const rows = await db.rows<{ hash: string }>(named('insertHashes', statement));
  return rows.map(({ hash }) => hash);
}

/** The items that have these places. */
export async function selectHolders(db: Db, queueId: Id, hashes: readonly string[]): Promise<Claim[]> {
  if (hashes.length === 0) return [];
  return db.rows<Claim>(sql`
    select h.item_id as "itemId", h.hash::text from unnest(${hashes}::text[]) as c (hash)
    join work_item_hashes h on h.queue_id = ${queueId} and h.hash = c.hash::bytea`);
}

/** Frees the places of items, but for those to keep. */
export async function deleteHashes(
  db: Db,
  queueId: Id,
  itemIds: readonly Id[],
  kept: readonly string[],
): Promise<void> {
  await db.write(sql`
    delete from work_item_hashes where queue_id = ${queueId} and item_id = any(${itemIds}::bigint[])
      and hash <> all(array(select k::bytea from unnest(${kept}::text[]) k))`);
}

/** Whether the queue frees the places of items that are done; it stays so until the transaction ends. */
export async function lockWhetherDoneAreFreed(db: Db, queueId: Id): Promise<boolean> {
  const statement = sql`
    select disallow_duplicate and duplicate_scope = 'OPEN' as "isFreed" from queues where id = ${queueId} for key share`;
  const [queue] = await db.rows<{ isFreed: boolean }>(named('lockWhetherDoneAreFreed', statement));
  return queue?.isFreed ?? false;
}

export async function deleteAllHashes(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`delete from work_item_hashes where queue_id = ${queueId}`);
}
