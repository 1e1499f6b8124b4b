import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { operations } from '@millrace/api';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractText } from '../contract.ts';
import { createDatabase, startApp, type App } from '../testing/app.ts';
import { eventually } from '../testing/fixtures.ts';

let app: App;
let line: Line;
let direct: pg.Client;

/** The way to the database, which can be cut and mended. */
interface Line {
  cut(): Promise<void>;
  mend(): Promise<void>;
}

beforeAll(async () => {
  const database = await createDatabase();
  direct = new pg.Client(database);
  await direct.connect();
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(`${database.host}/.s.PGSQL.${database.port}`);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  const listen = async (port: number) => {
    proxy.listen(port, '127.0.0.1');
    await once(proxy, 'listening');
  };
  await listen(0);
  const { port } = proxy.address() as AddressInfo;
  line = {
    cut: async () => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, 'close');
    },
    mend: () => listen(port),
  };
  app = await startApp({}, { ...database, host: '127.0.0.1', port });
  afterAll(async () => {
    await app.stop();
    await line.cut();
    await direct.end();
  });
});

/** Answers when so many statements wait for the table of queues. */
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
    expect([status, body]).toEqual([200, { status: 'UP', version: expect.stringMatching(/^\d+\.\d+\.\d+/) }]);
  });

  it('getReadiness and all work is 503 while the database is away, getLiveness is not, and all goes on by itself', async () => {
    await line.cut();
    for (const answer of [await app.as(undefined).getReadiness(), await app.admin.listQueues()]) {
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

describe('listQueues', () => {
  it('listQueues is 503 when the database goes away in the middle of it, and the server lives on', async () => {
    await direct.query('begin; lock table queues');
    const calls = Array.from({ length: 5 }, () => app.admin.listQueues());
    // One user reads with two connections at a time; the other calls wait for their turn, and find no database then.
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
