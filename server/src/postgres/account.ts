import { lchown, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** The account PostgreSQL runs as when this process is root. PostgreSQL itself refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** An own account is the better one: `nobody` may be shared with other services, which could then read the data. */
const accountNames = ['millrace', 'nobody'];

/**
 * Decides as whom PostgreSQL runs: undefined means as this process. Root uses the owner of an existing cluster,
 * else the account `millrace` if the machine has one, else `nobody`. The machine's accounts are never changed.
 *
 * @throws when the cluster belongs to somebody else, or root finds no account to use.
 */
export async function serverAccount(cluster: string): Promise<Account | undefined> {
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
