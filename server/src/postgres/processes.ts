import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/**
 * Whether a process with this id exists. A zombie does not count: in a container whose first process does not
 * collect its children, a killed server would otherwise look alive for ever.
 */
export function isRunning(pid: number): boolean {
  if (process.platform === 'linux') return linuxStat(pid) !== undefined;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * The start time of a process, as a text that is only good for comparing: the same process always gives the same text, a later process with
 * the same id gives another one. Undefined when there is no such process.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const fields = linuxStat(pid);
    return fields && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields.startTicks}`;
  }
  if (!isRunning(pid)) return undefined;
  if (process.platform === 'win32') {
    return run('powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`]);
  }
  return run('ps', ['-o', 'lstart=', '-p', String(pid)]);
}

/**
 * Names the set of processes among which an id means one process: this machine, or this container of it. Process
 * ids written down under another name say nothing here.
 */
export function processSpace(): string {
  if (process.platform !== 'linux') return hostname();
  return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Whether the process is a PostgreSQL server and, where the system tells it, one that works in the folder. */
export async function isPostgresIn(pid: number, folder: string): Promise<boolean> {
  if (!isRunning(pid)) return false;
  if (process.platform === 'linux') {
    return linuxStat(pid)?.name === 'postgres' && (await isSameFolder(`/proc/${pid}/cwd`, folder));
  }
  const name =
    process.platform === 'win32'
      ? await run('tasklist', ['/fi', `pid eq ${pid}`, '/fo', 'csv', '/nh'])
      : await run('ps', ['-o', 'comm=', '-p', String(pid)]);
  return path.basename(name ?? '').includes('postgres');
}

/** Whether both paths lead to one and the same folder. False when one of them leads nowhere. */
export async function isSameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((folder) => stat(folder).catch(() => undefined)));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Reads the fields needed here out of a line of `/proc/<pid>/stat`; undefined for a process that has ended. */
export function parseLinuxStat(line: string): { name: string; startTicks: string } | undefined {
  // The name is in parentheses and may itself contain blanks and parentheses.
  const nameEnd = line.lastIndexOf(')');
  const name = line.slice(line.indexOf('(') + 1, nameEnd);
  const fields = line.slice(nameEnd + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return { name, startTicks };
}

function linuxStat(pid: number): ReturnType<typeof parseLinuxStat> {
  try {
    return parseLinuxStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

function run(command: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { env: cleanEnvironment() }, (error, output) => {
      resolve(error ? undefined : output.trim());
    });
  });
}

/**
 * The environment for programs of others: English and the same everywhere. PostgreSQL in particular reads dozens of
 * PG* variables that are not meant for it. Undefined stands for this process's own, without which nothing runs on
 * Windows.
 */
export function cleanEnvironment(): NodeJS.ProcessEnv | undefined {
  return process.platform === 'win32' ? undefined : { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
}
