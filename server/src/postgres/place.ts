import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, chown, lstat, mkdir, realpath, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { type Account, canReach, serverAccount } from './account.ts';

/** Where the parts of one embedded PostgreSQL lie and as whom it runs. */
export interface Place {
  readonly dataFolder: string;
  /** The cluster itself: what PostgreSQL calls its data directory. */
  readonly cluster: string;
  readonly log: string;
  /** The password, where PostgreSQL listens on TCP. */
  readonly passwordFile: string;
  /** The folder that gets one copy of PostgreSQL's programs per version. */
  readonly runtimes: string;
  /** The folder of the unix socket; undefined where PostgreSQL listens on 127.0.0.1. */
  readonly sockets: string | undefined;
  /** Undefined: the same account as this process. */
  readonly account: Account | undefined;
  /**
   * The account cannot pass through the folders above the cluster, as with a clone in /root. PostgreSQL then gets
   * its data directory as the folder it was started in, which no permission of a folder above can take away.
   */
  readonly fromInside: boolean;
}

/** Programs must be found by their full path, so they cannot lie under a folder closed to the account. */
const openRuntimes = '/var/lib/millrace-runtime';

/** The longest socket address is 108 bytes on Linux and 104 on macOS, with `/.s.PGSQL.5432` and a final zero. */
const longestSocketFolder = 85;

/**
 * Creates the data folder if it is missing.
 *
 * @returns its path without symbolic links, so that one folder has one name.
 */
export async function openDataFolder(folder: string): Promise<string> {
  // initdb runs its helpers through a shell, in double quotes.
  if (process.platform !== 'win32' && /["$`\\\n]/.test(path.resolve(folder))) {
    throw new Error(
      `PostgreSQL cannot work in ${path.resolve(folder)}: its path has a quote, $, \` or \\. ` +
        `Set MILLRACE_DATA to another folder.`,
    );
  }
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
    return await realpath(folder);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(
      `The data folder ${folder} cannot be used: ${whyUnusable[code] ?? message}. ` +
        `Set MILLRACE_DATA to a folder that this process may write to.`,
      { cause: error },
    );
  }
}

const noRight = 'this process may not write there';
const fileInPlace = 'it, or a folder above it, is a file';
const whyUnusable: Record<string, string> = {
  EACCES: noRight,
  EPERM: noRight,
  EROFS: 'its disk can only be read',
  EEXIST: fileInPlace,
  ENOTDIR: fileInPlace,
  ENOSPC: 'its disk is full',
};

/** Decides where everything lies. Changes nothing. */
export async function choosePlace(dataFolder: string): Promise<Place> {
  const cluster = await realpath(path.join(dataFolder, 'postgres')).catch(() =>
    path.join(dataFolder, 'postgres'),
  );
  const account = await serverAccount(cluster);
  const fromInside =
    account !== undefined &&
    !((await canReach(dataFolder, account)) && (await canReach(path.dirname(cluster), account)));
  if (fromInside && process.platform !== 'linux') throw new Error(closedFolder(dataFolder));
  return {
    dataFolder,
    cluster,
    log: path.join(dataFolder, 'postgres.log'),
    passwordFile: path.join(dataFolder, 'postgres.password'),
    runtimes: fromInside ? openRuntimes : path.join(dataFolder, 'runtime'),
    sockets: process.platform === 'win32' ? undefined : socketFolder(dataFolder, fromInside),
    account,
    fromInside,
  };
}

function closedFolder(dataFolder: string): string {
  return (
    `PostgreSQL does not run as root, and no other account can reach the data folder ${dataFolder}. ` +
    `Start Millrace as an ordinary user, or set MILLRACE_DATA to a folder that is not inside a private home.`
  );
}

/**
 * The socket lies in the data folder if its address fits there; else in /tmp under a name that follows from the data
 * folder, so that a later start finds a server that is still running.
 */
export function socketFolder(dataFolder: string, fromInside: boolean): string {
  const near = path.join(dataFolder, 'socket');
  // PostgreSQL takes a list of folders, separated by commas.
  if (!fromInside && !near.includes(',') && Buffer.byteLength(near) <= longestSocketFolder) return near;
  return `/tmp/millrace-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}`;
}

/** Creates the folder of the socket for the server's account alone: the socket asks for no password. */
export async function openSocketFolder(folder: string, account: Account | undefined): Promise<void> {
  const uid = account?.uid ?? process.getuid?.();
  await mkdir(folder, { mode: 0o700 }).then(
    () => account && chown(folder, account.uid, account.gid),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  const found = await lstat(folder);
  // In /tmp anybody may have made a folder of this name first, to stand between this process and the database.
  if (!found.isDirectory() || found.uid !== uid) {
    throw new Error(
      `${folder} must be a folder of user id ${uid} for PostgreSQL's socket, but belongs to user id ${found.uid}. ` +
        `Remove it and start again.`,
    );
  }
  await chmod(folder, 0o700);
}

/** Removes the folder of the socket if it lies in /tmp and nothing is left in it. */
export async function closeSocketFolder({ sockets, dataFolder }: Place): Promise<void> {
  if (sockets !== undefined && path.dirname(sockets) !== dataFolder) await rmdir(sockets).catch(() => {});
}
