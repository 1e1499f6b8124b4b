import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { findPostmaster } from '../postgres/cluster.ts';
import { startPostgres } from '../postgres/supervisor.ts';
import { startApp, type App } from '../testing/app.ts';
import { atEnd } from '../testing/endings.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

/** The application on a PostgreSQL with its usual settings, which waits for the disk; and its process, a new one after each kill. */
async function startDurable() {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'millrace-durable-'));
  atEnd(() => rmSync(dataFolder, { recursive: true, force: true, maxRetries: 20 }));
  // Keeps writes that do not wait for the disk off it for long enough to be lost.
  const settings = { shared_buffers: '16MB', wal_writer_delay: '10s' };
  const postgres = await startPostgres({ dataFolder, log: () => undefined, settings });
  atEnd(() => postgres.stop());
  // Without permission to lose anything, it refuses to start where the database would answer before the disk.
  const app = await startApp({ allowLoss: false }, postgres.connection);
  const processAfter = (killed?: number) =>
    eventually(
      () => findPostmaster(path.join(dataFolder, 'postgres')),
      (pid) => pid !== undefined && pid !== killed,
    );
  return { app, connection: postgres.connection, processAfter };
}

/** Flushes all earlier writes to the disk. */
async function settle(connection: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query('checkpoint');
  await client.end();
}

let made = 0;

/** Has four producers create items, and kills PostgreSQL at the moment of an acknowledgement; returns the acknowledged customers. */
async function killWhileItCreates({ owner, path: where }: QueueFixture, pid: number): Promise<string[]> {
  const acknowledged: string[] = [];
  let isKilled = false;
  const produce = async () => {
    while (!isKilled) {
      const customer = `customer ${(made += 1)}`;
      const body = { workItems: [{ json: { customer } }] };
      const { status } = await owner.call.createWorkItems({ path: where, body });
      if (status === 200) acknowledged.push(customer);
      if (isKilled || acknowledged.length < 20) continue;
      isKilled = true;
      process.kill(pid, 'SIGKILL');
    }
  };
  await Promise.all([1, 2, 3, 4].map(produce));
  return acknowledged;
}

/** The customers of all items. */
async function readCustomers({ owner, path: where }: QueueFixture): Promise<unknown[]> {
  const body = { page: { offset: 0, length: 1000 } };
  const list = () => owner.call.listWorkItems({ path: where, body });
  const answer = await eventually(list, ({ status }) => status !== 503);
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return answer.body.list.map(({ json }) => json?.['customer']);
}

async function warningsOf(app: App): Promise<unknown[]> {
  const { body } = await app.as(undefined).getReadiness();
  return body.warnings.map(({ code }) => code);
}

test('createWorkItems has on disk what it has acknowledged, though PostgreSQL is killed in that very moment', async () => {
  const { app, connection, processAfter } = await startDurable();
  expect(await warningsOf(app)).not.toContain('COMMITS_NOT_DURABLE');
  const queue = await createQueue(app);
  await settle(connection);
  let pid = Number(await processAfter());
  for (let round = 1; round <= 3; round += 1) {
    const acknowledged = await killWhileItCreates(queue, pid);
    // Sessions of the killed one may answer as long as there is no other.
    pid = Number(await processAfter(pid));
    const stored = new Set(await readCustomers(queue));
    expect(acknowledged.filter((customer) => !stored.has(customer))).toEqual([]);
  }
});
