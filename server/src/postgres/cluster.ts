import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chown, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { giveTo, type Place } from './place.ts';
import { isPostgresIn } from './processes.ts';
import { folderArgument, program, runProgram } from './programs.ts';
import type { Distribution } from './runtime.ts';

/** The database user of the embedded server; it owns everything there. */
export const databaseUser = 'millrace';

/**
 * Makes sure that there is a cluster that this version of PostgreSQL can open, and creates one where there is none.
 *
 * @throws when the folder holds something else or a cluster of another major version.
 */
export async function openCluster(
  place: Place,
  distribution: Distribution,
  runtime: string,
  { log, stopping }: { log: (message: string) => void; stopping: AbortSignal },
): Promise<void> {
  stopping.throwIfAborted();
  const version = await clusterVersion(place.cluster);
  if (version === undefined) {
    log(`Creating a PostgreSQL ${distribution.major} database in ${place.cluster}.`);
    return createCluster(place, runtime, stopping);
  }
  if (version !== distribution.major)
    throw new Error(otherVersion(place.cluster, version, distribution.major));
  if (place.account !== undefined && (await stat(place.cluster)).uid === 0) {
    // As left by a root user who restored a backup.
    log(`Giving ${place.cluster} to user id ${place.account.uid}, which PostgreSQL runs as.`);
    await giveTo(place.account, place.cluster);
  }
}

/** The major version of the cluster in the folder; undefined when the folder is missing or empty. */
async function clusterVersion(cluster: string): Promise<string | undefined> {
  const entries = await readdir(cluster).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length === 0) return undefined;
  if (entries.includes('PG_VERSION'))
    return (await readFile(path.join(cluster, 'PG_VERSION'), 'utf8')).trim();
  throw new Error(
    `${cluster} is neither empty nor a PostgreSQL database. Move its content away, or set MILLRACE_DATA to ` +
      `another folder.`,
  );
}

function otherVersion(cluster: string, found: string, own: string): string {
  return (
    `The database in ${cluster} is of PostgreSQL ${found}, and this Millrace brings PostgreSQL ${own}, which cannot ` +
    `open it. Start the Millrace version that made it, save the database with pg_dump ${found} over its socket, stop ` +
    `it, move ${cluster} away, start this version, and load the dump with psql. The old folder stays untouched.`
  );
}

async function createCluster(place: Place, runtime: string, stopping: AbortSignal): Promise<void> {
  // Under another name until it is complete: a half-made cluster would look like one that can be opened.
  const draft = path.join(place.dataFolder, 'postgres.new');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (place.account) await chown(draft, place.account.uid, place.account.gid);
  const args = ['-D', folderArgument(place, draft), ...clusterArguments(process.platform)];
  if (place.sockets === undefined) args.push(`--pwfile=${await createPassword(place)}`);
  await runProgram(place, program(runtime, 'initdb'), args, { folder: draft, stopping }).catch(
    async (error: unknown) => {
      await rm(draft, { recursive: true, force: true });
      throw error;
    },
  );
  await rename(draft, place.cluster);
  await syncFolder(place.dataFolder);
}

/** The arguments for creating a cluster: for any language, with an order of text that no library update changes. */
export function clusterArguments(platform: string): string[] {
  // These exist on every system of their kind; only PostgreSQL's full-text parser still uses the C library.
  const characters = { linux: 'C.UTF-8', darwin: 'UTF-8' }[platform] ?? 'C';
  return [
    `--username=${databaseUser}`,
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    `--lc-ctype=${characters}`,
    '--data-checksums',
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
  ];
}

async function createPassword(place: Place): Promise<string> {
  await writeFile(place.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return place.passwordFile;
}

async function syncFolder(folderPath: string): Promise<void> {
  // Windows cannot open folders.
  if (process.platform === 'win32') return;
  const folder = await open(folderPath, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The lines that PostgreSQL wrote about itself when it started. */
interface PidFile {
  readonly pid: number;
  readonly port: number;
  /** The stage of its start, or of its end; empty until it is written. */
  readonly status: string;
  readonly rest: string;
}

export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const text = await readFile(path.join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const [first, ...rest] = text.split('\n');
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(rest[2]), status: rest[6] ?? '', rest: rest.join('\n') };
}

/** The process id of the PostgreSQL server that runs in this cluster now, even of one that another process started. */
export async function findPostmaster(cluster: string): Promise<number | undefined> {
  const file = await readPidFile(cluster);
  return file && (await isPostgresIn(file.pid, cluster)) ? file.pid : undefined;
}

/**
 * Clears the remains of a dead server that are in the way of a new one; only for a cluster without a living server.
 *
 * Its sessions may live on for as long as they compute, and end like it: recovery undoes what they did not commit.
 * Its process id may now belong to another program, or to a zombie that nobody collects, and PostgreSQL would refuse
 * to start. The pid file is not removed, because through it PostgreSQL itself looks for sessions that still write:
 * it gets the id of the new server's parent, the one PostgreSQL ignores. The socket's lock file holds nothing else.
 */
export async function disownDeadServer(place: Place): Promise<void> {
  await endSessions(place.cluster);
  if (place.sockets !== undefined) {
    for (const name of await readdir(place.sockets)) await rm(path.join(place.sockets, name));
  }
  const file = await readPidFile(place.cluster);
  if (file === undefined) return;
  const pidFile = path.join(place.cluster, 'postmaster.pid');
  // Never through a link: root must not be led out of the folder of an unprivileged account.
  await rm(`${pidFile}.new`, { force: true });
  await writeFile(`${pidFile}.new`, `${process.pid}\n${file.rest}`, { mode: 0o600, flag: 'wx' });
  if (place.account) await chown(`${pidFile}.new`, place.account.uid, place.account.gid);
  await rename(`${pidFile}.new`, pidFile);
}

const orphanPatience = 10_000;

/**
 * Ends the remaining sessions of a dead server and waits until they are gone: as long as one of them holds the shared memory, PostgreSQL
 * refuses to start. A session that hangs in the disk is left to PostgreSQL's own check.
 */
async function endSessions(cluster: string): Promise<void> {
  const giveUp = performance.now() + orphanPatience;
  for (;;) {
    const orphans = await findPostgresIn(cluster);
    if (orphans.length === 0 || performance.now() > giveUp) return;
    for (const orphan of orphans) {
      try {
        process.kill(orphan, 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    }
    await pause(20);
  }
}

/** All PostgreSQL processes that work in the folder, where the system tells it; nothing elsewhere. */
async function findPostgresIn(folder: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  // All at once: a machine may have hundreds of them, and nobody is served meanwhile.
  const isFound = await Promise.all(pids.map((pid) => isPostgresIn(pid, folder)));
  return pids.filter((_, index) => isFound[index]);
}
