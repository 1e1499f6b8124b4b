import type { Connection } from './connection.ts';
import { sql, type Reader } from './db.ts';
import type { Log } from './operation.ts';

const index = 'work_item_texts_trigrams';

// Both extensions come with PostgreSQL and can be created by the owner of a database, but not every installation has them on its disk.
const preparation = `do $$ begin
  create extension if not exists pg_trgm;
  create extension if not exists btree_gin;
  create index ${index} on work_item_texts using gin (queue_id, text gin_trgm_ops);
exception when others then raise notice '%', sqlerrm;
end $$`;

/** Makes the index for searches of parts of texts, where the database is able to have one: no queue needs it earlier. */
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

/** Whether the database has an index for parts of texts. */
export async function hasTrigrams(db: Reader): Promise<boolean> {
  const row = await db.row<{ is: boolean }>(sql`select to_regclass(${index}::text) is not null as is`);
  return row?.is ?? false;
}
