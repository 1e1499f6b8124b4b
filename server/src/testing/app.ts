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
import { afterAll, expect, inject } from 'vitest';
import { readConfig, type Config } from '../config.ts';
import { responseCheck } from '../contract.ts';
import type { Functions } from '../operation.ts';
import { startServer, type Server } from '../server.ts';

/** The status of an answer, and its body: typed as the success that the operation promises. */
export interface Answer<O extends OperationId> {
  readonly status: number;
  readonly body: Output<O>;
  /** The body as an error, for answers that are none of success. */
  readonly error: Schemas['Error'];
  readonly headers: Headers;
}

type Loose<I> = I extends Input<infer _> ? Partial<I> : never;

/** Calls operations for one user; each answer is held against the contract, strictly. */
export type Caller = {
  [O in OperationId]: (input?: Loose<Input<O>>, options?: { signal?: AbortSignal }) => Promise<Answer<O>>;
};

export interface App {
  readonly url: string;
  readonly connection: pg.ClientConfig;
  readonly admin: Caller;
  /** Calls with a token; without one, as nobody. */
  as(token: string | undefined): Caller;
  /** Creates a user with these roles and logs in. */
  user(username: string, roles?: string[]): Promise<TestUser>;
  /** Runs SQL on the app's database, for what no operation can show or bring about. */
  sql<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

export interface TestUser {
  readonly id: number;
  readonly token: string;
  readonly call: Caller;
}

const password = 'correct horse battery';

/** A database of its own, cloned from the migrated template; dropped with the test cluster. */
export async function createDatabase(): Promise<pg.ClientConfig> {
  const connection = inject('connection');
  const database = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(`create database ${database} template millrace_template`);
  await client.end();
  return { ...connection, database };
}

/** The real application on a database of its own, stopped after the test file. */
export async function startApp(
  settings: Partial<Config> = {},
  database?: pg.ClientConfig,
  kept?: Functions,
): Promise<App> {
  const connection = database ?? (await createDatabase());
  const config = {
    ...readConfig({ MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'fatal' }),
    adminPassword: password,
    ...settings,
  };
  const server = await startServer(config, connection, kept ? { kept } : {});
  const pool = new pg.Pool({ ...connection, max: 2 });
  const stop = stopper(server, pool);
  afterAll(stop);
  const as = (token: string | undefined) => createCaller(server.url, token);
  const admin = as(await logIn(as(undefined), 'admin'));
  const user = async (username: string, roles = ['AAE_Basic']) => createUser(admin, as, username, roles);
  const sql = async <T extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    (await pool.query<T>(text, values)).rows;
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
      const response = await fetch(`${url}${targetOf(operationId, input)}`, {
        method: operations[operationId].method,
        headers: headersOf(operationId, input, token),
        ...options,
        ...bodyOf(operationId, input),
      });
      return readAnswer(operationId, response);
    };
    return [operationId, method];
  });
  return Object.fromEntries(methods) as Caller;
}

function targetOf(operationId: OperationId, { path = {}, query = {} }: Partial<Input>): string {
  const filled = operations[operationId].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    String((path as never)[name]),
  );
  const search = new URLSearchParams(query as Record<string, string>).toString();
  return search ? `${filled}?${search}` : filled;
}

function headersOf(
  operationId: OperationId,
  { body }: Partial<Input>,
  token: string | undefined,
): Record<string, string> {
  const isJson = body !== undefined && operations[operationId].body !== 'file';
  return {
    ...(token && { 'x-authorization': token }),
    ...(isJson && { 'content-type': 'application/json' }),
  };
}

function bodyOf(operationId: OperationId, { body }: Partial<Input>): { body?: string | FormData } {
  if (body === undefined) return {};
  if (operations[operationId].body !== 'file') return { body: stringifyJson(body) };
  const form = new FormData();
  form.append('file', (body as { file: Blob }).file, 'items.csv');
  return { body: form };
}

async function readAnswer<O extends OperationId>(operationId: O, response: Response): Promise<Answer<O>> {
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
