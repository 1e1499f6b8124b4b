import type pg from 'pg';
import { connect, cpuOf, holdSnapshot, number, run } from './client.ts';
import { median, print } from './report.ts';
import { finishValues, statements, type Statements } from './statements.ts';
import { ddl, type Shape } from './tables.ts';

export interface Claimed {
  id: string;
  version: number;
  sort_key: Buffer;
}

export interface Load {
  batch: number;
  items: number;
  payload: string;
  heartbeats?: number;
  output?: string;
  /** Heartbeat by a plain UPDATE that does not take its locks in order first. */
  direct?: boolean;
  /** Another session keeps a snapshot from before the run. */
  held?: boolean;
  settings?: string;
  /** Begin, statement and commit are sent one after the other, in place of together. */
  threeTrips?: boolean;
  /** Statements that add to the tables of the shape. */
  added?: string;
}

export interface Run {
  perSecond: number;
  cpuPerItem: number;
  walPerItem: number;
  hotItems: number;
  hotOther: number;
  bytesPerItem: number;
}

const schema = 'shapes';

interface Worker {
  client: pg.Client;
  sql: Statements;
  shape: Shape;
  load: Load;
}

async function createBatch({ client, sql, load }: Worker): Promise<void> {
  const json = Array.from({ length: load.batch }, () => load.payload);
  await commit(client, load, () => run(client, sql.create, [1, json, json.map((_, at) => at % 3)]));
}

/** One transaction of one statement. */
async function commit<T>(client: pg.Client, { threeTrips }: Load, statement: () => Promise<T>): Promise<T> {
  if (!threeTrips) return statement();
  await client.query('begin');
  const result = await statement();
  await client.query('commit');
  return result;
}

async function serveBatch({ client, sql, shape, load }: Worker): Promise<number> {
  const got = await commit(client, load, () => run<Claimed>(client, sql.claim, [1, load.batch, 5]));
  if (got.length === 0) return 0;
  const ids = got.map((item) => item.id);
  for (let beat = 0; beat < (load.heartbeats ?? 0); beat += 1) {
    await run(client, load.direct === true ? sql.heartbeatDirect : sql.heartbeat, [1, ids]);
  }
  const values = finishValues(shape, got, load.output);
  const ended = await commit(client, load, () => run(client, sql.finish, values));
  if (ended.length !== ids.length) throw new Error(`finished ${ended.length} of ${ids.length}`);
  return ids.length;
}

const hotShare = async (admin: pg.Client, where: string): Promise<number> =>
  number(
    admin,
    `SELECT round(100 * sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0)) AS n
       FROM pg_stat_user_tables WHERE schemaname = '${schema}' AND ${where}`,
  );

const walBytes = async (admin: pg.Client): Promise<number> =>
  number(admin, `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS n`);

async function work(clients: readonly pg.Client[], worker: Omit<Worker, 'client'>): Promise<number> {
  const { load } = worker;
  let done = 0;
  let created = 0;
  const loop = async (client: pg.Client): Promise<void> => {
    while (done < load.items) {
      if (created < load.items) {
        created += load.batch;
        await createBatch({ ...worker, client });
      }
      // Not `done += await …`, which would read the sum before the others have added to it.
      const served = await serveBatch({ ...worker, client });
      done += served;
    }
  };
  await Promise.all(clients.map(loop));
  return done;
}

/** Fresh tables, then create, claim, heartbeat and finish from four connections until `items` are done. */
export async function cycle(url: string, shape: Shape, load: Load): Promise<Run> {
  const admin = await connect(url, schema);
  await admin.query(`${ddl(schema, shape)} ${load.added ?? ''}`);
  const clients = await Promise.all([1, 2, 3, 4].map(async () => connect(url, schema, load.settings)));
  const keeper = await connect(url, schema);
  if (load.held === true) await holdSnapshot(keeper);
  const before = { wal: await walBytes(admin), cpu: await cpuOf(clients), at: performance.now() };
  const done = await work(clients, { sql: statements(shape), shape, load });
  const seconds = (performance.now() - before.at) / 1000;
  const cpu = (await cpuOf(clients)) - before.cpu;
  const wal = (await walBytes(admin)) - before.wal;
  await Promise.all([...clients, keeper].map(async (client) => client.end()));
  // A session reports its counts when it ends, just after the client sees it gone.
  await admin.query('SELECT pg_sleep(0.15)');
  const result = {
    perSecond: done / seconds,
    cpuPerItem: cpu / done,
    walPerItem: wal / done,
    hotItems: await hotShare(admin, `relname = 'work_items'`),
    hotOther: await hotShare(admin, `relname <> 'work_items'`),
    bytesPerItem:
      (await number(
        admin,
        `SELECT sum(pg_total_relation_size(oid)) AS n FROM pg_class
          WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' AND relname <> 'events'`,
      )) / done,
  };
  await admin.end();
  return result;
}

const medians = (runs: readonly Run[]): Run => {
  const of = (key: keyof Run): number => median(runs.map((one) => one[key]));
  return {
    perSecond: of('perSecond'),
    cpuPerItem: of('cpuPerItem'),
    walPerItem: of('walPerItem'),
    hotItems: of('hotItems'),
    hotOther: of('hotOther'),
    bytesPerItem: of('bytesPerItem'),
  };
};

export type Variant = [name: string, once: () => Promise<Run>];

/** Runs every variant once in each repeat, so that a slow minute falls on all alike; ratios are to the first. */
export async function compare(title: string, repeats: number, variants: readonly Variant[]): Promise<void> {
  const runs = variants.map((): Run[] => []);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const [at, [, once]] of variants.entries()) runs[at]?.push(await once());
  }
  const results = runs.map(medians);
  const first = results[0]?.cpuPerItem ?? Number.NaN;
  print(
    title,
    results.map((result, at) => ({
      variant: variants[at]?.[0] ?? '',
      'items/s': Math.round(result.perSecond),
      'CPU us/item': Math.round(result.cpuPerItem),
      'CPU ratio': (result.cpuPerItem / first).toFixed(2),
      'WAL bytes/item': Math.round(result.walPerItem),
      'HOT items %': result.hotItems,
      'HOT other %': Number.isNaN(result.hotOther) ? '-' : result.hotOther,
      'bytes/item without events': Math.round(result.bytesPerItem),
    })),
  );
}
