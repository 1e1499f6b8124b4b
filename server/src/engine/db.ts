import { JsonText, parseJson, toId } from '@millrace/api';
import pg from 'pg';
import sql, { type Sql } from 'sql-template-tag';
import { Connection } from './connection.ts';
import { CommitUnanswered, Unanswered } from './errors.ts';
import { inSlices, mapped } from './slices.ts';

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag';

/** A statement that runs often: each connection parses and plans it once. */
interface NamedSql extends Sql {
  readonly statementName: string;
}

/** Names a statement. Its text must be the same whenever it has this name. */
export function named(name: string, statement: Sql): NamedSql {
  return Object.assign(statement, { statementName: name });
}

/** A statement whose rows go into an answer as they are. */
interface AnswerSql extends Sql {
  readonly types: pg.CustomTypesConfig;
  readonly keepsJson: boolean;
}

/**
 * Marks a statement whose rows go into an answer as they are: times come in the form of answers, without a Date for each.
 * @param keepsJson whether JSON is only passed on, as `JsonText`, and not even read
 */
export function forAnswer<S extends Sql>(statement: S, keepsJson: boolean): S & AnswerSql {
  return Object.assign(statement, { types: answerTypes, keepsJson });
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

export interface Pool extends pg.Pool {
  /**
   * Called when the database answers again after it did not: gives up the connections that are dead since. Transactions that have
   * hung on them run again at once, which would otherwise wait for their deadlines.
   */
  giveUpDead(): void;
}

export type ConnectionConfig = pg.ClientConfig;
type PooledConnection = Connection & pg.PoolClient;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, toId);
// A socket brings megabytes in one turn of the loop: JSON is read behind that, row by row.
const jsonTypes: readonly number[] = [pg.types.builtins.JSON, pg.types.builtins.JSONB];
for (const type of jsonTypes) types.setTypeParser(type, (text: string) => text);
const int8Array = 1016 as never;
const textArray = 1009 as never;
// The declarations know the types of single values only.
const parseTextArray = pg.types.getTypeParser(textArray) as unknown as (text: string) => string[];
types.setTypeParser(int8Array, (text: string) => parseTextArray(text).map(toId));

const answerTypes = new pg.TypeOverrides(types);
answerTypes.setTypeParser(pg.types.builtins.TIMESTAMPTZ, isoOf);
const parseTime = types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as unknown as (text: string) => Date;

/** A time as answers have it, from PostgreSQL's text of it, such as `2026-03-02 08:16:00.25+00`. */
function isoOf(text: string): string {
  const isUsual = text[10] === ' ' && text.endsWith('+00');
  if (!isUsual) return parseTime(text).toISOString();
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).slice(0, 3).padEnd(3, '0')}Z`;
}

/** How long a statement may take, unless its transaction says otherwise; the database itself ends it then. */
const statementMs = 15_000;
/** How much longer an answer may take: after that nobody is there to give it. */
const answerMs = 2_000;
/** How long connections are waited for that may be as dead as another one was found to be. */
const suspicionMs = 5_000;
/** The same, where the database is known to answer by then. */
const answeringMs = 1_000;
const waitMs = 5_000;

/**
 * Settings that must be in force in every session. They come from defaults of the user in the database: what a session sets by itself would
 * stay in connections that a pooler shares with others, and poolers refuse options at the start of a connection.
 */
export const sessionSettings: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  // Sessions that hang are cut: they would hold locks, and keep dead rows alive for all others.
  statement_timeout: `${statementMs / 1000}s`,
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '30s',
  // A plan made while a table was empty must not become a scan of all of it when it is full.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  // Nor one that sorts what little a queue had then, where an index has it in order.
  enable_sort: 'off',
  // Nor may a few rows be joined with a table by reading all of a queue that was small when the plan was made.
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** Opens the pool that requests share. */
export function openPool(connection: ConnectionConfig, size: number): Pool {
  const open = new Set<Connection>();
  const pool = new pg.Pool({
    ...connection,
    Client: suspicious(open),
    types,
    max: size,
    // Also for one of those that are there already.
    connectionTimeoutMillis: waitMs,
    application_name: 'millrace',
    // Statements that do not wait for each other share a round trip.
    pipeline: true,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('acquire', (client) => ((client as PooledConnection).deadline = statementMs + answerMs));
  pool.on('release', (_, client) => ((client as PooledConnection).deadline = 0));
  return Object.assign(pool, { giveUpDead: () => open.forEach((one) => suspect(one, answeringMs)) });
}

/**
 * Connections that suspect each other: when one is dead, the others probably are, as what has cut it off has cut them off.
 * @param open those there are, also those that are being opened
 */
function suspicious(open: Set<Connection>) {
  return class extends Connection {
    constructor(config?: pg.ClientConfig) {
      super(config);
      open.add(this);
      this.once('end', () => open.delete(this));
      this.suspectOthers = () => {
        for (const other of open)
          if (other !== this) suspect(other, suspicionMs, new Unanswered(suspicionMs));
      };
    }
  };
}

/** Those in use must be heard of soon. Others are given up: there is nothing to hear of them. */
function suspect(connection: Connection, milliseconds: number, error?: Error): void {
  connection.suspectOthers = () => undefined;
  if (connection.deadline === 0) connection.break();
  // A shorter deadline would begin anew, and keep those waiting longer whose time is nearly up.
  else connection.suspect(milliseconds, error);
}

/** Runs statements that stand alone, each in a transaction of its own, on the pool or on one of its connections. */
export function onPool(pool: Queries): Reader {
  return asReader(pool);
}

/** Whether a transaction may write, or only reads, by statements that take this many milliseconds each at most. */
export type Access = 'write' | { readonly readMs: number };

function beginning(access: Access): string {
  // One snapshot for all statements: what they answer belongs together.
  if (access !== 'write')
    return `begin isolation level repeatable read, read only; set local statement_timeout = ${access.readMs}; select clock_timestamp() as now`;
  // Writers have their number before they read anything. A transaction that has seen all numbers up to its own done knows
  // that nobody still writes by what was read before: this is how queues change under their items.
  return 'begin; select pg_current_xact_id(), clock_timestamp() as now';
}

/**
 * Runs `work` in one transaction: all of it is on disk when this returns, none of it when it throws.
 * @param work is handed the time of the database when the transaction began, as a promise: what it asks the database before it
 *   awaits that goes out with the beginning, in one round trip.
 * @throws Unanswered when the database fell silent.
 * @throws CommitUnanswered when the connection broke behind the commit, and nobody here knows whether it is on disk.
 */
export async function transaction<T>(
  pool: Pool,
  work: (db: Db, clock: Promise<Date>) => Promise<T>,
  access: Access = 'write',
): Promise<T> {
  const client = await connect(pool, access);
  const sent: Promise<unknown>[] = [];
  let stage: 'work' | 'commit' | 'end' = 'work';
  let first: Error | undefined;
  const note = (error: Error) => void (first ??= error);
  try {
    const clock = begin(client, access, note);
    sent.push(awaitedLater(clock));
    const usable = during(client, () => stage === 'work');
    const result = await work(asDb(usable, sent, note), clock);
    stage = 'commit';
    // PostgreSQL takes a commit behind a statement that failed for a rollback.
    await Promise.all([...sent, client.query('commit')]);
    if (first) throw first;
    return result;
  } catch (error) {
    const isCommitting = stage === 'commit';
    stage = 'end';
    // A database that answers this has answered the commit as well, if there was one.
    const isAnswered = await settles(client.query('rollback'));
    // The first failure makes all that follows fail, too, and code that awaits several at once may meet those first.
    await Promise.allSettled(sent);
    const cause = first ?? error;
    throw isCommitting && !isAnswered ? new CommitUnanswered(cause as Error) : cause;
  } finally {
    // The pool itself replaces a connection that broke, but not one that leads to a server that takes no changes (25006).
    client.release((first as { code?: string } | undefined)?.code === '25006');
  }
}

async function connect(pool: Pool, access: Access): Promise<PooledConnection> {
  const client = (await pool.connect()) as PooledConnection;
  if (access !== 'write') client.deadline = access.readMs + answerMs;
  return client;
}

type Queries = Pick<pg.PoolClient, 'query'>;

/**
 * The connection for the work of a transaction alone. Of work that is done side by side, one part may still go on when another has
 * failed: a statement of its would run outside of any transaction, or in that of somebody else.
 */
function during(client: Queries, isUnderWay: () => boolean): Queries {
  const query = (statement: pg.QueryConfig) =>
    isUnderWay() ? client.query(statement) : Promise.reject(new Error('the transaction has ended'));
  return { query: query as Queries['query'] };
}

function settles(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

/** @param failed hears of a failure before it hears of those that follow from it. */
async function begin(client: pg.PoolClient, access: Access, failed: (error: Error) => void): Promise<Date> {
  const answer = client.query(beginning(access));
  answer.catch(failed);
  const results = (await answer) as unknown as pg.QueryResult<{ now: Date }>[];
  return results.at(-1)?.rows[0]?.now ?? new Date(Number.NaN);
}

/** Keeps a failure that nobody awaits yet from ending the process: the code that awaits the promise later meets it. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * @param sent collects the statements that were sent and that nobody else awaits.
 * @param failed is called with each failure, in the order of the statements.
 */
function asDb(client: Queries, sent: Promise<unknown>[], failed: (error: Error) => void): Db {
  const reader = asReader(client, failed);
  const write = (statement: Sql | NamedSql) => {
    sent.push(awaitedLater(reader.rows(statement)));
    return Promise.resolve();
  };
  return { ...reader, write };
}

/** Reads rows that all have the same members: copies of objects that differ cost ten times as much, and rules make many. */
function asReader(client: Queries, failed: (error: Error) => void = () => undefined): Reader {
  const rows = async <T>(statement: Sql | NamedSql): Promise<T[]> => {
    const answer = client.query<unknown[]>({
      text: statement.text,
      values: statement.values,
      rowMode: 'array',
      ...('statementName' in statement && { name: statement.statementName }),
      ...('types' in statement && { types: statement.types as pg.CustomTypesConfig }),
    });
    answer.catch(failed);
    const { fields, rows: values } = await answer;
    const columns = fields.map(columnOf);
    const readJson = 'keepsJson' in statement && statement.keepsJson ? kept : parseJson;
    const read = (row: unknown[]) => toObject(columns, row, readJson) as T;
    return values.length > fewRows ? inSlices(mapped(values, read)) : values.map(read);
  };
  return { rows, row: async <T>(statement: Sql) => (await rows<T>(statement))[0] };
}

// Of those that may be large, no statement answers more than some megabytes.
const fewRows = 20;

interface Column {
  readonly name: string;
  readonly isJson: boolean;
}

function columnOf({ name, dataTypeID }: pg.FieldDef): Column {
  return { name, isJson: jsonTypes.includes(dataTypeID) };
}

const kept = (text: string) => new JsonText(text);

function toObject(
  columns: readonly Column[],
  values: readonly unknown[],
  readJson: (text: string) => unknown,
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  // Without an iterator, an object for each value less.
  for (let index = 0; index < columns.length; index += 1) {
    const { name, isJson } = columns[index] as Column;
    const value = values[index] ?? undefined;
    row[name] = isJson && value !== undefined ? readJson(value as string) : value;
  }
  return row;
}

/** The time of the database as it is now: transactions that take long began earlier. */
export async function momentOf(db: Reader): Promise<Date> {
  const row = await db.row<{ now: Date }>(sql`select clock_timestamp() as now`);
  if (!row) throw new Error('The database knows no time.');
  return row.now;
}

export const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;
