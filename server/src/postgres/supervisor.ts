import { copyFile, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openCluster } from './cluster.ts';
import { chooseConnection, type Connection, ensureDatabase, listenSettings } from './connection.ts';
import { takeLock } from './lock.ts';
import { choosePlace, closeSocketFolder, openDataFolder, type Place } from './place.ts';
import { bringUp, isServing, type Server, shutDown } from './postmaster.ts';
import { findDistribution, installRuntime, removeOtherRuntimes } from './runtime.ts';
import { availableMemory, serverSettings, settingArguments, type Settings } from './settings.ts';

export interface EmbeddedOptions {
  /** The folder for everything that lasts. Created if missing. */
  readonly dataFolder: string;
  /** Gets a line for a person now and then. */
  readonly log: (message: string) => void;
  /** Ends the start when it aborts: what was begun is ended and the folder given back. */
  readonly stopping?: AbortSignal;
  /** PostgreSQL settings that replace those chosen here. */
  readonly settings?: Settings;
}

export interface EmbeddedPostgres {
  /** For the pg library: the database `millrace`, as its owner. */
  readonly connection: Connection;
  /** Ends the server, writing everything to disk, and gives the data folder back. Can be called again. */
  stop(): Promise<void>;
}

const largestLog = 20 * 1024 * 1024;

/**
 * Runs PostgreSQL for this process alone, in the data folder, and starts it again whenever it dies. Goes on with a
 * server that outlived a killed Millrace process.
 *
 * @throws when the folder is in use by a living Millrace process, holds a database this version cannot open, or
 * PostgreSQL cannot run here. Every message says what to do.
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

/** Brings everything up, or ends what it has begun. */
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
  };
  return server;
}

/** Starts the server again each time it dies, until Millrace stops. Waits longer after each failure. */
async function watch(server: Server): Promise<void> {
  let failures = 0;
  let startedAt = Date.now();
  for (let round = 0; await rest(200, server.stopping); round += 1) {
    if (round % 300 === 0) await limitLog(server.place).catch(() => {});
    if (isServing(server)) continue;
    failures = Date.now() - startedAt > 60_000 ? 0 : failures + 1;
    server.log(
      `PostgreSQL (process ${server.pid}) has gone; starting it again. Its log: ${server.place.log}`,
    );
    if (!(await rest(restartDelay(failures), server.stopping))) return;
    startedAt = Date.now();
    await bringUp(server).then(
      () => server.log(`PostgreSQL serves again (process ${server.pid}).`),
      (error: Error) => !server.stopping.aborted && server.log(error.message),
    );
  }
}

/** Milliseconds to wait before the next start, after so many in short order. */
export function restartDelay(failures: number): number {
  return failures < 2 ? 0 : Math.min(10_000, 100 * 2 ** failures);
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
