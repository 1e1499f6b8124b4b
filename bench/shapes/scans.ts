import type pg from 'pg';
import { connect, explain, number, pinned, run, type Cost } from './client.ts';
import type { Claimed } from './cycle.ts';
import { fill } from './fill.ts';
import { median, payloadOf, print, type Row } from './report.ts';
import { finishValues, statements, type Style } from './statements.ts';
import { base, ddl, type Shape } from './tables.ts';

async function timed<T>(into: number[], action: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await action();
  into.push(performance.now() - start);
  return result;
}

async function namedBy(client: pg.Client, statistics: string, style: Style): Promise<Row> {
  const sql = statements(base, style);
  await client.query(ddl('shapes', base));
  if (statistics === 'from an idle hour') {
    await fill(client, 20_000, 'COMPLETED');
    await client.query('VACUUM ANALYZE');
  }
  await fill(client, 8000, 'NEW');
  for (let time = 0; time < 50; time += 1) await run(client, statements(base).claim, [1, 100, 5]);
  if (statistics === 'from a busy hour') await client.query('ANALYZE');
  const times = { claim: [] as number[], heartbeat: [] as number[], finish: [] as number[] };
  for (let time = 0; time < 30; time += 1) {
    const got = await timed(times.claim, async () => run<Claimed>(client, sql.claim, [1, 32, 5]));
    await timed(times.heartbeat, async () => run(client, sql.heartbeat, [1, got.map((item) => item.id)]));
    await timed(times.finish, async () => run(client, sql.finish, finishValues(base, got)));
  }
  return {
    statistics,
    'rows named by': style,
    'claim ms': median(times.claim).toFixed(1),
    'heartbeat ms': median(times.heartbeat).toFixed(1),
    'finish ms': median(times.finish).toFixed(1),
  };
}

/** The plan must not depend on when statistics were last taken. */
export async function named(url: string): Promise<void> {
  const rows: Row[] = [];
  const client = await connect(url, 'shapes');
  for (const statistics of ['none (fresh install)', 'from an idle hour', 'from a busy hour']) {
    rows.push(await namedBy(client, statistics, 'join'), await namedBy(client, statistics, 'array'));
  }
  await client.end();
  print('Batches of 32 with 5,000 in flight: how a statement names its rows', rows);
}

export async function sweep(url: string): Promise<void> {
  const rows: Row[] = [];
  const shapes: [string, Shape][] = [
    ['in the item', base],
    ['lease table', { ...base, lease: 'apart' }],
  ];
  for (const [lease, shape] of shapes) {
    const client = await connect(url, 'shapes');
    await client.query(ddl('shapes', shape));
    const sql = statements(shape);
    await fill(client, 100_000, 'COMPLETED');
    await fill(client, 12_000, 'NEW');
    await client.query('VACUUM ANALYZE');
    for (let time = 0; time < 100; time += 1) await run(client, sql.claim, [1, 100, 5]);
    const costs: Cost[] = [];
    for (let time = 0; time < 5; time += 1) costs.push(await explain(client, sql.sweep, []));
    const [{ buffers, scans } = { buffers: 0, scans: '' }] = costs;
    rows.push({ lease, buffers, ms: median(costs.map((cost) => cost.ms)).toFixed(2), scans });
    await client.end();
  }
  print('Search for expired leases: 10,000 in flight beside 100,000 completed, none expired', rows);
}

interface JsonTimes {
  insert: number[];
  read: number[];
  field: number[];
  size: number;
}

async function timeJson(client: pg.Client, type: string, times: JsonTimes): Promise<void> {
  const batch = Array.from({ length: 100 }, () => payloadOf(1000));
  const some = 'FROM body WHERE id > $1 ORDER BY id LIMIT 100';
  const repeat = async (text: string, value: (at: number) => unknown): Promise<number> => {
    const start = performance.now();
    for (let at = 0; at < 100; at += 1) await client.query(text, [value(at)]);
    return ((performance.now() - start) * 1000) / (100 * batch.length);
  };
  await client.query(`DROP SCHEMA IF EXISTS shapes CASCADE; CREATE SCHEMA shapes;
    CREATE TABLE body (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, j ${type})`);
  times.insert.push(await repeat(`INSERT INTO body (j) SELECT unnest($1::${type}[])`, () => batch));
  times.read.push(await repeat(`SELECT j::text ${some}`, (at) => at * 100));
  times.field.push(
    await repeat(`SELECT count(j->>'field17') FROM (SELECT j ${some}) AS b`, (at) => at * 100),
  );
  times.size = await number(client, 'SELECT avg(pg_column_size(j)) AS n FROM body');
}

export async function json(url: string, repeats: number): Promise<void> {
  const client = await connect(url, 'shapes');
  const types = ['json', 'jsonb'].map((type) => ({
    type,
    times: { insert: [], read: [], field: [], size: 0 } as JsonTimes,
  }));
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const { type, times } of types) await timeJson(client, type, times);
  }
  await client.end();
  print(
    'json or jsonb: 1 kB, 20 keys, 100 rows a statement',
    types.map(({ type, times }) => ({
      type,
      'insert us/row': median(times.insert).toFixed(0),
      'read whole us/row': median(times.read).toFixed(1),
      'read one field us/row': median(times.field).toFixed(1),
      'bytes/value': Math.round(times.size),
    })),
  );
}

interface Depth {
  state: string;
  waiting: number;
  completed: number;
  statistics: 'current' | 'from an empty queue';
}

const depths: Depth[] = [
  { state: '1 k waiting', waiting: 1000, completed: 0, statistics: 'current' },
  { state: '1 k waiting, 1 M completed', waiting: 1000, completed: 1_000_000, statistics: 'current' },
  { state: '1 M waiting', waiting: 1_000_000, completed: 0, statistics: 'current' },
  { state: '300 k waiting', waiting: 300_000, completed: 1000, statistics: 'from an empty queue' },
];

async function prepareDepth(url: string, schema: string, wanted: Depth): Promise<pg.Client> {
  const client = await connect(url, schema, pinned);
  await client.query(ddl(schema, base));
  if (wanted.completed > 0) await fill(client, wanted.completed, 'COMPLETED', payloadOf(200));
  if (wanted.statistics !== 'current') await client.query('VACUUM ANALYZE');
  await fill(client, wanted.waiting, 'NEW', payloadOf(200));
  if (wanted.statistics === 'current') await client.query('VACUUM ANALYZE');
  return client;
}

async function serveOnce(client: pg.Client, claim: number[], finish: number[]): Promise<void> {
  const sql = statements(base);
  const body = Array.from({ length: 32 }, () => payloadOf(200));
  await run(client, sql.create, [1, body, body.map(() => 1)]);
  const got = await timed(claim, async () => run<Claimed>(client, sql.claim, [1, 32, 5]));
  await timed(finish, async () => run(client, sql.finish, finishValues(base, got)));
}

interface Tried extends Depth {
  client: pg.Client;
  claim: number[];
  finish: number[];
}

async function depthRow({ state, statistics, client, claim, finish }: Tried): Promise<Row> {
  const costs: Cost[] = [];
  for (let time = 0; time < 15; time += 1) {
    costs.push(await explain(client, statements(base).claim, [1, 32, 5]));
  }
  return {
    state,
    statistics,
    'claim of 32, ms': median(claim).toFixed(1),
    'finish of 32, ms': median(finish).toFixed(1),
    'claim without commit, ms': median(costs.map((cost) => cost.ms)).toFixed(2),
    buffers: median(costs.map((cost) => cost.buffers)),
    'planning, ms': median(costs.map((cost) => cost.planMs)).toFixed(2),
    scans: costs[0]?.scans ?? '',
  };
}

export async function depth(url: string): Promise<void> {
  const tried: Tried[] = [];
  for (const [at, one] of depths.entries()) {
    tried.push({ ...one, client: await prepareDepth(url, `depth${at}`, one), claim: [], finish: [] });
  }
  for (let round = 0; round < 40; round += 1) {
    for (const { client, claim, finish } of tried) await serveOnce(client, claim, finish);
  }
  const rows: Row[] = [];
  for (const one of tried) rows.push(await depthRow(one));
  for (const [at, { client }] of tried.entries()) {
    await client.query(`DROP SCHEMA depth${at} CASCADE`);
    await client.end();
  }
  print('Depth and history (one connection)', rows);
}
