import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { Connection } from './connection.ts';
import { sessionSettings, sql, type ConnectionConfig, type Reader } from './db.ts';
import { Unanswered } from './errors.ts';
import type { Log } from './operation.ts';
import { sleep } from './sleep.ts';

const folder = path.join(import.meta.dirname, '../../migrations');
/** Any number will do, as long as every Millrace server takes the same. */
const migrationLock = 7_455_701;
const answerMs = 10_000;
const watchMs = 15_000;

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Brings the database to the schema of this version. Servers that start together wait for each other.
 * @param connection must lead to PostgreSQL itself, or to a pooler that keeps its session.
 * @param stopping breaks the connection when it aborts, and with it the migration under way.
 * @throws Error when the database cannot be reached or is of a newer version, or an applied migration was edited since.
 */
export async function migrate(
  connection: ConnectionConfig,
  log: Pick<Log, 'info' | 'warn'>,
  stopping?: AbortSignal,
): Promise<void> {
  const client = new Connection(connection);
  const hangUp = () => void client.end();
  stopping?.addEventListener('abort', hangUp);
  await client.connect().catch(sayWhereToLook);
  const done = new AbortController();
  const watching = watchOver(client, connection, done.signal);
  try {
    client.deadline = answerMs;
    await refuseOldPostgres(client).catch(sayWhereToLook);
    // From here on, waits for other servers and migrations may take any time.
    client.deadline = 0;
    await applyAll(client, log);
  } finally {
    stopping?.removeEventListener('abort', hangUp);
    done.abort();
    await client.end();
    await watching;
  }
}

/** Gives the connection up when the database accepts no new ones either: a long migration and a dead network look the same. */
async function watchOver(client: Connection, connection: ConnectionConfig, done: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(watchMs, done);
    if (done.aborted) return;
    const probe = new Connection(connection);
    await probe.connect().catch((error: Error) => {
      if (error.message === 'timeout expired')
        client.break(new Error('The database has fallen silent. Look whether it and the network are well.'));
    });
    await probe.end();
  }
}

/** An error for a name with several addresses, such as `localhost`, comes without a message. */
function sayWhereToLook(error: Error & { code?: string }): never {
  const isSilent = error instanceof Unanswered || error.message === 'timeout expired';
  const what = isSilent ? 'it does not answer' : error.message || error.code || 'no answer';
  throw new Error(
    `PostgreSQL cannot be used: ${what}. If it is your own, check that it runs, and address, user and password in MILLRACE_DATABASE_URL and, if it is set, MILLRACE_DATABASE_DIRECT_URL.`,
    { cause: error },
  );
}

async function refuseOldPostgres(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (major < 15) throw new Error(`Millrace needs PostgreSQL 15 or newer; this server is version ${major}.`);
}

// The settings that keep requests short would interrupt migrations, or give them bad plans.
const unhurried = [
  'set local statement_timeout = 0; set local lock_timeout = 0',
  ...Object.keys(sessionSettings)
    .filter((name) => name.startsWith('enable_'))
    .map((name) => `set local ${name} = on`),
].join('; ');

async function applyAll(client: Connection, log: Pick<Log, 'info' | 'warn'>): Promise<void> {
  let isTold = false;
  const tell = () => {
    if (!isTold) log.warn({}, 'another server migrates the database; waiting for it');
    isTold = true;
  };
  for (;;) {
    const migration = await applyNext(client, tell);
    if (migration === undefined) break;
    log.info({ migration }, 'applied a migration');
  }
  await inTurn(client, tell, () => prepareTrigrams(client, log));
}

/** Does work in a transaction during which no other server changes the schema. @param waits is called before a wait for another server */
async function inTurn<T>(client: Connection, waits: () => void, work: () => Promise<T>): Promise<T> {
  await client.query(`begin; ${unhurried}`);
  try {
    await takeTurn(client, waits);
    const done = await work();
    await client.query('commit');
    return done;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/**
 * Applies the next migration, if there is one.
 * @param waits is called before a wait for another server.
 * @returns its name
 */
function applyNext(client: Connection, waits: () => void): Promise<string | undefined> {
  return inTurn(client, waits, async () => {
    await client.query(`create table if not exists migrations (
      name text primary key, checksum text not null, applied_on timestamptz not null default now())`);
    const [next] = await pending(client);
    if (next) await apply(client, next);
    return next?.name;
  });
}

/** Keeps other servers from migrating until the end of the transaction. A lock of the session would outlive it with a pooler. */
async function takeTurn(client: Connection, waits: () => void): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(
    `select pg_try_advisory_xact_lock(${migrationLock}) as taken`,
  );
  if (rows[0]?.taken) return;
  waits();
  await client.query(`select pg_advisory_xact_lock(${migrationLock})`);
}

async function pending(client: pg.Client): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from migrations',
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  const known = readMigrations();
  for (const { name, checksum } of known) {
    if (applied.has(name) && applied.get(name) !== checksum) {
      throw new Error(
        `Migration ${name} was edited after it ran on this database. Restore the file; changes need a new one.`,
      );
    }
    applied.delete(name);
  }
  const [newer] = applied.keys();
  if (newer)
    throw new Error(
      `This database was used by a newer Millrace (migration ${newer}). Start that version or a later one.`,
    );
  const done = new Set(rows.map((row) => row.name));
  return known.filter(({ name }) => !done.has(name));
}

function readMigrations(): Migration[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
  return files.map((name) => {
    const text = readFileSync(path.join(folder, name), 'utf8');
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
  });
}

async function apply(client: pg.Client, { name, text, checksum }: Migration): Promise<void> {
  try {
    // The row comes first: when another server was faster in spite of the lock, nothing else runs.
    await client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query(text);
  } catch (error) {
    throw new Error(`Migration ${name} failed: ${(error as Error).message}. Nothing of it was kept.`, {
      cause: error,
    });
  }
}

const index = 'work_item_texts_trigrams';

// Both extensions come with PostgreSQL and can be created by the owner of a database, but not every installation has them on its disk.
const preparation = `do $$ begin
  create extension if not exists pg_trgm;
  create extension if not exists btree_gin;
  create index ${index} on work_item_texts using gin (queue_id, text gin_trgm_ops);
exception when others then raise notice '%', sqlerrm;
end $$`;

/** Makes the index for searches of parts of texts, where the database is able to have one: no queue needs it earlier. */
async function prepareTrigrams(client: Connection, log: Pick<Log, 'info'>): Promise<void> {
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
