import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, processSpace, processStart } from './processes.ts';

interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly space: string;
  readonly token: string;
}

interface FolderLock {
  /** Gives the folder back. */
  release(): Promise<void>;
}

interface LockOptions {
  readonly log: (message: string) => void;
  /** Milliseconds between the holder's signs of life. Only seen by processes in other containers. */
  readonly heartbeat?: number;
}

/**
 * Takes the lock file for this process, also when the process that wrote it is gone. Of several processes that
 * try at once exactly one succeeds.
 *
 * @throws when a living process holds the lock; the message names it and says what to do.
 */
export async function takeLock(path: string, options: LockOptions): Promise<FolderLock> {
  const own = await describeThisProcess();
  await claim(path, own, options);
  // A process in another container on the same volume cannot see this one: it watches the time of the file.
  const beat = setInterval(
    () => void utimes(path, new Date(), new Date()).catch(() => {}),
    heartbeat(options),
  );
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      const holder = await readHolder(path);
      if (holder !== 'gone' && holder?.token === own.token) await unlink(path);
    },
  };
}

async function claim(path: string, own: Holder, options: LockOptions): Promise<void> {
  const draft = `${path}.${own.token}`;
  await writeDurably(draft, JSON.stringify(own));
  try {
    while (!(await created(draft, path))) {
      const holder = await readHolder(path);
      if (holder === 'gone') continue;
      if (holder !== undefined) await refuseIfAlive(path, holder, options);
      if (await replaceDead(path, holder, draft, options)) return;
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Puts the draft in the place of a lock whose holder is dead. Two processes may both have seen the dead holder; the
 * slower one must not remove the lock of the faster. So replacing needs a lock of its own, named after the dead
 * holder, and the lock is read again under it.
 */
async function replaceDead(
  path: string,
  dead: Holder | undefined,
  draft: string,
  options: LockOptions,
): Promise<boolean> {
  const turn = await takeLock(`${path}.${dead?.token ?? 'unreadable'}.replace`, options);
  try {
    const now = await readHolder(path);
    if (now === 'gone' || now?.token !== dead?.token) return false;
    await rename(draft, path);
    return true;
  } finally {
    await turn.release();
  }
}

async function refuseIfAlive(path: string, holder: Holder, options: LockOptions): Promise<void> {
  const here = holder.space === processSpace();
  const alive = here
    ? isRunning(holder.pid) && (await processStart(holder.pid)) === holder.started
    : await isBeating(path, holder, options);
  if (!alive) return;
  const where = here ? '' : ` on another machine or in another container (${holder.space})`;
  throw new Error(
    `Another Millrace server, process ${holder.pid}${where}, is using this data folder: its lock is ${path}. ` +
      `Stop that process first${here ? ` (kill ${holder.pid})` : ''}, or set MILLRACE_DATA to another folder.`,
  );
}

async function isBeating(path: string, holder: Holder, options: LockOptions): Promise<boolean> {
  options.log(
    `The lock ${path} was written in another container (${holder.space}); watching whether it still runs.`,
  );
  // Only changes count, not the age of the file: the clocks of two machines may differ.
  const before = (await stat(path).catch(() => undefined))?.mtimeMs;
  await pause(heartbeat(options) * 3.5);
  return (await stat(path).catch(() => undefined))?.mtimeMs !== before;
}

function heartbeat(options: LockOptions): number {
  return options.heartbeat ?? 2_000;
}

/** Reads the holder of the lock: 'gone' when there is no lock, undefined when a power loss left an unreadable one. */
async function readHolder(path: string): Promise<Holder | 'gone' | undefined> {
  try {
    return parseHolder(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
}

export function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, started, space, token } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== 'number' || typeof token !== 'string' || !/^[\w-]+$/.test(token)) return undefined;
    return { pid, started: String(started), space: String(space), token };
  } catch {
    return undefined;
  }
}

async function describeThisProcess(): Promise<Holder> {
  const started = (await processStart(process.pid)) ?? 'unknown';
  return { pid: process.pid, started, space: processSpace(), token: randomUUID() };
}

/** Gives the draft the final name unless that name is taken. The file is complete from its first moment on. */
async function created(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
