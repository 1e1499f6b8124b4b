import type pg from 'pg';
import { cpuSeconds } from './cpu.ts';

/** The results and the cost of a load. Processor times are those of the operating system. */
export interface Sample {
  readonly items: number;
  readonly seconds: number;
  readonly itemsPerSecond: number;
  readonly requestsPerSecond: number;
  /** Milliseconds from a request to its answer; undefined where a library has no requests of its own. */
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
  /** Microseconds of processor time an item. */
  readonly cpu: { readonly server: number; readonly database: number; readonly load: number };
  /** Bytes of the write-ahead log an item. */
  readonly walBytes: number;
  /** Entries put into B-trees an item; undefined where they were not counted, as reading the log takes long. */
  readonly indexEntries?: number | undefined;
}

/** The load's own figures. */
export interface Done {
  readonly items: number;
  readonly requests: number;
  readonly seconds: number;
  readonly p50?: number;
  readonly p99?: number;
}

/** The processes whose time is counted; the load runs in this one when it has none of its own. */
export interface Pids {
  readonly server?: number | undefined;
  readonly postmaster: number;
  readonly load?: number | undefined;
}

interface Reading {
  readonly server: number;
  readonly database: number;
  readonly load: number;
  readonly wal: string;
}

/** Runs a load, and measures its cost by reading before and after. */
export async function observe(
  database: pg.Client,
  pids: Pids,
  load: () => Promise<Done>,
  countsEntries: boolean,
): Promise<Sample> {
  const before = await read(database, pids);
  const done = await load();
  const after = await read(database, pids);
  const perItem = (name: 'server' | 'database' | 'load') => ((after[name] - before[name]) * 1e6) / done.items;
  const bytes = await walBetween(database, before.wal, after.wal);
  const entries = countsEntries ? await entriesBetween(database, before.wal, after.wal) : undefined;
  return {
    items: done.items,
    seconds: done.seconds,
    itemsPerSecond: done.items / done.seconds,
    requestsPerSecond: done.requests / done.seconds,
    p50: done.p50,
    p99: done.p99,
    cpu: { server: perItem('server'), database: perItem('database'), load: perItem('load') },
    walBytes: bytes / done.items,
    indexEntries: entries === undefined ? undefined : entries / done.items,
  };
}

async function read(database: pg.Client, { server, postmaster, load }: Pids): Promise<Reading> {
  const { rows } = await database.query<{ wal: string }>('select pg_current_wal_insert_lsn()::text as wal');
  return {
    server: server === undefined ? 0 : await cpuSeconds(server),
    database: await cpuSeconds(postmaster),
    load: load === undefined ? ownSeconds() : await cpuSeconds(load),
    wal: rows[0]?.wal ?? '0/0',
  };
}

/** Without the programs under measurement, which this process has started. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function walBetween(database: pg.Client, from: string, to: string): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>('select pg_wal_lsn_diff($2, $1) as bytes', [
    from,
    to,
  ]);
  return Number(rows[0]?.bytes);
}

/** The insertions into leaves of B-trees in a part of the write-ahead log; a leaf that splits takes one, too. */
async function entriesBetween(database: pg.Client, from: string, to: string): Promise<number> {
  await database.query('select pg_switch_wal()');
  const { rows } = await database.query<{ count: string }>(
    `select coalesce(sum(count), 0) as count from pg_get_wal_stats($1, $2, true)
     where "resource_manager/record_type" ~ '^Btree/(INSERT_LEAF|INSERT_POST|SPLIT_[LR])$'`,
    [from, to],
  );
  return Number(rows[0]?.count);
}
