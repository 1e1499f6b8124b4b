import { tmpdir } from 'node:os';
import { operations } from '@millrace/api';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseClock } from '../engine/clock.ts';
import { readConfig } from '../engine/config.ts';
import { contractText } from '../engine/contract.ts';
import type { Log } from '../engine/operation.ts';
import { createDatabase, startApp, type App } from '../testing/app.ts';
import { eventually } from '../testing/fixtures.ts';
import { startLine, type Line } from '../testing/line.ts';
import { openStream } from '../testing/stream.ts';
import { HealthMonitor } from './monitor.ts';

let app: App;
let line: Line;
let direct: pg.Client;

beforeAll(async () => {
  const database = await createDatabase();
  direct = new pg.Client(database);
  await direct.connect();
  line = await startLine(database);
  app = await startApp({}, line.connection);
  afterAll(async () => {
    await app.stop();
    await direct.end();
  });
});

/** Resolves when this many statements wait for the table of queues. */
async function waiting(count: number): Promise<void> {
  const text = `select from pg_locks where relation = 'queues'::regclass and not granted`;
  await eventually(
    async () => (await direct.query(text)).rowCount ?? 0,
    (found) => found >= count,
  );
}

describe('getReadiness', () => {
  it('getReadiness answers anybody, with the version', async () => {
    const { status, body } = await app.as(undefined).getReadiness();
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'UP',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      since: expect.any(String),
      // The database of the tests does not wait for the disk.
      warnings: [{ code: 'COMMITS_NOT_DURABLE', message: expect.any(String), since: expect.any(String) }],
    });
  });

  it('getReadiness and all work is 503 while the database is away, getLiveness is not, and all goes on by itself', async () => {
    await line.cut();
    const work = await app.admin.listQueues();
    const readiness = await eventually(
      () => app.as(undefined).getReadiness(),
      ({ status }) => status !== 200,
    );
    for (const answer of [readiness, work]) {
      expect([answer.status, answer.error.code]).toEqual([503, 'UNAVAILABLE']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await app.as(undefined).getLiveness()).status).toBe(200);
    await line.mend();
    const { status } = await eventually(
      () => app.as(undefined).getReadiness(),
      (answer) => answer.status === 200,
    );
    expect([status, (await app.admin.listQueues()).status]).toEqual([200, 200]);
  });
});

describe('getReadiness', () => {
  /** Readiness, as soon as it contains this condition. */
  const told = (of: App, code: string) =>
    eventually(
      () => of.as(undefined).getReadiness(),
      ({ body, error }) =>
        [...(body.warnings ?? []), ...(error.details ?? [])].some((one) => one.code === code),
    );
  const untold = (of: App, code: string) =>
    eventually(
      () => of.as(undefined).getReadiness(),
      ({ status, body }) => status === 200 && !body.warnings.some((one) => one.code === code),
    );

  it('getReadiness is answered 503 while the database takes connections and never answers', async () => {
    line.swallow();
    const { status, error } = await told(app, 'DATABASE_AWAY');
    expect([status, error.code]).toEqual([503, 'UNAVAILABLE']);
    expect(error.message).toMatch(/^The database does not answer\./);
    await line.mend();
    expect((await untold(app, 'DATABASE_AWAY')).status).toBe(200);
  });

  it('getReadiness is 503 while the database takes no changes', async () => {
    const other = await startApp({}, undefined, undefined, { sessionMs: 100 });
    const [row] = await other.sql<{ name: string }>('select current_database() as name');
    const { name } = row as { name: string };
    await other.sql(`alter database ${name} set default_transaction_read_only = on`);
    const { status, error } = await told(other, 'DATABASE_READ_ONLY');
    expect([status, error.message]).toEqual([503, expect.stringContaining('takes no changes')]);
    await direct.query(`alter database ${name} reset default_transaction_read_only`);
    expect((await untold(other, 'DATABASE_READ_ONLY')).status).toBe(200);
  });

  it('getReadiness is 503 when the disk of the embedded database is full, and warns when it nearly is', async () => {
    const settings = { dataFolder: tmpdir() };
    const full = await startApp(settings, undefined, undefined, { fullBytes: Infinity });
    expect((await full.as(undefined).getReadiness()).error.details?.map(({ code }) => code)).toContain(
      'DISK_FULL',
    );
    const limits = { nearlyFullBytes: Infinity, nearlyFullShare: 1, largestFileBytes: Infinity };
    const nearly = await startApp(settings, undefined, undefined, limits);
    const { status, body } = await nearly.as(undefined).getReadiness();
    const codes = body.warnings.map(({ code }) => code);
    expect([status, codes]).toEqual([200, expect.arrayContaining(['DISK_NEARLY_FULL', 'NO_ROOM_FOR_FILES'])]);
    expect(JSON.stringify(body)).not.toContain(tmpdir());
  });

  it('getReadiness warns when the database has refused a change because its disk is full', async () => {
    await direct.query(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`);
    await direct.query(
      'create trigger refuse before insert on work_item_models for each row execute function refuse()',
    );
    const made = await app.admin.createWorkItemModel({ body: { name: 'full', attributes: [{ name: 'a' }] } });
    expect(made.status).toBe(503);
    expect((await told(app, 'CHANGES_REFUSED')).status).toBe(200);
    await direct.query('drop trigger refuse on work_item_models');
  });

  it('getReadiness warns while one transaction holds back the readers of events', async () => {
    const other = await startApp({}, undefined, undefined, { heldBackMs: 100 });
    await direct.query('begin; select pg_current_xact_id()');
    await other.admin.createWorkItemModel({ body: { name: 'later', attributes: [{ name: 'a' }] } });
    expect((await told(other, 'EVENTS_HELD_BACK')).status).toBe(200);
    await direct.query('rollback');
    expect((await untold(other, 'EVENTS_HELD_BACK')).status).toBe(200);
  });

  it('getReadiness warns when a newer Millrace has changed the database', async () => {
    const other = await startApp();
    await other.sql(`insert into migrations (name, checksum) values ('9999_newer.sql', '')`);
    expect((await told(other, 'DATABASE_NEWER')).status).toBe(200);
  });

  it('getReadiness warns when the clock of the server is wrong, by which no token expires and no stream ends', async () => {
    const other = await startApp();
    const user = await other.user('reader');
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
    try {
      expect((await told(other, 'CLOCK_OFF')).status).toBe(200);
      const stream = await openStream({ url: other.url, token: user.token });
      expect([(await user.call.listQueues()).status, stream.status]).toEqual([200, 200]);
      stream.leave();
    } finally {
      vi.useRealTimers();
    }
  });

  it('getReadiness that is late once has no connection given up: what hangs then is slow', async () => {
    const connection = await createDatabase();
    const giveUpDead = vi.fn<() => void>();
    const ignored = () => undefined;
    const log = { debug: ignored, info: ignored, warn: ignored, error: ignored } as unknown as Log;
    const config = readConfig({ MILLRACE_DATABASE_URL: 'postgresql://elsewhere' });
    const parts = { config, connection, pool: { giveUpDead }, clock: new DatabaseClock(), log };
    const client = new pg.Client(connection);
    await client.connect();
    await client.query('begin; lock table migrations');
    const monitor = new HealthMonitor(parts);
    await expect(monitor.readiness()).rejects.toThrow('database');
    await client.query('rollback');
    await eventually(
      () => monitor.readiness().catch(() => undefined),
      (found) => found?.status === 'UP',
    );
    await client.end();
    await monitor.close();
    expect(giveUpDead).not.toHaveBeenCalled();
  });

  it('getReadiness has what begins and what ends logged once, with details that it does not tell', async () => {
    const lines: [level: string, condition: unknown, message: string][] = [];
    const log = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        ({ condition }: { condition?: unknown }, message: string) => lines.push([level, condition, message]),
      ]),
    ) as unknown as Log;
    const connection = await createDatabase();
    const monitor = new HealthMonitor({
      config: readConfig({ MILLRACE_DATABASE_URL: 'postgresql://elsewhere' }),
      connection,
      pool: { giveUpDead: () => undefined },
      clock: new DatabaseClock(),
      log,
      limits: { heldBackMs: 100 },
    });
    const client = new pg.Client(connection);
    await client.connect();
    await client.query('begin; select pg_current_xact_id()');
    await direct.query('select pg_current_xact_id()');
    const codes = () => monitor.readiness().then(({ warnings }) => warnings.map(({ code }) => code));
    const held = 'EVENTS_HELD_BACK';
    await eventually(codes, (found) => found.includes(held));
    await Promise.all(Array.from({ length: 100 }, codes));
    await client.query('rollback');
    await eventually(codes, (found) => !found.includes(held));
    await client.end();
    await monitor.close();
    const [began, ended] = lines.filter(([, condition]) => condition === held);
    expect(lines.filter(([, condition]) => condition === held)).toHaveLength(2);
    expect([began?.[0], ended?.[0], ended?.[2]]).toEqual(['warn', 'info', `Over: ${began?.[2]}`]);
  });
});

describe('listQueues', () => {
  it('listQueues is 503 when the database goes away in the middle of it, and the server lives on', async () => {
    await direct.query('begin; lock table queues');
    const calls = Array.from({ length: 5 }, () => app.admin.listQueues());
    // One user reads with two connections at a time; the other calls wait behind the limiter, and find no database then.
    await waiting(2);
    await line.cut();
    const answers = await Promise.all(calls);
    expect(answers.map(({ status, error }) => [status, error.code])).toEqual(
      Array.from({ length: 5 }, () => [503, 'UNAVAILABLE']),
    );
    await direct.query('rollback');
    await line.mend();
    const { status } = await eventually(
      () => app.admin.listQueues(),
      (answer) => answer.status === 200,
    );
    expect(status).toBe(200);
  });
});

describe('getLiveness', () => {
  it('getLiveness answers anybody', async () => {
    const { status, body } = await app.as(undefined).getLiveness();
    expect([status, body]).toEqual([200, { status: 'UP' }]);
  });
});

describe('getContract', () => {
  it('getContract answers anybody with the contract that is kept, and each operation in it', async () => {
    const { status, body } = await app.as(undefined).getContract();
    expect([status, body]).toEqual([200, JSON.parse(contractText)]);
    const items = Object.values((body as { paths: Record<string, object> }).paths);
    const promised = items.flatMap((item) => Object.values(item) as { operationId: string }[]);
    const known = Object.keys(operations).toSorted();
    expect(promised.map(({ operationId }) => operationId).toSorted()).toEqual(known);
  });
});
