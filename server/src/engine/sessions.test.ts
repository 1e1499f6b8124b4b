import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { openPool, sessionSettings } from './db.ts';
import { migrate } from './migrate.ts';
import { prepareSessions } from './sessions.ts';
import { connectionOfWorker, createDatabase, startApp } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { startLine } from '../testing/line.ts';
import { startPooler } from '../testing/pooler.ts';

const nothing = () => undefined;
const log = { info: nothing, warn: nothing };

async function run(connection: pg.ClientConfig, ...statements: string[]): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** An empty database of a user without any defaults, like one made on an existing PostgreSQL. */
async function createOwnDatabase(): Promise<pg.ClientConfig> {
  const name = `own_${randomBytes(6).toString('hex')}`;
  await run(connectionOfWorker(), `create role ${name} login`, `create database ${name} owner ${name}`);
  return { ...connectionOfWorker(), user: name, database: name };
}

/** Tries whether the server would start on this pool. */
async function prepare(
  connection: pg.ClientConfig,
  direct: pg.ClientConfig,
  allowLoss = true,
): Promise<void> {
  const pool = openPool(connection, 2);
  try {
    await prepareSessions(pool, direct, { allowLoss, log });
  } finally {
    await pool.end();
  }
}

test('a start gives the sessions of its user their settings, without options and without setting one in a session', async () => {
  const database = await createOwnDatabase();
  const line = await startLine(database);
  const app = await startApp({}, line.connection);
  const queue = await createQueue(app);
  await queue.add(1, 2);
  await queue.claim(2);
  expect(line.sent()).not.toMatch(/\0options\0/);
  // As a message of its own, after another statement, or named.
  expect(line.sent()).not.toMatch(/(Q[^]{4}|;\s*|P[^]{4}[^\0]*\0)set (?!local )/i);
  expect(line.sent()).not.toContain('pg_advisory_lock');
  const pool = openPool(database, 1);
  for (const [name, value] of Object.entries(sessionSettings))
    expect((await pool.query<{ is: string }>(`select current_setting('${name}') as is`)).rows).toEqual([
      { is: value },
    ]);
  await pool.end();
});

test('a start on a database with its settings in force changes nothing', async () => {
  const database = await createDatabase();
  const line = await startLine(database);
  await prepare(line.connection, database);
  expect(line.sent()).not.toContain('alter role');
});

test('a start says which statements are missing when its user may not set them for the one that requests use', async () => {
  const database = await createOwnDatabase();
  await migrate(database, log);
  const stranger = { ...database, user: `${database.user}_app` };
  await run(connectionOfWorker(), `create role ${stranger.user} login`);
  const failing = prepare(stranger, database);
  await expect(failing).rejects.toThrow(
    `alter role "${stranger.user}" in database "${database.database}" set enable_seqscan = 'off';`,
  );
  await expect(failing).rejects.toThrow('RECONNECT');
});

test('a start is refused where requests would get another database than the one that was migrated', async () => {
  const [one, two] = [await createOwnDatabase(), await createDatabase()];
  await expect(prepare(one, two)).rejects.toThrow('must lead to the same database');
});

test('a start is refused where a commit does not wait for the disk, unless loss is allowed', async () => {
  const database = await createDatabase();
  const { user, database: name } = database;
  await expect(prepare(database, database, false)).rejects.toThrow('PostgreSQL runs with fsync off');
  await run(database, `alter role ${user} in database ${name} set synchronous_commit = off`);
  await expect(prepare(database, database, false)).rejects.toThrow('fsync and synchronous_commit off');
  await expect(prepare(database, database)).resolves.toBeUndefined();
});

test('a start is refused where a pooler shares sessions out between transactions, and says what is missing', async () => {
  const database = await createDatabase();
  const shared = await startPooler(database, 'transaction');
  await expect(prepare(shared, shared)).rejects.toThrow('Set MILLRACE_DATABASE_DIRECT_URL');
  await expect(prepare(shared, database)).rejects.toThrow('max_prepared_statements = 200 or more');
});

test('a start is taken where a pooler leaves each connection its session, also of a user without defaults', async () => {
  const database = await createOwnDatabase();
  const pooled = await startPooler(database, 'session');
  await migrate(pooled, log);
  await expect(prepare(pooled, pooled)).resolves.toBeUndefined();
});
