import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canReach, findAccount } from './place.ts';
import { findPostmaster } from './cluster.ts';
import type { Connection } from './connection.ts';
import { startPostgres, type EmbeddedPostgres } from './supervisor.ts';

const fixture = fileURLToPath(new URL('serve.fixture.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
const nobody = findAccount(await readFile('/etc/passwd', 'utf8')) ?? { uid: 65_534, gid: 65_534 };
const nobodyCanRun =
  isRoot && (await canReach(dirname(fixture), nobody)) && (await canReach(process.execPath, nobody));

const folders: string[] = [];
const children: ChildProcess[] = [];
const running: EmbeddedPostgres[] = [];

/** A new, empty place for a data folder. As root, mode 0o700 keeps the account of PostgreSQL out. */
async function scratch(mode: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace postgres '));
  folders.push(folder);
  await chmod(folder, mode);
  return join(folder, 'data');
}

async function start(dataFolder: string, messages: string[] = []): Promise<EmbeddedPostgres> {
  const settings = { shared_buffers: '16MB' };
  const postgres = await startPostgres({ dataFolder, log: (message) => messages.push(message), settings });
  running.push(postgres);
  return postgres;
}

type Served = { connection: Connection; messages: string[]; process: ChildProcess };
type Event = { message?: string; up?: Connection; failed?: string };

/**
 * Runs the fixture, a process with its own embedded server, until it serves.
 *
 *
 * @throws the error with which it failed.
 */
async function serve(dataFolder: string, as: { uid?: number; gid?: number } = {}): Promise<Served> {
  const child = spawn(process.execPath, ['--import', 'tsx', fixture, dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    ...as,
  });
  children.push(child);
  const messages: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line) as Event;
    if (event.message !== undefined) messages.push(event.message);
    if (event.up !== undefined) return { connection: event.up, messages, process: child };
    if (event.failed !== undefined) throw new Error(event.failed);
  }
  throw new Error('The fixture ended without a word.');
}

async function killPostmaster(dataFolder: string): Promise<void> {
  const pid = await findPostmaster(join(dataFolder, 'postgres'));
  if (pid === undefined) throw new Error(`No PostgreSQL runs in ${dataFolder}.`);
  process.kill(pid, 'SIGKILL');
}

async function end(served: Served, signal: NodeJS.Signals): Promise<void> {
  const ended = once(served.process, 'exit');
  served.process.kill(signal);
  await ended;
}

async function query(connection: Connection, sql: string): Promise<unknown[]> {
  const client = new pg.Client(connection);
  client.on('error', () => {});
  await client.connect();
  try {
    const result = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return result.rows.flat();
  } finally {
    await client.end();
  }
}

async function queryUntilServed(connection: Connection, sql: string): Promise<unknown[]> {
  for (;;) {
    try {
      return await query(connection, sql);
    } catch {
      await pause(50);
    }
  }
}

// One failed test must not leave a server in the way of the next.
afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  for (const folder of folders) {
    const left = await findPostmaster(join(folder, 'data', 'postgres'));
    if (left !== undefined) process.kill(left, 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  }
});

describe('an embedded PostgreSQL', () => {
  let data: string;
  const cluster = () => join(data, 'postgres');

  beforeAll(async () => {
    data = await scratch(0o755);
    const postgres = await start(data);
    await query(postgres.connection, 'create table kept (word text)');
    await postgres.stop();
  });

  it('is durable, speaks every language and listens on its socket only', async () => {
    const postgres = await start(data);
    const names = ['fsync', 'synchronous_commit', 'data_checksums', 'server_encoding', 'listen_addresses'];
    const shown = await query(
      postgres.connection,
      `select ${names.map((n) => `current_setting('${n}')`).join()}`,
    );
    expect(shown).toEqual(['on', 'on', 'on', 'UTF8', '']);
    expect(await query(postgres.connection, 'select current_user, current_database()')).toEqual([
      'millrace',
      'millrace',
    ]);
    expect(await query(postgres.connection, `select upper('größe é я')`)).toEqual(['GRÖßE É Я']);
    expect((await stat(postgres.connection.host)).mode & 0o777).toBe(0o700);
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(await findPostmaster(cluster())).toBeUndefined();
  });

  it('quotes no values of rows in its log', async () => {
    const folder = await scratch(0o755);
    const { connection } = await start(folder);
    const client = new pg.Client(connection);
    await client.connect();
    await client.query('create temp table people (name text unique)');
    await client.query(`insert into people values ('Canary Person')`);
    const repeated = client.query('insert into people values ($1)', ['Canary Person']);
    await expect(repeated).rejects.toThrow('duplicate key');
    await client.end();
    const log = () => readFile(join(folder, 'postgres.log'), 'utf8');
    await expect.poll(log).toContain('duplicate key');
    expect(await log()).not.toContain('Canary Person) already');
  });

  it('keeps a second Millrace out', async () => {
    const postgres = await start(data);
    await expect(serve(data)).rejects.toThrow(`process ${process.pid}, is using this data folder`);
    await query(postgres.connection, 'select 1');
    await postgres.stop();
  });

  it('is taken over by the next Millrace when the first is killed', async () => {
    const first = await serve(data);
    await query(first.connection, `insert into kept values ('before the kill')`);
    const begun = await query(first.connection, 'select pg_postmaster_start_time()::text');
    await end(first, 'SIGKILL');
    const second = await serve(data);
    expect(second.messages.join()).toContain('still running');
    expect(await query(second.connection, 'select pg_postmaster_start_time()::text')).toEqual(begun);
    expect(await query(second.connection, 'select word from kept')).toContain('before the kill');
    await end(second, 'SIGTERM');
    expect(await findPostmaster(cluster())).toBeUndefined();
  });

  it('is started anew when it still runs with other settings', async () => {
    await end(await serve(data), 'SIGKILL');
    const messages: string[] = [];
    const postgres = await start(data, messages);
    expect(messages.join()).toContain('other settings');
    expect(await query(postgres.connection, 'show shared_buffers')).toEqual(['16MB']);
    await postgres.stop();
  });

  it('comes back with its data when it is killed', async () => {
    const postgres = await start(data);
    await query(postgres.connection, `insert into kept values ('acknowledged')`);
    for (let round = 0; round < 2; round += 1) {
      await killPostmaster(data);
      expect(await queryUntilServed(postgres.connection, 'select word from kept')).toContain('acknowledged');
    }
    await postgres.stop();
  });

  it('comes back although a session of the killed server would compute for hours', async () => {
    const postgres = await start(data);
    const busy = query(postgres.connection, 'select count(*) from generate_series(1, 1e15::bigint)').catch(
      () => 'cut',
    );
    const begun = `select from pg_stat_activity where query like '%1e15%' and pid <> pg_backend_pid()`;
    while ((await query(postgres.connection, `select exists (${begun})`))[0] === false) await pause(20);
    await killPostmaster(data);
    expect(await busy).toBe('cut');
    expect(await queryUntilServed(postgres.connection, 'select 1')).toEqual([1]);
  });

  it('comes back each time, however often it is killed', async () => {
    const messages: string[] = [];
    const postgres = await start(data, messages);
    for (let round = 1; round <= 4; round += 1) {
      await killPostmaster(data);
      while (messages.filter((message) => message.includes('serves again')).length < round) await pause(20);
      expect(await query(postgres.connection, 'select 1')).toEqual([1]);
    }
    await postgres.stop();
  });

  it('is asked for no connection before its recovery is over', async () => {
    const first = await serve(data);
    await query(first.connection, 'create table logged as select generate_series(1, 300000) as number');
    await end(first, 'SIGKILL');
    await killPostmaster(data);
    const log = join(data, 'postgres.log');
    const { length } = await readFile(log);
    const postgres = await start(data);
    const said = (await readFile(log)).subarray(length).toString();
    expect(said).toContain('automatic recovery in progress');
    // Sessions of the dead server may still report their end.
    expect(said).not.toMatch(/FATAL: +the database system is/);
    await query(postgres.connection, 'drop table logged');
    await postgres.stop();
  });

  it('comes back when a cleaner removed its socket', async () => {
    const postgres = await start(data);
    await rm(postgres.connection.host, { recursive: true });
    expect(await queryUntilServed(postgres.connection, 'select 1')).toEqual([1]);
    await postgres.stop();
  });

  it('starts although its old process id now belongs to another program', async () => {
    const first = await serve(data);
    await end(first, 'SIGKILL');
    await killPostmaster(data);
    const { uid, gid } = await stat(cluster());
    const other = spawn('sleep', ['600'], isRoot ? { uid, gid } : {});
    const pidFile = await readFile(join(cluster(), 'postmaster.pid'), 'utf8');
    await writeFile(join(cluster(), 'postmaster.pid'), pidFile.replace(/^\d+/, String(other.pid)));
    const postgres = await start(data);
    expect(await query(postgres.connection, 'select 1')).toEqual([1]);
    await postgres.stop();
    expect(other.exitCode).toBeNull();
    other.kill();
  });

  it('outlives Ctrl-C, which reaches the whole process group', async () => {
    const served = await serve(data);
    process.kill(-(served.process.pid ?? NaN), 'SIGINT');
    expect(await query(served.connection, 'select 1')).toEqual([1]);
    await end(served, 'SIGTERM');
  });

  it('stops while it is being started again', async () => {
    const postgres = await start(data);
    await killPostmaster(data);
    await pause(250);
    await postgres.stop();
    expect(await findPostmaster(cluster())).toBeUndefined();
    await (await start(data)).stop();
  });

  it('names the way on when the database is of another major version', async () => {
    const file = join(cluster(), 'PG_VERSION');
    const version = await readFile(file, 'utf8');
    await writeFile(file, '17\n');
    await expect(start(data)).rejects.toThrow(
      /of PostgreSQL 17, and this Millrace brings PostgreSQL 18.*pg_dump 17/,
    );
    await writeFile(file, version);
    await (await start(data)).stop();
  });

  it('shows what PostgreSQL said when it does not start', async () => {
    const settings = { work_mem: 'plenty' };
    await expect(startPostgres({ dataFolder: data, log: () => {}, settings })).rejects.toThrow(
      /did not start on .*invalid value for parameter "work_mem": "plenty"/s,
    );
    await (await start(data)).stop();
  });
});

it('has one winner when two start at once on an empty folder', async () => {
  const data = await scratch(0o755);
  const both = await Promise.allSettled([serve(data), serve(data)]);
  const winners = both.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  const losers = both.filter((one) => one.status === 'rejected').map((one) => String(one.reason));
  expect(losers).toEqual([
    expect.stringContaining(`process ${winners[0]?.process.pid}, is using this data folder`),
  ]);
  expect(winners).toHaveLength(1);
  for (const winner of winners) await end(winner, 'SIGTERM');
});

it('works at the end of a long path with blanks', async () => {
  const data = join(
    await scratch(0o755),
    'a folder with a long name, '.repeat(5),
    "it's (äöü) & *;".repeat(5),
  );
  const postgres = await start(data);
  expect(postgres.connection.host.length).toBeLessThan(90);
  expect(await query(postgres.connection, 'select 1')).toEqual([1]);
  await postgres.stop();
});

it('leaves a folder alone that holds something else', async () => {
  const data = await scratch(0o755);
  await mkdir(join(data, 'postgres'), { recursive: true });
  await writeFile(join(data, 'postgres', 'notes.txt'), 'mine');
  await expect(start(data)).rejects.toThrow('neither empty nor a PostgreSQL database');
});

describe.runIf(isRoot)('as root', () => {
  it.runIf(process.platform === 'linux')('works in a folder closed to all other accounts', async () => {
    const data = await scratch(0o700);
    const first = await serve(data);
    await query(first.connection, `create table kept as select 'yes' as word`);
    const begun = await query(first.connection, 'select pg_postmaster_start_time()::text');
    await end(first, 'SIGKILL');
    const second = await serve(data);
    expect(await query(second.connection, 'select pg_postmaster_start_time()::text')).toEqual(begun);
    await killPostmaster(data);
    expect(await queryUntilServed(second.connection, 'select word from kept')).toEqual(['yes']);
    await end(second, 'SIGTERM');
    expect((await stat(dirname(data))).mode & 0o777).toBe(0o700);
    expect((await stat(join(data, 'postgres'))).uid).not.toBe(0);
  });

  it.runIf(nobodyCanRun)('is not needed: an ordinary user starts it in a folder of its own', async () => {
    const data = await scratch(0o755);
    await mkdir(data);
    await chown(data, nobody.uid, nobody.gid);
    const served = await serve(data, nobody);
    expect(await query(served.connection, 'select 1')).toEqual([1]);
    expect((await stat(join(data, 'postgres.log'))).uid).toBe(nobody.uid);
    await end(served, 'SIGTERM');
    await chown(join(data, 'postgres'), 54_321, 54_321);
    await expect(serve(data, nobody)).rejects.toThrow('belongs to user id 54321');
  });
});
