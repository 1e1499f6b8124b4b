import { access, copyFile, readFile, realpath, stat, truncate } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { databaseUser, findPostmaster, openCluster, readPidFile } from './cluster.ts';
import { withClient, type Connection } from './connection.ts';
import { freePort } from './free-port.ts';
import { takeLock } from './lock.ts';
import { choosePlace, closeSocketFolder, openDataFolder, type Place } from './place.ts';
import { bringUp, isServing, shutDown, type Server } from './postmaster.ts';
import { findDistribution, installRuntime, removeOtherRuntimes } from './runtime.ts';

interface EmbeddedOptions {
  /** The folder for everything that lasts. Created if missing. */
  readonly dataFolder: string;
  /** Called with a line for a person now and then. */
  readonly log: (message: string) => void;
  /** When it aborts, the start ends, releases the folder and leaves nothing running. */
  readonly stopping?: AbortSignal;
  /** PostgreSQL settings that replace those chosen here. */
  readonly settings?: Settings;
}

export interface EmbeddedPostgres {
  /** For the pg library: the database `millrace`, as its owner. */
  readonly connection: Connection;
  /** Ends the server, writing everything to disk, and releases the data folder. Can be called again. */
  stop(): Promise<void>;
}

const largestLog = 20 * 1024 * 1024;

/**
 * Runs PostgreSQL for this process alone, in the data folder, and restarts it whenever it dies. Takes over a server that outlived a killed
 * Millrace process.
 *
 *
 * @throws when the folder is in use by a living Millrace process, holds a database that this version cannot open, or PostgreSQL cannot run
 *   here. Every message says what to do.
 */
export async function startPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataFolder = await openDataFolder(options.dataFolder);
  const lock = await takeLock(path.join(dataFolder, 'millrace.lock'), options);
  const stopping = new AbortController();
  const server = await start(dataFolder, options, stopping).catch(async (error: unknown) => {
    await lock.release();
    options.stopping?.throwIfAborted();
    throw error;
  });
  const watching = watch(server);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await watching;
    try {
      await shutDown(server);
    } finally {
      // Also when the server does not end: the next start then takes it over.
      await lock.release();
    }
    await closeSocketFolder(server.place);
  };
  let stopped: Promise<void> | undefined;
  return { connection: server.connection, stop: () => (stopped ??= stop()) };
}

/**
 * The database in a data folder, for a short task: that of the server at work or, without one, started for the task.
 * @throws Error when there is no database.
 */
export async function borrowPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { dataFolder } = options;
  await access(path.join(dataFolder, 'postgres', 'PG_VERSION')).catch((error: unknown) => {
    throw new Error(
      `There is no database in ${path.resolve(dataFolder)}. Say with --data or MILLRACE_DATA where that of the server lies.`,
      { cause: error },
    );
  });
  const place = await choosePlace(await realpath(dataFolder));
  if ((await findPostmaster(place.cluster)) === undefined) return startPostgres(options);
  return { connection: await chooseConnection(place), stop: () => Promise.resolve() };
}

/** Starts everything, or ends everything that it has begun. */
async function start(
  dataFolder: string,
  options: EmbeddedOptions,
  stopping: AbortController,
): Promise<Server> {
  const abort = () => stopping.abort();
  options.stopping?.addEventListener('abort', abort);
  let server: Server | undefined;
  try {
    options.stopping?.throwIfAborted();
    server = await prepare(dataFolder, options, stopping.signal);
    await bringUp(server);
    await ensureDatabase(server.connection);
    await removeOtherRuntimes(server.place.dataFolder, server.runtime);
    return server;
  } catch (error) {
    if (server !== undefined) {
      await shutDown(server).catch(() => {});
      await closeSocketFolder(server.place);
    }
    throw error;
  } finally {
    options.stopping?.removeEventListener('abort', abort);
  }
}

async function prepare(dataFolder: string, options: EmbeddedOptions, stopping: AbortSignal): Promise<Server> {
  const { log } = options;
  const distribution = await findDistribution();
  const place = await choosePlace(dataFolder);
  const runtime = await installRuntime(distribution, place.runtimes);
  await openCluster(place, distribution, runtime, { log, stopping });
  const connection = await chooseConnection(place);
  const settings = {
    ...serverSettings(availableMemory()),
    ...options.settings,
    ...listenSettings(place, connection),
  };
  const server = {
    place,
    runtime,
    settingArguments: settingArguments(settings),
    connection,
    log,
    stopping,
    pid: undefined,
    ended: undefined,
  };
  return server;
}

/** Starts the server again each time it dies, until Millrace stops. Waits longer after each failure. */
async function watch(server: Server): Promise<void> {
  let failures = 0;
  let servesSince = performance.now();
  for (let round = 0; await restOrEnd(server); round += 1) {
    if (round % 300 === 0) await limitLog(server.place).catch(() => {});
    if (isServing(server)) continue;
    failures = performance.now() - servesSince > 5_000 ? 0 : failures + 1;
    server.log(`PostgreSQL has gone; starting it again. Its log: ${server.place.log}`);
    if (!(await rest(restartDelay(failures), server.stopping))) return;
    await bringUp(server).then(
      () => server.log(`PostgreSQL serves again (process ${server.pid}).`),
      (error: Error) => !server.stopping.aborted && server.log(error.message),
    );
    servesSince = performance.now();
  }
}

/** Waits a while, or until the server's process ends, which is noticed at once; false when Millrace is stopping. */
async function restOrEnd({ ended, stopping }: Server): Promise<boolean> {
  const resting = rest(200, stopping);
  await (ended === undefined ? resting : Promise.race([resting, ended]));
  return !stopping.aborted;
}

/** Milliseconds to wait before the next start, after this many failures in short order. */
export function restartDelay(failures: number): number {
  return failures < 2 ? 0 : Math.min(5_000, 100 * 2 ** failures);
}

/** Waits without keeping the process alive; false when Millrace is stopping. */
async function rest(milliseconds: number, stopping: AbortSignal): Promise<boolean> {
  await pause(milliseconds, undefined, { signal: stopping, ref: false }).catch(() => {});
  return !stopping.aborted;
}

/** Keeps one old and one current log. The server appends, so its file may be emptied while it writes. */
async function limitLog({ log }: Place): Promise<void> {
  if ((await stat(log)).size < largestLog) return;
  await copyFile(log, `${log}.1`);
  await truncate(log, 0);
}

/** The name of the database that Millrace works in. */
const databaseName = 'millrace';

/** Decides the address of the server: a unix socket or, where there is none, a port of 127.0.0.1. */
async function chooseConnection(place: Place): Promise<Connection> {
  const common = { user: databaseUser, database: databaseName, ssl: false as const };
  if (place.sockets !== undefined) return { host: place.sockets, port: 5432, ...common };
  const password = (await readFile(place.passwordFile, 'utf8')).trim();
  const running = await findPostmaster(place.cluster);
  const port = (running && (await readPidFile(place.cluster))?.port) || (await freePort());
  return { host: '127.0.0.1', port, password, ...common };
}

/** The settings that make the server listen there and nowhere else. */
function listenSettings(place: Place, connection: Connection): Record<string, string> {
  return {
    listen_addresses: place.sockets === undefined ? connection.host : '',
    unix_socket_directories: place.sockets ?? '',
    unix_socket_permissions: '0700',
    port: String(connection.port),
  };
}

/** Creates the database of Millrace if it is missing. */
async function ensureDatabase(connection: Connection): Promise<void> {
  await withClient(connection, async (client) => {
    const found = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`create database ${databaseName}`);
  });
}

/** PostgreSQL settings by name, in the spelling of its configuration file. */
type Settings = Record<string, string>;

const mebibyte = 1024 * 1024;

const durable: Settings = {
  // An acknowledged item survives a power loss.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
};

const tuned: Settings = {
  max_connections: '100',
  superuser_reserved_connections: '3',

  // Fewer, evenly spread checkpoints; at most about 2 GB of write-ahead log.
  max_wal_size: '2GB',
  min_wal_size: '160MB',
  wal_buffers: '16MB',
  checkpoint_timeout: '10min',
  checkpoint_completion_target: '0.9',
  log_checkpoints: 'off',

  // Each item is updated several times in its short life: dead rows must go early, or claiming slows down.
  autovacuum_naptime: '10s',
  autovacuum_vacuum_scale_factor: '0.02',
  autovacuum_vacuum_threshold: '500',
  autovacuum_vacuum_insert_scale_factor: '0.1',
  autovacuum_analyze_scale_factor: '0.05',
  autovacuum_vacuum_cost_delay: '1ms',
  autovacuum_vacuum_cost_limit: '1000',

  // Statements are short; compiling them costs more than it saves.
  jit: 'off',
  random_page_cost: '1.1',

  TimeZone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  // The details of an error quote values of rows, and the log is not covered by encryption and erasure.
  log_error_verbosity: 'terse',
  logging_collector: 'off',
};

/**
 * The settings of the embedded server for a machine with this much memory. They are given on the command line, so
 * they follow the machine and the Millrace version; postgresql.conf and ALTER SYSTEM can change all others.
 */
export function serverSettings(memoryBytes: number): Settings {
  const memory = memoryBytes / mebibyte;
  return {
    ...durable,
    ...tuned,
    // Modest: the machine also runs Millrace and, often, its runners.
    shared_buffers: megabytes(memory / 8, 32, 1024),
    effective_cache_size: megabytes(memory / 2, 64, 65_536),
    maintenance_work_mem: megabytes(memory / 32, 32, 256),
    work_mem: megabytes(memory / 512, 4, 16),
  };
}

function megabytes(wanted: number, least: number, most: number): string {
  return `${Math.round(Math.min(most, Math.max(least, wanted)))}MB`;
}

/** The memory this process may use: of the container if it has a limit, else of the machine. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit ? Math.min(limit, totalmem()) : totalmem();
}

/** The settings as arguments of the `postgres` program. */
export function settingArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
