import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { prepareTenant } from '../access/first-start.ts';
import { openPool, sessionSettings } from '../engine/db.ts';
import { migrate } from '../engine/migrate.ts';
import { startPostgres, type EmbeddedPostgres } from '../postgres/supervisor.ts';
import { password } from './password.ts';

const quiet = () => undefined;

/**
 * A PostgreSQL for each worker of a test run, with databases that test files clone: one migrated, and one with a tenant. Workers cannot share one: a transaction
 * of another database would hold up the feed of events, which reads no further than the oldest one.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-test-'));
  const workers = Array.from({ length: project.globalConfig.maxWorkers }, (_, index) => String(index + 1));
  const servers = await Promise.all(workers.map((worker) => start(path.join(folder, worker))));
  project.provide(
    'connections',
    servers.map(({ connection }) => connection),
  );
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
}

async function start(dataFolder: string): Promise<EmbeddedPostgres> {
  // Each test must see its own commits, but no data has to survive a power cut: fsync would only make the run slower. Nor do tables grow
  // for long: to look for dead rows takes a process for each of a hundred databases, every ten seconds.
  const settings = { fsync: 'off', max_connections: '300', autovacuum_naptime: '10min' };
  const postgres = await startPostgres({ dataFolder, log: quiet, settings });
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await client.query('create database millrace_template');
  // For all databases of the tests: a clone does not get the user defaults of its template.
  for (const [name, value] of Object.entries(sessionSettings))
    await client.query(`alter role current_user set ${name} = '${value}'`);
  await client.end();
  await migrate({ ...postgres.connection, database: 'millrace_template' }, { info: quiet, warn: quiet });
  await prepare(postgres.connection);
  return postgres;
}

/** A second template in which the first start is over, for the files that are not about it: a key, a tenant, `admin`. */
async function prepare(connection: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query('create database millrace_prepared template millrace_template');
  await client.end();
  const pool = openPool({ ...connection, database: 'millrace_prepared' }, 1);
  await prepareTenant(pool, password);
  await pool.end();
}

declare module 'vitest' {
  export interface ProvidedContext {
    connections: pg.ClientConfig[];
  }
}
