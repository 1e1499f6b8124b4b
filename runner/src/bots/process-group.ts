import { spawn, type ChildProcess } from 'node:child_process';

const isWindows = process.platform === 'win32';

/** Groups that are alive. Should this process end first, they end with it: nobody would hold their items any longer. */
const alive = new Set<number>();

/** Whether commands are to be spawned `detached`, as the heads of groups of their own. */
export const ownGroup = !isWindows;

export function joinGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  if (alive.size === 0) process.on('exit', killAll);
  alive.add(pid);
}

/** Kills the rest of the group, and forgets it. */
export function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
  if (child.pid !== undefined) alive.delete(child.pid);
  if (alive.size === 0) process.off('exit', killAll);
}

/** Signals a command and everything that it has started. */
export function signalGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid !== undefined) send(pid, signal);
}

function killAll(): void {
  for (const pid of alive) send(pid, 'SIGKILL');
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  // Windows has no signals, and no gentle way that reaches a whole tree of processes.
  if (isWindows) {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }).unref();
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group is gone; EPERM: the rest of it is already dead, on some systems.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
