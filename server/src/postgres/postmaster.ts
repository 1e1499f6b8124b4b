import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { disownDeadServer, findPostmaster, readPidFile } from './cluster.ts';
import { withClient, type Connection } from './connection.ts';
import { openSocketFolder, runAs, type Place } from './place.ts';
import { cleanEnvironment, isRunning, isSameFolder } from './processes.ts';
import { cannotRun, folderArgument, program, runProgram } from './programs.ts';

/** One embedded server: the settings of its start, and the process that serves now. */
export interface Server {
  readonly place: Place;
  readonly runtime: string;
  readonly settingArguments: string[];
  readonly connection: Connection;
  readonly log: (message: string) => void;
  /** Aborted when Millrace stops: nothing is started or waited for from then on. */
  readonly stopping: AbortSignal;
  pid: number | undefined;
  /** Resolves when that process has ended. Undefined for one that another process started, and on Windows, where only polling tells. */
  ended: Promise<unknown> | undefined;
}

const startPatience = 30_000;

/** Right after a crash, sessions of the dead server may still be ending, or its lock may still look held. */
const passingTrouble = /lock file ".*" already exists|pre-existing shared memory block/;

/**
 * Brings the server up and waits until it answers: takes over the one that still runs from before, else starts one.
 *
 * @throws when it does not come up; the message ends with what PostgreSQL logged.
 */
export async function bringUp(server: Server): Promise<void> {
  if (await takeOver(server)) return;
  const giveUp = performance.now() + startPatience;
  for (;;) {
    const { sockets, account } = server.place;
    if (sockets !== undefined) await openSocketFolder(sockets, account);
    await disownDeadServer(server.place);
    const logStart = await sizeOf(server.place.log);
    await launch(server);
    if (await becomesReady(server)) return;
    const said = (await readFile(server.place.log)).subarray(logStart).toString();
    if (!passingTrouble.test(said) || performance.now() > giveUp)
      throw new Error(startFailure(server.place, said));
    await pause(300, undefined, { signal: server.stopping });
  }
}

function startFailure(place: Place, said: string): string {
  return (
    `PostgreSQL did not start on ${place.cluster}. Its log, ${place.log}, ends with:\n` +
    said.trim().split('\n').slice(-15).join('\n')
  );
}

/** Takes over a server that outlived the previous Millrace process, if it was started in the same way as this one would start it. */
async function takeOver(server: Server): Promise<boolean> {
  const { cluster } = server.place;
  const pid = await findPostmaster(cluster);
  if (pid === undefined) return false;
  const opts = await readFile(path.join(cluster, 'postmaster.opts'), 'utf8').catch(() => '');
  server.pid = pid;
  server.ended = undefined;
  if (opts.trim() !== commandLine(server) || !hasSocket(server)) {
    server.log(
      `PostgreSQL still runs but with other settings (process ${pid}); stopping it to start it anew.`,
    );
    await shutDown(server);
    return false;
  }
  if (!(await becomesReady(server))) return false;
  const stranger = await findStranger(server.connection, cluster);
  if (stranger !== undefined) {
    throw new Error(
      `A PostgreSQL server answers at ${server.connection.host} whose data lie in ${stranger} instead of ${cluster}. ` +
        `Stop it, or set MILLRACE_DATA to another folder.`,
    );
  }
  server.log(`Going on with the PostgreSQL server that was still running (process ${pid}).`);
  return true;
}

/** Whether the server's process lives and its socket is still there: a cleaner of /tmp may have removed it. */
export function isServing(server: Server): boolean {
  return server.pid !== undefined && isRunning(server.pid) && hasSocket(server);
}

function hasSocket({ place, connection }: Server): boolean {
  return place.sockets === undefined || existsSync(path.join(place.sockets, `.s.PGSQL.${connection.port}`));
}

/** The server's command line as PostgreSQL itself notes it in its folder. */
function commandLine(server: Server): string {
  const words = serverArguments(server).map((word) => `"${word}"`);
  return [program(server.runtime, 'postgres'), ...words].join(' ');
}

function serverArguments({ place, settingArguments }: Server): string[] {
  return ['-D', folderArgument(place, place.cluster), ...settingArguments];
}

/** Starts the server's process without waiting until it serves. */
async function launch(server: Server): Promise<void> {
  if (process.platform === 'win32') {
    server.pid = await launchOnWindows(server);
    return;
  }
  const { place } = server;
  const executable = program(server.runtime, 'postgres');
  // A file, not a pipe to this process: the server outlives a killed Millrace and must still be able to log.
  const log = await open(place.log, 'a', 0o600);
  try {
    const child = spawn(executable, serverArguments(server), {
      cwd: place.cluster,
      env: cleanEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      // Ctrl-C in a terminal goes to the whole process group. The server must live until Millrace has drained.
      detached: true,
      ...runAs(place.account),
    });
    child.unref();
    server.ended = once(child, 'exit').then(() => forget(server, child.pid));
    server.ended.catch(() => undefined);
    await once(child, 'spawn').catch((error: Error) => Promise.reject(cannotRun(executable, error)));
    server.pid = child.pid;
  } finally {
    await log.close();
  }
}

/** The id of a process that has ended may soon be that of another one. */
function forget(server: Server, pid: number | undefined): void {
  if (server.pid === pid) server.pid = undefined;
}

/** On Windows pg_ctl gives up administrator rights, with which PostgreSQL would refuse to run. */
async function launchOnWindows({ place, runtime, settingArguments }: Server): Promise<number | undefined> {
  const options = settingArguments.map((word) => (word.startsWith('-') ? word : `"${word}"`)).join(' ');
  const args = ['start', '-W', '-s', '-D', place.cluster, '-l', place.log, '-o', options];
  await runProgram(place, program(runtime, 'pg_ctl'), args, { folder: place.cluster });
  for (const wait of [100, 200, 500, 1000, 3000]) {
    const pid = await findPostmaster(place.cluster);
    if (pid !== undefined) return pid;
    await pause(wait);
  }
  return undefined;
}

/**
 * Waits until the server takes connections. A server that recovers from a crash gets all the time it needs.
 *
 * @returns false when its process ended instead.
 */
async function becomesReady(server: Server): Promise<boolean> {
  let giveUp = performance.now() + startPatience;
  let nextWord = performance.now() + 5_000;
  for (;;) {
    server.stopping.throwIfAborted();
    const state = await stateOf(server);
    if (state === 'ready') return true;
    if (server.pid === undefined || !isRunning(server.pid)) return false;
    if (state === 'starting') giveUp = performance.now() + startPatience;
    else if (performance.now() > giveUp)
      throw new Error(`PostgreSQL runs (process ${server.pid}) but ${state.trouble}.`);
    if (performance.now() > nextWord) {
      server.log('Waiting for PostgreSQL, which is recovering its data after a crash.');
      nextWord = performance.now() + 30_000;
    }
    await pause(50);
  }
}

type State = 'ready' | 'starting' | { readonly trouble: string };

/**
 * Whether the server takes connections. It is asked only after it has written into its pid file that it is ready: each connection that it
 * refuses costs it a process and a line in its log, while it has to recover.
 */
async function stateOf({ pid, place, connection }: Server): Promise<State> {
  const file = await readPidFile(place.cluster);
  if (file !== undefined && file.pid === pid && /^(starting|stopping)/.test(file.status)) return 'starting';
  return tryToConnect(connection);
}

/**
 * Ends the server: sessions are cut, running transactions rolled back, everything is written to disk. A server that
 * does not end in a minute is ended hard, and then recovers at its next start; nothing acknowledged is lost.
 */
export async function shutDown(server: Server): Promise<void> {
  const { pid, place } = server;
  if (pid === undefined || !isRunning(pid)) return;
  if (process.platform === 'win32') {
    const args = ['stop', '-s', '-D', place.cluster, '-m', 'fast', '-t', '60'];
    return runProgram(place, program(server.runtime, 'pg_ctl'), args, { folder: place.cluster });
  }
  for (const [signal, patience] of [
    ['SIGINT', 60_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    process.kill(pid, signal);
    if (await ends(pid, patience)) return;
    server.log(`PostgreSQL (process ${pid}) has not ended ${patience / 1000} s after ${signal}.`);
  }
  throw new Error(`PostgreSQL (process ${pid}) does not end. See its log, ${place.log}, and end it by hand.`);
}

async function ends(pid: number, patience: number): Promise<boolean> {
  const giveUp = performance.now() + patience;
  while (isRunning(pid)) {
    if (performance.now() > giveUp) return false;
    await pause(20);
  }
  return true;
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Tries whether the server takes connections. 'starting' also stands for recovering and for shutting down. */
async function tryToConnect(connection: Connection): Promise<State> {
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
async function findStranger(connection: Connection, cluster: string): Promise<string | undefined> {
  return withClient(connection, async (client) => {
    const result = await client.query<{ folder: string; pid: number }>(
      `select current_setting('data_directory') as folder, pg_backend_pid() as pid`,
    );
    const { folder, pid } = result.rows[0] ?? { folder: '', pid: 0 };
    // A server started from inside its folder only knows it by this name, which means another folder here. The
    // session's own process stands for the server's as long as it is connected.
    const seenFromHere = folder.replace('/proc/self/', `/proc/${pid}/`);
    return (await isSameFolder(seenFromHere, cluster)) ? undefined : folder;
  });
}
