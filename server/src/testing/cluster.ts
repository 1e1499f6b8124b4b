import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../migrate.ts';
import { startPostgres } from '../postgres/supervisor.ts';

const quiet = () => undefined;

/** One PostgreSQL for a test run, with a migrated database that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-test-'));
  // Each test must see what it committed, but none survives a power cut: fsync would only make the run slower.
  const postgres = await startPostgres({
    dataFolder: folder,
    log: quiet,
    settings: { fsync: 'off', max_connections: '300' },
  });
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await client.query('create database millrace_template');
  await client.end();
  await migrate({ ...postgres.connection, database: 'millrace_template' }, { info: quiet, warn: quiet });
  project.provide('connection', postgres.connection);
  return async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    connection: pg.ClientConfig;
  }
}
