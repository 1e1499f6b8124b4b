import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { ConnectionConfig } from './db.ts';
import type { Log } from './operation.ts';

const folder = path.join(import.meta.dirname, '../migrations');
/** Any number will do, as long as every Millrace server takes the same. */
const migrationLock = 7_455_701;

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Brings the database to the schema of this version. Servers that start together wait for each other.
 * @param stopping breaks the connection when it aborts, and with it the migration that runs.
 * @throws Error when the database cannot be reached, is of a newer version, or a migration that ran was edited since.
 */
export async function migrate(
  connection: ConnectionConfig,
  log: Pick<Log, 'info' | 'warn'>,
  stopping?: AbortSignal,
): Promise<void> {
  const client = new pg.Client(connection);
  // A connection that breaks is reported by the statement that runs on it; unheard, it would end this process.
  client.on('error', () => undefined);
  const hangUp = () => void client.end();
  stopping?.addEventListener('abort', hangUp);
  await client.connect().catch(sayWhereToLook);
  try {
    await refuseOldPostgres(client);
    await warnOfLoss(client, log);
    await client.query(`select pg_advisory_lock(${migrationLock})`);
    await client.query(`create table if not exists migrations (
      name text primary key, checksum text not null, applied_on timestamptz not null default now())`);
    for (const migration of await pending(client)) {
      await apply(client, migration);
      log.info({ migration: migration.name }, 'applied a migration');
    }
  } finally {
    stopping?.removeEventListener('abort', hangUp);
    await client.end();
  }
}

/** An error for several addresses, as `localhost` has, comes without a message. */
function sayWhereToLook(error: Error & { code?: string }): never {
  const what = error.message || error.code || 'no answer';
  throw new Error(
    `PostgreSQL cannot be used: ${what}. If it is your own, check that it runs, and address, user and password in MILLRACE_DATABASE_URL.`,
    { cause: error },
  );
}

async function refuseOldPostgres(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (major < 15) throw new Error(`Millrace needs PostgreSQL 15 or newer; this server is version ${major}.`);
}

/** An answer means that the work is on disk; a database that is set to answer earlier breaks that promise. */
async function warnOfLoss(client: pg.Client, log: Pick<Log, 'warn'>): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select name from pg_settings where name in ('synchronous_commit', 'fsync') and setting = 'off'`,
  );
  for (const { name } of rows)
    log.warn({ setting: name }, `PostgreSQL runs with ${name} off: a crash loses work that was acknowledged`);
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
    await client.query('begin');
    // The row first: when another server was faster in spite of the lock, nothing else runs.
    await client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query(text);
    await client.query('commit');
  } catch (error) {
    throw new Error(`Migration ${name} failed: ${(error as Error).message}. Nothing of it was kept.`, {
      cause: error,
    });
  }
}
