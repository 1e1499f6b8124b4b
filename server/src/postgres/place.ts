import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  readFile,
  readdir,
  realpath,
  rmdir,
  stat,
} from 'node:fs/promises';
import path from 'node:path';

/** The folders and files of one embedded PostgreSQL, and the account that it runs as. */
export interface Place {
  readonly dataFolder: string;
  /** The cluster itself, PostgreSQL's data directory. */
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

/** The path of the cluster in a data folder, once there is one. */
export function clusterIn(dataFolder: string): string {
  return path.join(dataFolder, 'postgres');
}

/** Decides the paths of everything. Changes nothing. */
export async function choosePlace(dataFolder: string): Promise<Place> {
  const cluster = await realpath(clusterIn(dataFolder)).catch(() => clusterIn(dataFolder));
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

/** The account PostgreSQL runs as when this process is root. PostgreSQL itself refuses to run as root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** An own account is the better one: `nobody` may be shared with other services, which could then read the data. */
const accountNames = ['millrace', 'nobody'];

/**
 * Decides the account that PostgreSQL runs as: undefined means that of this process. Root uses the owner of an existing cluster,
 * else the account `millrace` if the machine has one, else `nobody`. The machine's accounts are never changed.
 *
 * @throws when the cluster belongs to somebody else, or root finds no account to use.
 */
async function serverAccount(cluster: string): Promise<Account | undefined> {
  const ownUid = process.getuid?.();
  if (ownUid === undefined) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (ownUid !== 0) {
    if (owner !== undefined && owner.uid !== ownUid)
      throw new Error(foreignCluster(cluster, owner.uid, ownUid));
    return undefined;
  }
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = findAccount(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  if (account !== undefined) return account;
  throw new Error(
    'PostgreSQL does not run as root, and /etc/passwd has neither an account "millrace" nor "nobody" to run it as. ' +
      'Start Millrace as an ordinary user, or set MILLRACE_DATABASE_URL to a PostgreSQL 15 or newer of your own.',
  );
}

function foreignCluster(cluster: string, ownerUid: number, ownUid: number): string {
  return (
    `The database in ${cluster} belongs to user id ${ownerUid}, but this process runs as user id ${ownUid}. ` +
    `Start Millrace as that user (or as root if root started it before), or set MILLRACE_DATA to another folder.`
  );
}

/** The preferred unprivileged account among the lines of an `/etc/passwd`. */
export function findAccount(passwd: string): Account | undefined {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  for (const name of accountNames) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    // macOS writes nobody's id as -2; the file system says 4294967294.
    if (uid !== undefined && gid !== undefined && Number(uid) !== 0) {
      return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
    }
  }
  return undefined;
}

/** Whether the account may pass through the folder and through every folder above it. */
export async function canReach(folder: string, account: Account): Promise<boolean> {
  const real = await realpath(folder);
  if (!mayPass(await stat(real), account)) return false;
  const parent = path.dirname(real);
  return parent === real || canReach(parent, account);
}

/** Whether the mode bits of a folder let the account pass through it. */
export function mayPass(folder: { uid: number; gid: number; mode: number }, account: Account): boolean {
  if (folder.uid === account.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === account.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}

/** Gives a folder and everything in it to the account; symbolic links are not followed. */
export async function giveTo(account: Account, target: string): Promise<void> {
  await lchown(target, account.uid, account.gid);
  const entries = await readdir(target, { withFileTypes: true });
  for (const entry of entries) {
    const inner = path.join(target, entry.name);
    if (entry.isDirectory()) await giveTo(account, inner);
    else await lchown(inner, account.uid, account.gid);
  }
}

/** The account as child processes are given it: Node wants signed numbers there. */
export function runAs(account: Account | undefined): Partial<Account> {
  return account === undefined ? {} : { uid: account.uid | 0, gid: account.gid | 0 };
}
