import { describe, expect, test } from 'vitest';
import { migrate } from './migrate.ts';
import { connectionOfWorker, createDatabase } from '../testing/app.ts';
import { startLine } from '../testing/line.ts';
import { dumpSchema } from '../testing/schema.ts';
import pg from 'pg';

const nothing = () => undefined;
const quiet = { info: nothing, warn: nothing };
/** Collects the applied migrations. */
const noting = (applied: object[]) => ({ ...quiet, info: (members: object) => void applied.push(members) });

async function run(connection: pg.ClientConfig, statement: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe('the migrations', () => {
  test('make the schema that is committed in server/schema.sql', async () => {
    await expect(await dumpSchema(await createDatabase())).toMatchFileSnapshot('../../schema.sql');
  });

  test('run once, and change nothing when they run again', async () => {
    const connection = await createDatabase();
    const applied: object[] = [];
    await migrate(connection, noting(applied));
    expect(applied).toEqual([]);
  });

  test('run once when several servers start together on an empty database', async () => {
    const connection = { ...connectionOfWorker(), database: `together_${Date.now()}` };
    await run(connectionOfWorker(), `create database ${connection.database}`);
    const applied: object[] = [];
    await Promise.all([1, 2, 3].map(() => migrate(connection, noting(applied))));
    expect(applied.length).toBe(new Set(applied.map((one) => JSON.stringify(one))).size);
    expect(applied).toContainEqual({ migration: '0001_foundation.sql' });
    expect(await dumpSchema(connection)).toBe(await dumpSchema(await createDatabase()));
  });

  test('refuse a database of a newer Millrace, by name', async () => {
    const connection = await createDatabase();
    await run(connection, "insert into migrations (name, checksum) values ('9999_future.sql', 'x')");
    await expect(migrate(connection, quiet)).rejects.toThrow('newer Millrace (migration 9999_future.sql)');
  });

  test.each([
    { what: 'a port where nobody listens', port: 1, says: /ECONNREFUSED/ },
    { what: 'a host with several addresses', host: 'localhost', port: 1, says: /ECONNREFUSED/ },
    {
      what: 'a database that is not there',
      ...connectionOfWorker(),
      database: 'nowhere',
      says: /"nowhere" does not exist/,
    },
  ])('say what is wrong and where to look, given $what', async ({ what: _, says, ...wrong }) => {
    const failing = migrate({ host: '127.0.0.1', user: 'millrace', ...wrong }, quiet);
    await expect(failing).rejects.toThrow(says);
    await expect(failing).rejects.toThrow('MILLRACE_DATABASE_URL');
  });

  test('refuse to go on when one was edited after it ran', async () => {
    const connection = await createDatabase();
    await run(connection, "update migrations set checksum = 'other' where name = '0001_foundation.sql'");
    await expect(migrate(connection, quiet)).rejects.toThrow('0001_foundation.sql was edited after it ran');
  });

  test('wait for another server that migrates, say so, and keep no lock afterwards', async () => {
    const connection = await createDatabase();
    const other = new pg.Client(connection);
    await other.connect();
    await other.query('begin; select pg_advisory_xact_lock(7455701)');
    const messages: string[] = [];
    const log = { ...quiet, warn: (_: object, message: string) => void messages.push(message) };
    const migrating = migrate(connection, log);
    await expect.poll(() => messages).toContain('another server migrates the database; waiting for it');
    await other.query('commit');
    await migrating;
    const { rowCount } = await other.query(`select from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`);
    expect(rowCount).toBe(0);
    await other.end();
  });

  test('say that the database does not answer, instead of waiting for ever', async () => {
    const line = await startLine(await createDatabase());
    line.swallow();
    await expect(migrate(line.connection, quiet)).rejects.toThrow('it does not answer');
  });
});
