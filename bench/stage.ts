import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@millrace/api';
import pg from 'pg';
import { startPostgres } from '../server/src/postgres/supervisor.ts';
import { start, stopAll } from './children.ts';
import { parentOf } from './cpu.ts';

/** Everything under measurement, started on one PostgreSQL that waits for the disk. */
export interface Stage {
  readonly connection: pg.ClientConfig;
  /** For questions about the database itself. */
  readonly database: pg.Client;
  /** The processes whose time is counted. */
  readonly pids: { readonly server: number; readonly bare: number; readonly postmaster: number };
  readonly server: string;
  readonly bare: string;
  /** The administrator. */
  readonly client: Client;
  /** Tokens of consumers, each of a user who is a member of the queue. */
  readonly tokens: readonly string[];
  readonly queueId: number;
  /** The settings of PostgreSQL that matter here. */
  readonly settings: Readonly<Record<string, string>>;
}

export const consumers = 64;
export const password = 'a password for the bench';

// The written log is read again, to count it.
const settings = {
  wal_keep_size: '6GB',
  max_wal_size: '4GB',
  max_connections: '200',
  shared_preload_libraries: 'pg_stat_statements',
  // Statements end with the program that sent them.
  client_connection_check_interval: '1s',
};
const shown = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'shared_buffers',
  'max_wal_size',
  'wal_compression',
];

/** Runs work on a stage, and removes everything afterwards. */
export async function withStage<T>(work: (stage: Stage) => Promise<T>, processes = '1'): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const postgres = await startPostgres({ dataFolder: folder, log: () => undefined, settings });
  const children: ChildProcess[] = [];
  const database = new pg.Client(postgres.connection);
  try {
    await database.connect();
    return await work(await build({ connection: postgres.connection, processes }, database, children));
  } finally {
    await stopAll(children);
    await database.end();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function build(
  { connection, processes }: { readonly connection: pg.ClientConfig; readonly processes: string },
  database: pg.Client,
  children: ChildProcess[],
): Promise<Stage> {
  const server = await start(children, 'serve.ts', [JSON.stringify(connection), password, processes]);
  const client = createClient({ url: server, username: 'admin', password });
  const queueId = await createQueue(client);
  const bare = await start(children, 'bare.ts', [await publicKeyOf(database)]);
  await database.query('create extension if not exists pg_walinspect');
  return {
    connection,
    database,
    pids: {
      server: children[0]?.pid ?? 0,
      bare: children[1]?.pid ?? 0,
      postmaster: await postmasterOf(database),
    },
    server,
    bare,
    client,
    tokens: await createConsumers(client, server, queueId),
    queueId,
    settings: await readSettings(database),
  };
}

async function createQueue(client: Client): Promise<number> {
  const types = {
    number: 'TEXT',
    customer: 'TEXT',
    amount: 'NUMBER',
    due: 'DATE',
    urgent: 'BOOLEAN',
    note: 'TEXT',
  } as const;
  const attributes = Object.entries(types).map(([name, type]) => ({ name, type }));
  const model = await client.createWorkItemModel({ body: { name: 'Invoice', attributes } });
  const queue = await client.createQueue({ body: { name: 'Invoices', workItemModelId: model.id as number } });
  return Number(queue.id);
}

/** Fresh users, each a member of the queue and one of its consumers. @returns their tokens */
async function createConsumers(client: Client, url: string, id: number): Promise<string[]> {
  const path = { id };
  const { list } = await client.listRoles();
  const role = Number(list.find(({ name }) => name === 'AAE_Bot Runner')?.id);
  await client.addQueueConsumer({ path, body: { roleId: role } });
  const tokens: string[] = [];
  for (let index = 0; index < consumers; index += 1) {
    const username = `consumer-${index}`;
    const user = await client.createUser({ body: { username, password, roles: [{ id: role }] } });
    await client.addOrUpdateQueueMember({
      path: { ...path, userId: user.id },
      body: { role: 'PARTICIPANT' },
    });
    // A client keeps the token of its last log-in: this one is the consumer's.
    const consumer = createClient({ url, username, password });
    tokens.push((await consumer.logIn({ body: { username, password } })).token);
  }
  return tokens;
}

async function publicKeyOf(database: pg.Client): Promise<string> {
  const { rows } = await database.query<{ public_key: string }>('select public_key from signing_keys');
  return rows[0]?.public_key ?? '';
}

/** The PostgreSQL process that is the parent of all its others. */
export async function postmasterOf(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ id: number }>('select pg_backend_pid() as id');
  return parentOf(rows[0]?.id ?? 0);
}

async function readSettings(database: pg.Client): Promise<Record<string, string>> {
  const { rows } = await database.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any($1)',
    [shown],
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
