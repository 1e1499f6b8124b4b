import { JsonText, parseJson, toId } from '@millrace/api';
import pg from 'pg';
import sql, { type Sql } from 'sql-template-tag';
import { Connection } from './connection.ts';
import { CommitUnanswered, Unanswered } from './errors.ts';
import { inSlices, mapped } from './slices.ts';

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag';

/** A frequent statement: each connection parses and plans it once. */
interface NamedSql extends Sql {
  readonly statementName: string;
}

/** Names a statement. Its text must be the same whenever it has this name. */
export function named(name: string, statement: Sql): NamedSql {
  return Object.assign(statement, { statementName: name });
}

/** A statement whose rows go into an answer unchanged. */
interface AnswerSql extends Sql {
  readonly types: pg.CustomTypesConfig;
  readonly keepsJson: boolean;
}

/**
 * Marks a statement whose rows go into an answer unchanged: times have the form of answers, without a Date for each.
 * @param keepsJson whether JSON is only passed on, as `JsonText`, without being parsed
 */
export function forAnswer<S extends Sql>(statement: S, keepsJson: boolean): S & AnswerSql {
  return Object.assign(statement, { types: answerTypes, keepsJson });
}

/** A connection, or the pool. Statements that are not awaited one by one share a round trip and run in the given order. */
export interface Reader {
  /** Rows as objects; columns that are null are undefined. 64-bit integers are ids, JSON is parsed without loss. */
  rows<T>(statement: Sql | NamedSql): Promise<T[]>;
  /** The first row, if there is one. */
  row<T>(statement: Sql): Promise<T | undefined>;
}

/** A connection inside a transaction. */
export interface Db extends Reader {
  /**
   * Sends a statement without waiting for its result: it shares a round trip with the following ones, which may be the commit. Resolves
   * when it is sent; if it fails, so does the transaction.
   */
  write(statement: Sql | NamedSql): Promise<void>;
}

export interface Pool extends pg.Pool {
  /**
   * Called when the database answers again after a silence: gives up connections that have died meanwhile. Their transactions run again at
   * once instead of waiting for their deadlines.
   */
  giveUpDead(): void;
}

export type ConnectionConfig = pg.ClientConfig;
type PooledConnection = Connection & pg.PoolClient;

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, toId);
// A socket brings megabytes in one turn of the loop: JSON is parsed after that, row by row.
const jsonTypes: readonly number[] = [pg.types.builtins.JSON, pg.types.builtins.JSONB];
for (const type of jsonTypes) types.setTypeParser(type, (text: string) => text);
const int8Array = 1016 as never;
const textArray = 1009 as never;
// The type declarations cover single values only.
const parseTextArray = pg.types.getTypeParser(textArray) as unknown as (text: string) => string[];
types.setTypeParser(int8Array, (text: string) => parseTextArray(text).map(toId));

const answerTypes = new pg.TypeOverrides(types);
answerTypes.setTypeParser(pg.types.builtins.TIMESTAMPTZ, isoOf);
const parseTime = types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as unknown as (text: string) => Date;

/** A time in the form of answers, from PostgreSQL's text, such as `2026-03-02 08:16:00.25+00`. */
function isoOf(text: string): string {
  const isUsual = text[10] === ' ' && text.endsWith('+00');
  if (!isUsual) return parseTime(text).toISOString();
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).slice(0, 3).padEnd(3, '0')}Z`;
}

/** Longest time of a statement, unless its transaction sets another; the database itself ends it then. */
const statementMs = 15_000;
/** Extra time for the answer to arrive: after that the database is taken to be gone. */
const answerMs = 2_000;
/** Time given to connections that may be as dead as another one was found to be. */
const suspicionMs = 5_000;
/** The same, where the database is known to answer. */
const answeringMs = 1_000;
const waitMs = 5_000;

/**
 * Settings that must be in force in every session. They are defaults of the user in the database: a setting made by a session would stay in
 * connections that a pooler shares with others, and poolers refuse options at the start of a connection.
 */
export const sessionSettings: Readonly<Record<string, string>> = {
  TimeZone: 'UTC',
  // Hanging sessions are cut: they would hold locks, and keep dead rows alive for all others.
  statement_timeout: `${statementMs / 1000}s`,
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '30s',
  // A plan made while a table was empty must not become a scan of the whole table when it is full.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  // Nor may such a plan sort the few rows of that time, where an index has them in order.
  enable_sort: 'off',
  // Nor may it join a few rows with a table by reading all of a queue that was small when the plan was made.
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/** Opens the pool shared by requests. */
export function openPool(connection: ConnectionConfig, size: number): Pool {
  const open = new Set<Connection>();
  const pool = new pg.Pool({
    ...connection,
    Client: suspicious(open),
    types,
    max: size,
    // Applies to waiting for an existing connection as well.
    connectionTimeoutMillis: waitMs,
    application_name: 'millrace',
    // Statements that do not depend on each other share a round trip.
    pipeline: true,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('acquire', (client) => ((client as PooledConnection).deadline = statementMs + answerMs));
  pool.on('release', (_, client) => ((client as PooledConnection).deadline = 0));
  return Object.assign(pool, { giveUpDead: () => open.forEach((one) => suspect(one, answeringMs)) });
}

/**
 * Connections that suspect each other: when one is dead, the others probably are, for the same cause.
 * @param open the connections there are, including those being opened
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

/** Connections in use must be heard of soon. Idle ones are given up: they expect no data by which to judge them. */
function suspect(connection: Connection, milliseconds: number, error?: Error): void {
  connection.suspectOthers = () => undefined;
  if (connection.deadline === 0) connection.break();
  // A shorter deadline would start from zero, and prolong waits that are nearly over.
  else connection.suspect(milliseconds, error);
}

/** Runs statements that stand alone, each in a transaction of its own, on the pool or on one of its connections. */
export function onPool(pool: Queries): Reader {
  return asReader(pool);
}

/** Whether a transaction may write, or only reads, and its limits in milliseconds: for each statement, and for each lock that it waits for. */
export type Access =
  'write' | { readonly readMs: number } | { readonly lockMs: number; readonly statementMs: number };

function beginning(access: Access): string {
  // One snapshot for all statements, so that their results fit together.
  if (access !== 'write' && 'readMs' in access)
    return `begin isolation level repeatable read, read only; set local statement_timeout = ${access.readMs}; select clock_timestamp() as now`;
  // Writers get their number before they read anything. A transaction that sees all smaller numbers finished knows that nobody still writes
  // on the ground of earlier reads: this is how queues change under their items.
  const limits =
    access === 'write'
      ? ''
      : `, set_config('lock_timeout', '${access.lockMs}', true), set_config('statement_timeout', '${access.statementMs}', true)`;
  return `begin; select pg_current_xact_id(), clock_timestamp() as now${limits}`;
}

/**
 * Runs `work` in one transaction: all of it is on disk when this returns, none of it when it throws.
 * @param work receives the time of the database at the beginning of the transaction, as a promise: statements sent before it awaits that
 *   share the round trip of the beginning
 * @throws Unanswered when the database fell silent.
 * @throws CommitUnanswered when the connection broke after the commit was sent, so that nobody here knows whether it is on disk.
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
    // PostgreSQL treats a commit after a failed statement as a rollback.
    await Promise.all([...sent, client.query('commit')]);
    if (first) throw first;
    return result;
  } catch (error) {
    const isCommitting = stage === 'commit';
    stage = 'end';
    // A database that answers this has also answered the commit, if there was one.
    const isAnswered = await settles(client.query('rollback'));
    // The first failure makes all following statements fail too, and code that awaits several at once may meet those first.
    await Promise.allSettled(sent);
    const cause = first ?? error;
    throw isCommitting && !isAnswered ? new CommitUnanswered(cause as Error) : cause;
  } finally {
    // The pool itself replaces a broken connection, but not one to a server that takes no changes (25006).
    client.release((first as { code?: string } | undefined)?.code === '25006');
  }
}

async function connect(pool: Pool, access: Access): Promise<PooledConnection> {
  const client = (await pool.connect()) as PooledConnection;
  if (access !== 'write' && 'readMs' in access) client.deadline = access.readMs + answerMs;
  return client;
}

type Queries = Pick<pg.PoolClient, 'query'>;

/**
 * The connection, usable only while the transaction's work is under way. When concurrent work fails in one part, another may still go on:
 * its statements would run outside of any transaction, or in somebody else's.
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

/** @param failed is called with a failure before any that follow from it */
async function begin(client: pg.PoolClient, access: Access, failed: (error: Error) => void): Promise<Date> {
  const answer = client.query(beginning(access));
  answer.catch(failed);
  const results = (await answer) as unknown as pg.QueryResult<{ now: Date }>[];
  return results.at(-1)?.rows[0]?.now ?? new Date(Number.NaN);
}

/** Keeps a failure that is not awaited yet from ending the process: the code that awaits the promise later meets it. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * @param sent collects the sent statements that nobody else awaits.
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

/** Reads rows into objects with the same members: copies of objects that differ cost ten times as much, and rules make many. */
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

// Statements for large rows return some megabytes at most.
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
  // An iterator would make an object for each value.
  for (let index = 0; index < columns.length; index += 1) {
    const { name, isJson } = columns[index] as Column;
    const value = values[index] ?? undefined;
    row[name] = isJson && value !== undefined ? readJson(value as string) : value;
  }
  return row;
}

/** The present time of the database: long transactions began earlier. */
export async function momentOf(db: Reader): Promise<Date> {
  const row = await db.row<{ now: Date }>(sql`select clock_timestamp() as now`);
  if (!row) throw new Error('The database knows no time.');
  return row.now;
}

export const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;
