import type { Connection } from './connection.ts';
import { sql, type Reader } from './db.ts';
import type { Log } from './operation.ts';

const index = 'work_item_texts_trigrams';

// Both extensions come with PostgreSQL and may be made by who owns a database, but not every installation has them on its disk.
const preparation = `do $$ begin
  create extension if not exists pg_trgm;
  create extension if not exists btree_gin;
  create index ${index} on work_item_texts using gin (queue_id, text gin_trgm_ops);
exception when others then raise notice '%', sqlerrm;
end $$`;

/** Makes the index by which parts of texts are found, where the database is able to have one: no queue needs it before it is there. */
export async function prepareTrigrams(client: Connection, log: Pick<Log, 'info'>): Promise<void> {
  if (await isThere(client)) return;
  let reason = '';
  const note = ({ message = '' }: { message?: string | undefined }) => (reason = message);
  client.on('notice', note);
  await client.query(preparation);
  client.off('notice', note);
  if (await isThere(client)) return;
  log.info({ reason }, 'no queue can have searchedAttributes: the database lacks pg_trgm and btree_gin');
}

async function isThere(client: Connection): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(`select to_regclass('${index}') is not null as is`);
  return rows[0]?.is ?? false;
}

/** Whether the database finds parts of texts by an index. */
export async function hasTrigrams(db: Reader): Promise<boolean> {
  const row = await db.row<{ is: boolean }>(sql`select to_regclass(${index}::text) is not null as is`);
  return row?.is ?? false;
}
