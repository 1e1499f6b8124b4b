import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { freePort } from '../server/src/postgres/free-port.ts';
import { createDatabase } from '../server/src/testing/app.ts';
import { urlOf } from './history/server.ts';
import { createHome, millrace, startMillrace, type Running } from './millrace.ts';

// Each server is a process of its own with a PostgreSQL, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const patiently = { timeout: 90_000 };
const serve = (home: string, env: Record<string, string> = {}, port = 0) =>
  startMillrace(home, ['serve', '--port', String(port), '--data', 'db'], env);

async function untilItSays(server: Running, text: string): Promise<void> {
  await expect.poll(() => server.said(), patiently).toContain(text);
}

/** Asserts that nothing of a server is left, neither its claim on the folder nor its PostgreSQL. */
function expectNothingLeft(home: string): void {
  const files = ['millrace.lock', 'postgres.new', path.join('postgres', 'postmaster.pid')];
  expect(files.filter((file) => existsSync(path.join(home, 'db', file)))).toEqual([]);
}

test('serve goes on when whoever read what it says has gone, and still stops cleanly', async () => {
  const home = createHome();
  const port = await freePort();
  const server = serve(home, {}, port);
  await untilItSays(server, 'Creating');
  server.process.stderr.destroy();
  server.process.stdout.destroy();
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health/ready`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(isReady, patiently).toBe(200);
  server.process.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
  expectNothingLeft(home);
});

describe('serve, stopped while it starts,', () => {
  const home = createHome();

  test('leaves no half-made database behind', async () => {
    const server = serve(home);
    await untilItSays(server, 'Creating');
    server.process.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Stopped before it served\.\n$/)]);
    expectNothingLeft(home);
    expect(existsSync(path.join(home, 'db', 'postgres'))).toBe(false);
  });

  test('ends the PostgreSQL that it has started', async () => {
    const first = serve(home);
    await untilItSays(first, 'Millrace is running.');
    first.process.kill('SIGTERM');
    await first.ended;
    const server = serve(home);
    await expect
      .poll(() => readdirSync(path.join(home, 'db', 'postgres')), patiently)
      .toContain('postmaster.pid');
    server.process.kill('SIGINT');
    expect((await server.ended).code).toBe(0);
    expectNothingLeft(home);
  });
});

test('serve, stopped while it waits for the migrations of another server, ends at once and keeps no connection', async () => {
  const database = await createDatabase();
  const other = new pg.Client(database);
  await other.connect();
  await other.query('select pg_advisory_lock(7455701)');
  const server = serve(createHome(), { MILLRACE_DATABASE_URL: urlOf(database) });
  const connections = async (state: string) => {
    const { rows } = await other.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${state}`,
    );
    return rows.length;
  };
  await expect.poll(() => connections(`wait_event = 'advisory'`), patiently).toBe(1);
  server.process.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
  await other.query('select pg_advisory_unlock(7455701)');
  await expect.poll(() => connections('true'), patiently).toBe(0);
  await other.end();
});

test('serve says in one sentence that its port or address cannot be had, and keeps the first password for the start that serves', async () => {
  const home = createHome();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const refused = await serve(home, {}, port).ended;
  taken.close();
  const elsewhere = await serve(home, { MILLRACE_HOST: '203.0.113.1' }).ended;
  expect([refused.code, elsewhere.code]).toEqual([1, 1]);
  expect(refused.stderr).toContain(
    `Millrace cannot start. Port ${port} of 127.0.0.1 is taken: stop what uses it, or set MILLRACE_PORT to another.`,
  );
  expect(elsewhere.stderr).toContain('This machine has no address 203.0.113.1: set MILLRACE_HOST');
  for (const { stdout, stderr } of [refused, elsewhere])
    expect(stdout + stderr).not.toMatch(/password|"level":[45]0| {4}at /);
  expectNothingLeft(home);

  const server = serve(home);
  await untilItSays(server, 'Stop it with Ctrl-C.');
  const [, url, password] = /(http:\S+)\/docs[^]*with the password (\S+)/.exec(server.said()) ?? [];
  const logIn = await millrace(
    home,
    ['login', '--username', 'admin', '--password-stdin', '--url', String(url)],
    {
      stdin: `${password}\n`,
    },
  );
  expect(logIn.code, logIn.stderr).toBe(0);
});

test('serve says what is wrong with a data folder that is a file', async () => {
  const home = createHome();
  writeFileSync(path.join(home, 'db'), '');
  const { code, stderr } = await serve(home).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /The data folder \S+ cannot be used: it, or a folder above it, is a file\. Set MILLRACE_DATA/,
  );
});
