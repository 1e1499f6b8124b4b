import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startPostgres, type EmbeddedPostgres } from '../postgres/supervisor.ts';
import { startApp, type Answer } from '../testing/app.ts';
import { atEnd } from '../testing/endings.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { startLine } from '../testing/line.ts';
import { held } from '../testing/work.ts';

/** Runs a database in a folder until the test file ends. */
async function run(dataFolder: string, settings: Record<string, string>): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({
    dataFolder,
    log: () => undefined,
    settings: { fsync: 'off', ...settings },
  });
  atEnd(() => postgres.stop());
  return postgres;
}

/** A database and its standby, which has all acknowledged work. */
async function startPair() {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-failover-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const [first, second] = ['first', 'second'].map((name) => path.join(folder, name)) as [string, string];
  await (await startPostgres({ dataFolder: first, log: () => undefined })).stop();
  // A copy of a stopped database is a base backup; the programs for other kinds are not part of the embedded one.
  await cp(first, second, { recursive: true, verbatimSymlinks: true });
  await writeFile(path.join(second, 'postgres', 'standby.signal'), '');
  const primary = await run(first, { synchronous_standby_names: '*' });
  const { host, port, user } = primary.connection;
  const standby = await run(second, { primary_conninfo: `host=${host} port=${port} user=${user}` });
  return { primary, standby };
}

/** The answers given to callers. */
interface Told {
  readonly created: string[];
  readonly finished: number[];
  /** Answers other than success. */
  readonly refused: Answer<never>[];
}

/** Creates and finishes items, several at a time, until it is stopped. */
function work(queue: QueueFixture, told: Told) {
  const stopping = new AbortController();
  let made = 0;
  const create = async () => {
    const customer = `customer ${(made += 1)}`;
    const answer = await queue.owner.call.createWorkItems({
      path: queue.path,
      body: { workItems: [{ json: { customer } }] },
    });
    if (answer.status === 200) told.created.push(customer);
    else told.refused.push(answer);
  };
  const finish = async () => {
    const claimed = await queue.consumer.call.claimWorkItems({ path: queue.path, body: { count: 1 } });
    if (claimed.status !== 200) return told.refused.push(claimed);
    const [item] = claimed.body.list;
    if (!item) return;
    const results = [{ ...held(item), status: 'COMPLETE' as const }];
    const answer = await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
    if (answer.status === 200) told.finished.push(Number(item.id));
    else told.refused.push(answer);
  };
  const repeat = async (step: () => Promise<unknown>) => {
    while (!stopping.signal.aborted) await step();
  };
  const workers = [create, create, create, create, finish, finish].map(repeat);
  return async () => {
    stopping.abort();
    await Promise.all(workers);
  };
}

test('createWorkItems and finishWorkItems lose nothing that was acknowledged when a standby takes over, and go on at once', async () => {
  const { primary, standby } = await startPair();
  const line = await startLine(primary.connection);
  const app = await startApp({}, line.connection);
  const queue = await createQueue(app);
  const told: Told = { created: [], finished: [], refused: [] };
  const stop = work(queue, told);
  const until = (isDone: () => boolean) => eventually(() => Promise.resolve(isDone()), Boolean);
  await until(() => told.created.length > 50 && told.finished.length > 10);

  line.leadTo(standby.connection);
  await until(() => told.refused.length > 40);
  const direct = new pg.Client(standby.connection);
  await direct.connect();
  const before = told.created.length;
  await direct.query('select pg_promote()');
  const promoted = performance.now();
  await until(() => told.created.length > before);
  const first = performance.now() - promoted;
  await until(() => told.created.length > before + 50);
  await stop();
  process.stdout.write(
    `The first item was created ${first.toFixed(0)} ms after the promotion; ${told.refused.length} refusals.\n`,
  );

  for (const { status, error, headers } of told.refused) {
    expect([status, error.code], error.message).toEqual([503, 'UNAVAILABLE']);
    expect(headers.get('retry-after')).not.toBeNull();
  }
  const text = `select id, status, json->>'customer' as customer from work_items
    join work_item_data on work_item_data.queue_id = work_items.queue_id and item_id = id where work_items.queue_id = $1`;
  const { rows } = await direct.query<{ id: string; status: string; customer: string }>(text, [queue.id]);
  await direct.end();
  const stored = new Set(rows.map(({ customer }) => customer));
  const completed = new Set(rows.filter(({ status }) => status === 'COMPLETE').map(({ id }) => Number(id)));
  expect(told.created.filter((customer) => !stored.has(customer))).toEqual([]);
  expect(told.finished.filter((id) => !completed.has(id))).toEqual([]);
  // Less than a second on a machine with nothing else to do.
  expect(first).toBeLessThan(20_000);
});
