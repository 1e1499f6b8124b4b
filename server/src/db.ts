import { toId, parseJson } from '@millrace/api';
import pg from 'pg';
import type { Sql } from 'sql-template-tag';
import { CommitUnanswered } from './errors.ts';

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag';

/** A statement that runs often: each connection parses and plans it once. */
export interface NamedSql extends Sql {
  readonly statementName: string;
}

/** Names a statement. Its text must be the same whenever it has this name. */
export function named(name: string, statement: Sql): NamedSql {
  return Object.assign(statement, { statementName: name });
}

/** A connection, or the pool. Statements that are not awaited one by one share a round trip and run in the order they were given. */
export interface Reader {
  /** Rows as objects; columns that are null are undefined. 64-bit integers are ids, JSON is parsed without loss. */
  rows<T>(statement: Sql | NamedSql): Promise<T[]>;
  /** The first row, if there is one. */
  row<T>(statement: Sql): Promise<T | undefined>;
}

/** A connection inside a transaction. */
export interface Db extends Reader {
  /**
   * Sends a statement whose answer nobody needs: it shares a round trip with what follows, which may be the commit. Resolves when
   * it is sent; should it fail, so does the transaction.
   */
  write(statement: Sql | NamedSql): Promise<void>;
}

export type Pool = pg.Pool;
export type ConnectionConfig = pg.ClientConfig;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, toId);
types.setTypeParser(pg.types.builtins.JSON, parseJson);
types.setTypeParser(pg.types.builtins.JSONB, parseJson);
const int8Array = 1016 as never;
const textArray = 1009 as never;
// The declarations know the types of single values only.
const parseTextArray = pg.types.getTypeParser(textArray) as unknown as (text: string) => string[];
types.setTypeParser(int8Array, (text: string) => parseTextArray(text).map(toId));

const sessionSettings = {
  timezone: 'UTC',
  // Sessions that hang are cut: they would hold locks, and keep dead rows alive for all others.
  statement_timeout: '60s',
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '30s',
  // A plan made while a table was empty must not become a scan of all of it when it is full.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  // Nor may a few rows be joined with a table by reading all of a queue that was small when it was last looked at.
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** Opens the pool that requests share. */
export function openPool(connection: ConnectionConfig, size: number): Pool {
  const pool = new pg.Pool({
    ...connection,
    types,
    max: size,
    connectionTimeoutMillis: 10_000,
    application_name: 'millrace',
    // Statements that do not wait for each other share a round trip.
    pipeline: true,
    options: Object.entries(sessionSettings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The same of one that breaks inside a transaction, whose statement hears of it anyway.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

/** Statements that stand alone, each its own transaction. */
export function onPool(pool: Pool): Reader {
  return asReader(pool);
}

/** What a transaction may do: write, or read by statements that take no longer than so many milliseconds each. */
export type Access = 'write' | { readonly readMs: number };

function beginning(access: Access): string {
  // One snapshot for all statements: what they answer belongs together.
  if (access !== 'write')
    return `begin isolation level repeatable read, read only; set local statement_timeout = ${access.readMs}; select clock_timestamp() as now`;
  // Writers have their number before they read anything. So whoever has seen that all numbers up to the present one are done knows
  // that nobody still writes by what was read before: this is how queues change under their items.
  return 'begin; select pg_current_xact_id(), clock_timestamp() as now';
}

/**
 * Runs `work` in one transaction: all of it is on disk when this returns, none of it when it throws.
 * @param work is handed the time of the database when the transaction began, as a promise: what it asks the database before it
 *   awaits that goes out with the beginning, in one round trip.
 * @throws CommitUnanswered when the connection broke behind the commit, and nobody here knows whether it is on disk.
 */
export async function transaction<T>(
  pool: Pool,
  work: (db: Db, clock: Promise<Date>) => Promise<T>,
  access: Access = 'write',
): Promise<T> {
  const client = await pool.connect();
  const sent: Promise<unknown>[] = [];
  let isCommitting = false;
  let first: Error | undefined;
  const note = (error: Error) => void (first ??= error);
  try {
    const clock = begin(client, access);
    sent.push(heardLater(clock));
    clock.catch(note);
    const result = await work(asDb(client, sent, note), clock);
    isCommitting = true;
    // PostgreSQL takes a commit behind a statement that failed for a rollback.
    await Promise.all([...sent, client.query('commit')]);
    if (first) throw first;
    return result;
  } catch (error) {
    // Whoever answers this has answered the commit as well, if there was one.
    const isAnswered = await settles(client.query('rollback'));
    // What fails first makes all that follows fail, too, and whoever awaits several at once may hear of those before.
    await Promise.allSettled(sent);
    const cause = first ?? error;
    throw isCommitting && !isAnswered ? new CommitUnanswered(cause as Error) : cause;
  } finally {
    // The pool itself replaces a connection that broke.
    client.release();
  }
}

function settles(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

async function begin(client: pg.PoolClient, access: Access): Promise<Date> {
  const results = (await client.query(beginning(access))) as unknown as pg.QueryResult<{ now: Date }>[];
  return results.at(-1)?.rows[0]?.now ?? new Date(Number.NaN);
}

/** Whoever awaits the promise hears of a failure; nobody may have come to that yet. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * @param sent collects what was sent and is awaited by nobody else.
 * @param failed is told of each failure, in the order of the statements.
 */
function asDb(client: pg.PoolClient, sent: Promise<unknown>[], failed: (error: Error) => void): Db {
  const reader = asReader(client, failed);
  const write = (statement: Sql | NamedSql) => {
    sent.push(heardLater(reader.rows(statement)));
    return Promise.resolve();
  };
  return { ...reader, write };
}

/** Rows of a result. All have the same members: copies of objects that differ cost ten times as much, and rules make many. */
function asReader(
  client: Pick<pg.PoolClient, 'query'>,
  failed: (error: Error) => void = () => undefined,
): Reader {
  const rows = async <T>(statement: Sql | NamedSql): Promise<T[]> => {
    const answer = client.query<unknown[]>({
      text: statement.text,
      values: statement.values,
      rowMode: 'array',
      ...('statementName' in statement && { name: statement.statementName }),
    });
    answer.catch(failed);
    const { fields, rows: values } = await answer;
    return values.map((row) => toObject(fields, row) as T);
  };
  return { rows, row: async <T>(statement: Sql) => (await rows<T>(statement))[0] };
}

function toObject(fields: pg.FieldDef[], values: unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, value] of values.entries()) {
    const field = fields[index];
    if (field) row[field.name] = value ?? undefined;
  }
  return row;
}
