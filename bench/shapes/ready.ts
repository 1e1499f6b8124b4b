import type pg from 'pg';
import { connect, cpuOf, explain, holdSnapshot, pinned, run, type Cost } from './client.ts';
import type { Claimed } from './cycle.ts';
import { fill } from './fill.ts';
import { median, payloadOf, print, type Row } from './report.ts';
import { finishValues, statements } from './statements.ts';
import { base, ddl } from './tables.ts';

interface Drain {
  batch: number;
  items: number;
  held: boolean;
  bound: boolean;
}

interface Drained {
  perSecond: number;
  cpu: number;
  last: Cost;
}

const sql = statements(base);
const start: { key: Buffer; id: string } = { key: Buffer.alloc(0), id: '0' };

async function claimOnce(
  client: pg.Client,
  batch: number,
  from: typeof start | undefined,
): Promise<Claimed[]> {
  return from === undefined
    ? run<Claimed>(client, sql.claim, [1, batch, 5])
    : run<Claimed>(client, sql.claimFrom, [1, batch, 5, from.key, from.id]);
}

async function explainClaim(client: pg.Client, batch: number, from: typeof start | undefined): Promise<Cost> {
  const key = `'\\x${from?.key.toString('hex') ?? ''}'::bytea`;
  return from === undefined
    ? explain(client, sql.claim, [1, batch, 5])
    : explain(client, sql.claimFrom, [1, batch, 5, key, from.id]);
}

/** Serves the queue with a bound that follows the claims and goes back to the start every second. */
async function serve(
  clients: readonly pg.Client[],
  load: Drain,
): Promise<{ done: number; from: typeof start }> {
  let from = start;
  let rescan = performance.now() + 1000;
  let done = 0;
  const loop = async (client: pg.Client): Promise<void> => {
    while (done < load.items) {
      if (performance.now() > rescan) {
        from = start;
        rescan = performance.now() + 1000;
      }
      const got = await claimOnce(client, load.batch, load.bound ? from : undefined);
      const [first] = got;
      if (first !== undefined && Buffer.compare(first.sort_key, from.key) > 0) {
        from = { key: first.sort_key, id: first.id };
      }
      await run(client, sql.finish, finishValues(base, got));
      done += got.length;
    }
  };
  await Promise.all(clients.map(loop));
  return { done, from };
}

async function drain(url: string, load: Drain): Promise<Drained> {
  const admin = await connect(url, 'shapes');
  await admin.query(ddl('shapes', base));
  await fill(admin, load.items + 2000, 'NEW', payloadOf(200));
  await admin.query('ANALYZE');
  const keeper = await connect(url, 'shapes');
  if (load.held) await holdSnapshot(keeper);
  const clients = await Promise.all([1, 2, 3, 4].map(async () => connect(url, 'shapes')));
  const cpuBefore = await cpuOf(clients);
  const began = performance.now();
  const { done, from } = await serve(clients, load);
  const perSecond = done / ((performance.now() - began) / 1000);
  const cpu = ((await cpuOf(clients)) - cpuBefore) / done;
  const last = await explainClaim(admin, load.batch, load.bound ? from : undefined);
  await Promise.all([...clients, keeper, admin].map(async (client) => client.end()));
  return { perSecond, cpu, last };
}

const drainRow = (load: Drain, runs: readonly Drained[]): Row => ({
  batch: load.batch,
  'items served': load.items,
  snapshot: load.held ? 'held' : 'none',
  scan: load.bound ? 'from bound' : 'from start',
  'items/s': Math.round(median(runs.map((one) => one.perSecond))),
  'CPU us/item': Math.round(median(runs.map((one) => one.cpu))),
  'buffers of the last claim': median(runs.map((one) => one.last.buffers)),
});

export async function ready(url: string, repeats: number): Promise<void> {
  const rows: Row[] = [];
  const sizes = [
    [1, 2000],
    [32, 15_000],
  ] as const;
  for (const [batch, items] of sizes) {
    const loads = [false, true].flatMap((held) =>
      [false, true].map((bound) => ({ batch, items, held, bound })),
    );
    const runs = loads.map((): Drained[] => []);
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const [at, load] of loads.entries()) runs[at]?.push(await drain(url, load));
    }
    rows.push(...loads.map((load, at) => drainRow(load, runs[at] ?? [])));
  }
  print('Ready index from its start or from a moving bound (4 connections)', rows);
}

async function typical(client: pg.Client, batch: number, from?: typeof start): Promise<Cost> {
  const costs: Cost[] = [];
  for (let time = 0; time < 5; time += 1) costs.push(await explainClaim(client, batch, from));
  const ms = median(costs.map((cost) => cost.ms));
  return costs.find((cost) => cost.ms === ms) ?? Promise.reject(new Error('nothing measured'));
}

async function firstReady(client: pg.Client): Promise<typeof start> {
  const [first] = await run<{ sort_key: Buffer; id: string }>(
    client,
    `SELECT sort_key, id FROM work_items
      WHERE queue_id = $1 AND status = 'NEW' AND not_before IS NULL ORDER BY sort_key, id LIMIT 1`,
    [1],
  );
  return first === undefined ? start : { key: first.sort_key, id: first.id };
}

async function behind(url: string, count: number): Promise<Row[]> {
  const client = await connect(url, 'shapes', pinned);
  await client.query(ddl('shapes', base));
  await fill(client, count + 5000, 'NEW');
  await client.query('ANALYZE');
  const keeper = await connect(url, 'shapes');
  await holdSnapshot(keeper);
  await client.query(`UPDATE work_items SET status = 'COMPLETED' WHERE queue_id = 1 AND id IN (
    SELECT id FROM work_items WHERE queue_id = 1 AND status = 'NEW' ORDER BY sort_key, id LIMIT ${count})`);
  const bound = await firstReady(client);
  const line = async (snapshot: string, from?: typeof start): Promise<Row> => {
    const one = await typical(client, 1, from);
    const many = await typical(client, 32, from);
    return {
      'entries in front': count,
      snapshot,
      scan: from === undefined ? 'from start' : 'from bound',
      'claim of 1, ms': one.ms.toFixed(1),
      'claim of 32, ms': many.ms.toFixed(1),
      'buffers, claim of 32': many.buffers,
    };
  };
  const rows = [await line('held'), await line('held', bound)];
  await keeper.query('COMMIT');
  rows.push(await line('released'));
  await Promise.all([client, keeper].map(async (one) => one.end()));
  return rows;
}

/** The cost of one claim behind very many entries of items that have left the ready state. */
export async function dead(url: string): Promise<void> {
  const rows: Row[] = [];
  for (const count of [10_000, 100_000, 500_000]) rows.push(...(await behind(url, count)));
  print('One claim behind entries of items that are no longer ready', rows);
}
