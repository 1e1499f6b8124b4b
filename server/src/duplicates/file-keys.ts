import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';

// The keys of all rows of a file are taken before the first row is stored, in one order: taken portion by portion, two files would wait for
// each other. They lie in a temporary table, as a file may have a million of them.

/** Creates the table for the keys of a file, which lasts as long as the transaction. */
export async function openFileKeys(db: Db): Promise<void> {
  await db.rows(sql`
    create temporary table file_keys (row int, hash bytea, id bigint default nextval('work_items_id_seq')) on commit drop`);
}

/** Notes the keys of rows. */
export async function addFileKeys(db: Db, rows: readonly number[], hashes: readonly string[]): Promise<void> {
  await db.write(sql`
    insert into file_keys (row, hash) select r, h::bytea from unnest(${rows}::int[], ${hashes}::text[]) as k (r, h)`);
}

const keysAtOnce = 10_000;

/** Takes the noted keys: each goes to the first row that has it, unless an item of the queue holds it. */
export async function takeFileKeys(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`create index on file_keys (hash, row)`);
  await db.rows(sql`create index on file_keys (row)`);
  await db.rows(sql`create index on file_keys (id)`);
  await db.rows(sql`analyze file_keys`);
  for (let last: string | undefined = '\\x'; last !== undefined;) last = await takeSome(db, queueId, last);
}

/** Takes the next keys in their order; returns the last of them. */
async function takeSome(db: Db, queueId: Id, after: string): Promise<string | undefined> {
  const row = await db.row<{ hash: string }>(sql`
    with next as materialized (
      select distinct on (hash) hash, id from file_keys where hash > ${after}::bytea order by hash, row limit ${keysAtOnce}),
    taken as (
      insert into work_item_hashes (queue_id, hash, item_id) select ${queueId}, hash, id from next order by hash
      on conflict do nothing)
    select hash::text from next order by hash desc limit 1`);
  return row?.hash;
}

/** A row whose key is decided: the id for its item, and the other holder of the key, if there is one: an item, or an earlier row. */
export interface KeyedRow {
  readonly row: number;
  readonly id: Id;
  readonly holderId?: Id;
  readonly holderRow?: number;
}

/**
 * The holders of the keys of these rows, in the order of the rows. A key whose holder has released it since, for which a long file leaves
 * time, goes to the first of the rows that has it: every key is held when this returns. If two files wait for each other here, the database
 * ends one, which runs again.
 */
export async function readFileKeys(db: Db, queueId: Id, rows: readonly number[]): Promise<KeyedRow[]> {
  for (;;) {
    const keyed = await selectKeyed(db, queueId, rows);
    const free = keyed.filter(({ isFree }) => isFree).map(({ row }) => row);
    if (free.length === 0) return keyed;
    await takeFreed(db, queueId, free);
  }
}

async function selectKeyed(db: Db, queueId: Id, rows: readonly number[]) {
  const keyed = await db.rows<KeyedRow & { readonly isFree: boolean }>(sql`
    select k.row, k.id, nullif(h.item_id, k.id) as "holderId", h.item_id is null as "isFree",
      (select o.row from file_keys o where o.id = h.item_id and o.id <> k.id) as "holderRow"
    from unnest(${rows}::int[]) as r (row) join file_keys k on k.row = r.row
      left join work_item_hashes h on h.queue_id = ${queueId} and h.hash = k.hash`);
  // With "order by", the database would walk over all rows of the file in the order of their index.
  return keyed.toSorted((one, other) => one.row - other.row);
}

async function takeFreed(db: Db, queueId: Id, rows: readonly number[]): Promise<void> {
  await db.rows(sql`
    insert into work_item_hashes (queue_id, hash, item_id)
    select distinct on (k.hash) ${queueId}, k.hash, k.id from unnest(${rows}::int[]) as r (row) join file_keys k on k.row = r.row
    order by k.hash, k.row
    on conflict do nothing`);
}
