import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { describe, test, type ExpectStatic } from 'vitest';
import { freePort } from '../server/src/postgres/free-port.ts';
import { createDatabase } from '../server/src/testing/app.ts';
import { urlOf } from './history/server.ts';
import { createHome, millrace, startMillrace, type Running } from './millrace.ts';

const serve = (home: string, env: Record<string, string> = {}, port = 0) =>
  startMillrace(home, ['serve', '--port', String(port), '--data', 'db'], env);

/** Waits until a server has printed this. Tests that run side by side each have an expect of their own. */
const untilItSays = (expect: ExpectStatic, server: Running, text: string) =>
  expect.poll(() => server.said()).toContain(text);

/** Asserts that nothing of a server is left, neither its claim on the folder nor its PostgreSQL. */
function expectNothingLeft(expect: ExpectStatic, home: string): void {
  const files = ['millrace.lock', 'postgres.new', path.join('postgres', 'postmaster.pid')];
  expect(files.filter((file) => existsSync(path.join(home, 'db', file)))).toEqual([]);
}

test.concurrent(
  'serve goes on when the reader of its output has gone, and still stops cleanly',
  async ({ expect }) => {
    const home = createHome();
    const port = await freePort();
    const server = serve(home, {}, port);
    await untilItSays(expect, server, 'Creating');
    server.process.stderr.destroy();
    server.process.stdout.destroy();
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/health/ready`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(isReady).toBe(200);
    server.process.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expectNothingLeft(expect, home);
  },
);

test.concurrent('serve refuses a weak password before it creates a database', async ({ expect }) => {
  const home = createHome();
  const { code, stderr } = await serve(home, { MILLRACE_ADMIN_PASSWORD: 'password1' }).ended;
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining('MILLRACE_ADMIN_PASSWORD is one of the commonest'),
  ]);
  expect(existsSync(path.join(home, 'db'))).toBe(false);
});

describe('serve, stopped while it starts,', () => {
  const home = createHome();

  test('leaves no half-made database behind', async ({ expect }) => {
    const server = serve(home);
    await untilItSays(expect, server, 'Creating');
    server.process.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Stopped before it served\.\n$/)]);
    expectNothingLeft(expect, home);
    // The signal may be heard when the database is complete already.
    const database = path.join(home, 'db', 'postgres');
    expect(existsSync(database)).toBe(existsSync(path.join(database, 'PG_VERSION')));
  });

  test('ends the PostgreSQL that it has started', async ({ expect }) => {
    const first = serve(home);
    await untilItSays(expect, first, 'Millrace is running.');
    first.process.kill('SIGTERM');
    await first.ended;
    const server = serve(home);
    await expect.poll(() => readdirSync(path.join(home, 'db', 'postgres'))).toContain('postmaster.pid');
    server.process.kill('SIGINT');
    expect((await server.ended).code).toBe(0);
    expectNothingLeft(expect, home);
  });
});

test.concurrent(
  'serve, stopped while it waits for the migrations of another server, ends at once and keeps no connection',
  async ({ expect }) => {
    const database = await createDatabase();
    const other = new pg.Client(database);
    await other.connect();
    await other.query('select pg_advisory_lock(7455701)');
    const server = serve(createHome(), {
      MILLRACE_DATABASE_URL: urlOf(database),
      MILLRACE_ALLOW_LOSS: 'yes',
    });
    const connections = async (state: string) => {
      const { rows } = await other.query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${state}`,
      );
      return rows.length;
    };
    await expect.poll(() => connections(`wait_event = 'advisory'`)).toBe(1);
    server.process.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    await other.query('select pg_advisory_unlock(7455701)');
    await expect.poll(() => connections('true')).toBe(0);
    await other.end();
  },
);

test.concurrent(
  'serve says in one sentence that its port or address cannot be had, and keeps the first password for the start that serves; `admin reset-password` replaces it',
  async ({ expect }) => {
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
    // The message comes before anything is created.
    expect(existsSync(path.join(home, 'db'))).toBe(false);

    const server = serve(home);
    await untilItSays(expect, server, 'Stop it with Ctrl-C.');
    const [, url, password] = /(http:\S+)\/docs[^]*with the password (\S+)/.exec(server.said()) ?? [];
    const logIn = (stdin: string) =>
      millrace(home, ['login', '--username', 'admin', '--password-stdin', '--url', String(url)], { stdin });
    expect(await logIn(`${password}\n`)).toMatchObject({ code: 0 });

    // The password is lost twice: while the server runs, and while it does not.
    const reset = () => millrace(home, ['admin', 'reset-password', '--data', 'db']);
    const whileRunning = await reset();
    expect(whileRunning, whileRunning.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^(\w{5}-){3}\w{5}\n$/),
    });
    expect(whileRunning.stderr).toContain('The temporary password of admin');
    expect((await logIn(`${password}\n`)).code).not.toBe(0);
    expect(await logIn(whileRunning.stdout)).toMatchObject({ code: 0 });
    server.process.kill('SIGTERM');
    await server.ended;
    const whileStopped = await reset();
    expect(whileStopped, whileStopped.stderr).toMatchObject({ code: 0 });
    expect(whileStopped.stdout).not.toBe(whileRunning.stdout);
    expectNothingLeft(expect, home);
    const nowhere = await millrace(home, ['admin', 'reset-password', '--data', 'elsewhere']);
    expect([nowhere.code, nowhere.stdout]).toEqual([1, '']);
    expect(nowhere.stderr).toContain('There is no database in');
    expect(existsSync(path.join(home, 'elsewhere'))).toBe(false);
  },
);

test.concurrent('serve says what is wrong with a data folder that is a file', async ({ expect }) => {
  const home = createHome();
  writeFileSync(path.join(home, 'db'), '');
  const { code, stderr } = await serve(home).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /The data folder \S+ cannot be used: it, or a folder above it, is a file\. Set MILLRACE_DATA/,
  );
});

test.concurrent(
  'serve logs what it refuses as lines of JSON, each with the id of the request once',
  async ({ expect }) => {
    const env = {
      MILLRACE_DATABASE_URL: urlOf(await createDatabase()),
      MILLRACE_ALLOW_LOSS: 'yes',
      MILLRACE_LOG_LEVEL: 'debug',
    };
    const port = await freePort();
    const server = serve(createHome(), env, port);
    await untilItSays(expect, server, 'Stop it with Ctrl-C.');
    await fetch(`http://127.0.0.1:${port}/v4/nowhere`);
    server.process.kill('SIGTERM');
    const { stdout, stderr } = await server.ended;
    expect(stderr).not.toContain('Warning');
    const [refused] = stdout.split('\n').filter((line) => line.includes('a request was refused'));
    expect(refused?.match(/"reqId":/g), refused).toHaveLength(1);
    expect(refused).toContain('"code":"NOT_FOUND"');
  },
);
