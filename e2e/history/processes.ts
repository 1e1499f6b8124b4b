import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.join(import.meta.dirname, '../..');
const living = new Set<ChildProcess>();

/** Processes that ended by themselves, as none should, with their output. */
export const crashes = new Map<ChildProcess, string>();

/** Ends the processes that a failed test has left. */
export async function endAll(): Promise<void> {
  await Promise.all([...living].map((child) => end(child, 'SIGKILL')));
}

/** Starts a program without the settings of the person who runs the tests. */
export function start(args: readonly string[], settings: Record<string, string> = {}): ChildProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    env: { PATH, HOME, ...settings },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  living.add(child);
  child.stdout?.resume();
  // Writing to a process that has just been killed is no error.
  child.stdin?.on('error', () => undefined);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.once('exit', (code, signal) => {
    if (living.delete(child)) crashes.set(child, `${args.join(' ')} ended with ${code ?? signal}: ${said}`);
  });
  return child;
}

export async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (!living.delete(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  // One that is frozen hears of nothing else.
  child.kill('SIGCONT');
  await ended;
}

/** Stops it in the middle of its work, for some milliseconds. */
export async function freeze(child: ChildProcess, milliseconds: number): Promise<void> {
  child.kill('SIGSTOP');
  await sleep(milliseconds);
  child.kill('SIGCONT');
}

/** The processes that a process has started, and their descendants. */
export function descendantsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found)
    found.push(...parents.filter(([, known]) => known === parent).map(([child = 0]) => child));
  return found.slice(1);
}
