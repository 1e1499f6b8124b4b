import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { databaseUser, findPostmaster, readPidFile } from './cluster.ts';
import { freePort } from './free-port.ts';
import type { Place } from './place.ts';
import { isSameFolder } from './processes.ts';

/** How to reach the embedded database; fits the pg library's client and pool. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  readonly ssl: false;
}

/** The name of the database that Millrace works in. */
const databaseName = 'millrace';

/** Decides where the server will listen: a unix socket, or where there is none a port of 127.0.0.1. */
export async function chooseConnection(place: Place): Promise<Connection> {
  const common = { user: databaseUser, database: databaseName, ssl: false as const };
  if (place.sockets !== undefined) return { host: place.sockets, port: 5432, ...common };
  const password = (await readFile(place.passwordFile, 'utf8')).trim();
  const running = await findPostmaster(place.cluster);
  const port = (running && (await readPidFile(place.cluster))?.port) || (await freePort());
  return { host: '127.0.0.1', port, password, ...common };
}

/** The settings that make the server listen there and nowhere else. */
export function listenSettings(place: Place, connection: Connection): Record<string, string> {
  return {
    listen_addresses: place.sockets === undefined ? connection.host : '',
    unix_socket_directories: place.sockets ?? '',
    unix_socket_permissions: '0700',
    port: String(connection.port),
  };
}

/** Tries whether the server takes connections. 'starting' also stands for recovering and for shutting down. */
export async function tryToConnect(
  connection: Connection,
): Promise<'ready' | 'starting' | { trouble: string }> {
  try {
    await withClient(connection, () => Promise.resolve());
    return 'ready';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === '57P03' ? 'starting' : { trouble: `it cannot be reached: ${message}` };
  }
}

/**
 * Whether the server that answers there keeps its data in the folder.
 *
 * @returns the other folder when it does not.
 */
export async function findStranger(connection: Connection, cluster: string): Promise<string | undefined> {
  return withClient(connection, async (client) => {
    const result = await client.query<{ folder: string; pid: number }>(
      `select current_setting('data_directory') as folder, pg_backend_pid() as pid`,
    );
    const { folder, pid } = result.rows[0] ?? { folder: '', pid: 0 };
    // A server started from inside its folder only knows it by this name, which means another folder here. The
    // session's own process stands for the server's as long as it is connected.
    const path = folder.replace('/proc/self/', `/proc/${pid}/`);
    return (await isSameFolder(path, cluster)) ? undefined : folder;
  });
}

/** Creates the database of Millrace if it is missing. */
export async function ensureDatabase(connection: Connection): Promise<void> {
  await withClient(connection, async (client) => {
    const found = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`create database ${databaseName}`);
  });
}

/** Works with a connection to the maintenance database, which exists from the beginning. */
async function withClient<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5_000 });
  // A cut connection is reported by the query that runs on it; unheard, it would end this process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
