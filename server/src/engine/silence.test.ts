import { test, type ExpectStatic } from 'vitest';
import { createDatabase, startApp, type Answer } from '../testing/app.ts';
import { createQueue, eventually } from '../testing/fixtures.ts';
import { startLine } from '../testing/line.ts';
import type { Connection } from './connection.ts';
import { openPool } from './db.ts';

// Deadlines have to pass: the tests wait side by side.

/** A server whose network to its database can be disturbed. */
async function setUp() {
  const line = await startLine(await createDatabase());
  const app = await startApp({ maxReadSeconds: 1 }, line.connection);
  const queue = await createQueue(app);
  const create = (customer: string) =>
    queue.owner.call.createWorkItems({ path: queue.path, body: { workItems: [{ json: { customer } }] } });
  const readiness = () => app.as(undefined).getReadiness();
  /** Milliseconds until an item can be created and a list can be read. */
  const untilItServes = async () => {
    const begun = performance.now();
    for (const call of [() => create('at last'), () => queue.owner.call.listQueues()])
      await eventually<Answer<never>>(call, ({ status }) => status === 200);
    return performance.now() - begun;
  };
  return { line, queue, create, readiness, untilItServes };
}

const names = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${kind} ${n}`);

function expectSilence(expect: ExpectStatic, answers: readonly Answer<never>[]): void {
  for (const { status, error, headers } of answers) {
    expect([status, error.code]).toEqual([503, 'UNAVAILABLE']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(error.message).toContain('Try again');
  }
}

test.concurrent(
  'createWorkItems is 503 when a database accepts and never answers, and all goes on when it answers again',
  async ({ expect }) => {
    const { line, queue, create, readiness, untilItServes } = await setUp();
    await Promise.all(names('warm', 10).map(create));
    line.swallow();
    const [creates, lists] = await Promise.all([
      Promise.all(names('swallowed', 19).map(create)),
      Promise.all(names('list', 4).map(() => queue.owner.call.listQueues())),
    ]);
    expectSilence(expect, [...creates, ...lists] as never);
    expect((await readiness()).status).toBe(503);
    await line.mend();
    const recovery = await untilItServes();
    process.stdout.write(`Served again ${recovery.toFixed(0)} ms after the network was mended.\n`);
    // A second or less, except for a connection that was being opened at the time, which takes five; ten times that for slow machines.
    expect(recovery).toBeLessThan(50_000);
    const stored = (await queue.owner.call.listWorkItems({ path: queue.path })).body.list;
    expect(stored.filter(({ json }) => String(json?.['customer']).startsWith('swallowed'))).toEqual([]);
  },
);

test.concurrent(
  'createWorkItems that hangs on a dead network is done as soon as that is mended, and does not wait for its deadline',
  async ({ expect }) => {
    const { line, create, readiness } = await setUp();
    await Promise.all(names('warm', 10).map(create));
    line.swallow();
    const creates = Promise.all(names('hanging', 5).map(create));
    // One check without an answer is not enough to give connections up.
    await eventually(
      readiness,
      ({ error }) => Date.now() - Date.parse(String(error.details?.[0]?.['since'])) > 3500,
    );
    await line.mend();
    // Calls that have met their deadlines are 503.
    expect((await creates).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  },
);

test.concurrent('getReadiness is 503 in a moment when the database never answers', async ({ expect }) => {
  const { line, readiness, untilItServes } = await setUp();
  const took: number[] = [];
  const probe = async () => {
    const begun = performance.now();
    const answer = await readiness();
    took.push(performance.now() - begun);
    return answer;
  };
  line.swallow();
  // Only the next check, within a second, notices it.
  const first = await eventually(probe, ({ status }) => status === 503);
  const answers = [first, ...(await Promise.all(names('probe', 20).map(probe)))];
  await line.mend();
  for (const { status, error, headers } of answers) {
    expect([status, error.code]).toEqual([503, 'UNAVAILABLE']);
    expect(error.message).toContain('The database does not answer');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  // Two seconds, and as much again for each slow step of a busy machine.
  expect(Math.max(...took)).toBeLessThan(8_000);
  await untilItServes();
});

test.concurrent(
  'createWorkItems says to look first when the answers of the database are lost, and stores nothing twice',
  async ({ expect }) => {
    const { line, queue, create, untilItServes } = await setUp();
    line.spoil({ drop: 'back' });
    const answers = await Promise.all(names('unheard', 3).map(create));
    expectSilence(expect, answers);
    for (const { error } of answers) expect(error.message).toContain('look first whether it did');
    await line.mend();
    await untilItServes();
    const stored = (await queue.owner.call.listWorkItems({ path: queue.path })).body.list;
    const unheard = stored
      .map(({ json }) => json?.['customer'])
      .filter((name) => String(name).startsWith('unheard'));
    expect(unheard).toHaveLength(new Set(unheard).size);
  },
);

test.concurrent(
  'a connection is waited for no longer because another one was found dead before it',
  async ({ expect }) => {
    const silent = await startLine(await createDatabase());
    const pool = openPool(silent.connection, 2);
    const clients = [await pool.connect(), await pool.connect()] as unknown as Connection[];
    silent.swallow();
    const waits = clients.map(async (client, index) => {
      client.deadline = 5000 + 100 * index;
      await expect(client.query('select 1')).rejects.toThrow('nothing was heard from the database');
      return performance.now();
    });
    const [one = 0, other = 0] = await Promise.all(waits);
    // A tenth of a second apart, or almost together on a busy machine; five seconds if the second wait began only at the end of the first.
    expect(other - one).toBeLessThan(4_000);
  },
);

test.concurrent('createWorkItems waits for a slow network', async ({ expect }) => {
  const { line, create } = await setUp();
  line.spoil({ delayMs: 300 });
  expect((await create('by a slow line')).status).toBe(200);
  await line.mend();
});
