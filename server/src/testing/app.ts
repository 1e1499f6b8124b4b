import { randomBytes } from 'node:crypto';
import {
  operations,
  parseJson,
  stringifyJson,
  type Input,
  type OperationId,
  type Output,
  type Schemas,
} from '@millrace/api';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { readConfig, type Config } from '../engine/config.ts';
import { responseCheck } from '../engine/contract.ts';
import type { Functions } from '../engine/operation.ts';
import type { Limits } from '../health/rules.ts';
import { startServer, type Server } from '../server.ts';
import { keyFile } from './key-file.ts';
import { atEnd } from './endings.ts';
import { password } from './password.ts';

/** The status of an answer, and its body: typed as the success that the operation promises. */
export interface Answer<O extends OperationId> {
  readonly status: number;
  readonly body: Output<O>;
  /** The body as an error, for answers other than success. */
  readonly error: Schemas['Error'];
  readonly headers: Headers;
}

type Loose<I> = I extends Input<infer _> ? Partial<I> : never;

/** Calls operations for one user; each answer is strictly checked against the contract. */
export type Caller = {
  [O in OperationId]: (input?: Loose<Input<O>>, options?: { signal?: AbortSignal }) => Promise<Answer<O>>;
};

export interface App {
  readonly url: string;
  readonly connection: pg.ClientConfig;
  readonly admin: Caller;
  /** Calls with a token, or without one. */
  as(token: string | undefined): Caller;
  /** Creates a user with these roles and logs in. */
  user(username: string, roles?: string[]): Promise<TestUser>;
  /** Runs SQL on the app's database, for states that no operation can show or bring about. */
  sql<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

export interface TestUser {
  readonly id: number;
  readonly token: string;
  readonly call: Caller;
}

export { password };

/** The PostgreSQL of this worker. */
export function connectionOfWorker(): pg.ClientConfig {
  const worker = process.env['VITEST_POOL_ID'];
  const connection = inject('connections')[Number(worker) - 1];
  if (!connection) throw new Error(`Worker ${worker} has no PostgreSQL.`);
  return connection;
}

/** A database of its own, cloned from a template of this worker: the migrated one, on which no server has started; dropped with its PostgreSQL. */
export async function createDatabase(
  template: 'millrace_template' | 'millrace_prepared' = 'millrace_template',
): Promise<pg.ClientConfig> {
  const connection = connectionOfWorker();
  const database = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(`create database ${database} template ${template}`);
  await client.end();
  return { ...connection, database };
}

/** The real application on a database of its own, stopped after the test file. */
export async function startApp(
  settings: Partial<Config> = {},
  database?: pg.ClientConfig,
  kept?: Functions,
  limits?: Partial<Limits>,
): Promise<App> {
  const connection = database ?? (await createDatabase('millrace_prepared'));
  const config = {
    ...readConfig({ MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'fatal', MILLRACE_ALLOW_LOSS: 'yes' }),
    adminPassword: password,
    // Tests seal when they want to.
    sealSeconds: 86_400,
    sealingKeyFile: keyFile(),
    ...settings,
  };
  const server = await startServer(config, connection, { ...(kept && { kept }), limits });
  const pool = new pg.Pool({ ...connection, max: 2 });
  const stop = stopper(server, pool);
  atEnd(stop);
  const sql = async <T extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    (await pool.query<T>(text, values)).rows;
  const as = (token: string | undefined) => withWholeFeed(createCaller(server.url, token), { sql });
  const admin = as(await logIn(as(undefined), 'admin'));
  const user = async (username: string, roles = ['AAE_Basic']) => createUser(admin, as, username, roles);
  return { url: server.url, connection, admin, as, user, sql, stop };
}

function stopper(server: Server, pool: pg.Pool): () => Promise<void> {
  let stopped: Promise<unknown> | undefined;
  return async () => {
    stopped ??= Promise.all([server.stop(), pool.end()]);
    await stopped;
  };
}

async function logIn(anyone: Caller, username: string): Promise<string> {
  const { body } = await anyone.logIn({ body: { username, password } });
  return body.token;
}

async function createUser(
  admin: Caller,
  as: App['as'],
  username: string,
  roles: string[],
): Promise<TestUser> {
  const known = (await admin.listRoles()).body.list;
  const ids = roles.map((name) => ({ id: known.find((role) => role.name === name)?.id as number }));
  const created = await admin.createUser({ body: { username, password, roles: ids } });
  expect(created.status, JSON.stringify(created.error)).toBe(200);
  const token = await logIn(as(undefined), username);
  return { id: Number(created.body.id), token, call: as(token) };
}

function createCaller(url: string, token: string | undefined): Caller {
  const methods = Object.keys(operations).map((name) => {
    const operationId = name as OperationId;
    const method = async (input: Partial<Input> = {}, options: { signal?: AbortSignal } = {}) => {
      const { headers, ...body } = await contentOf(operationId, input);
      const response = await fetch(`${url}${targetOf(operationId, input)}`, {
        method: operations[operationId].method,
        headers: { ...headers, ...(token && { 'x-authorization': token }) },
        ...options,
        ...body,
      });
      return readAnswer(operationId, response);
    };
    return [operationId, method];
  });
  return Object.fromEntries(methods) as Caller;
}

/** Lets the server's jobs end before each read of the feed, which keeps back events newer than a writer under way. */
function withWholeFeed(caller: Caller, app: Pick<App, 'sql'>): Caller {
  return {
    ...caller,
    listEvents: async (...input) => {
      await endOfWriters(app);
      return caller.listEvents(...input);
    },
  };
}

/** Waits for the writers of the server that began earlier, except for those that a test holds up. */
export async function endOfWriters(app: Pick<App, 'sql'>): Promise<void> {
  const [{ next } = { next: '0' }] = await app.sql<{ next: string }>(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
  );
  // Writers in other databases of the same PostgreSQL count as well: transaction numbers are shared by all.
  const writers = `select from pg_stat_activity where application_name = 'millrace'
    and backend_xid::text::bigint < $1 and wait_event_type is distinct from 'Lock'`;
  while ((await app.sql(writers, [next])).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

function targetOf(operationId: OperationId, { path = {}, query = {} }: Partial<Input>): string {
  const filled = operations[operationId].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    String((path as never)[name]),
  );
  const search = new URLSearchParams(query as Record<string, string>).toString();
  return search ? `${filled}?${search}` : filled;
}

async function contentOf(
  operationId: OperationId,
  { body }: Partial<Input>,
): Promise<{ headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }> {
  if (body === undefined) return {};
  if (operations[operationId].body !== 'file')
    return { headers: { 'content-type': 'application/json' }, body: stringifyJson(body) };
  const form = new FormData();
  form.append('file', (body as { file: Blob }).file, 'items.csv');
  const whole = new Response(form);
  // In one piece with the head: a server that refuses a stranger hangs up on parts that are still to be sent.
  return {
    headers: { 'content-type': whole.headers.get('content-type') ?? '' },
    body: new Uint8Array(await whole.arrayBuffer()),
  };
}

async function readAnswer<O extends OperationId>(operationId: O, response: Response): Promise<Answer<O>> {
  const isFile = response.ok && operations[operationId].effect === 'download';
  // A file is passed on unchanged, as a Blob.
  if (isFile)
    return { status: response.status, body: await response.blob(), headers: response.headers } as never;
  const text = await response.text();
  const body = text === '' ? undefined : parseJson(text);
  const complaints = responseCheck(operationId, response.status)(body);
  expect(complaints, `${operationId} answered ${response.status} ${text.slice(0, 500)}`).toEqual([]);
  return {
    status: response.status,
    body: body as Output<O>,
    error: body as Schemas['Error'],
    headers: response.headers,
  };
}
