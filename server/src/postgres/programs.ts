import { spawn } from 'node:child_process';
import path from 'node:path';
import { runAs, type Place } from './place.ts';
import { cleanEnvironment } from './processes.ts';

/** The full path of one of PostgreSQL's programs. */
export function program(runtime: string, name: 'initdb' | 'postgres' | 'pg_ctl'): string {
  return path.join(runtime, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/** The name of the folder for a program of PostgreSQL that is started in it. */
export function folderArgument(place: Place, folder: string): string {
  // The kernel follows this link without checking the folders above, unlike any path that names them.
  return place.fromInside ? '/proc/self/cwd' : folder;
}

interface Run {
  readonly folder: string;
  /** Aborts the program. */
  readonly stopping?: AbortSignal;
}

/**
 * Runs a program of PostgreSQL in the folder, as the server's account, to its end.
 *
 * @throws with everything it said when it fails.
 */
export function runProgram(
  place: Place,
  executable: string,
  args: string[],
  { folder, stopping }: Run,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...runAs(place.account),
    });
    const end = () => void child.kill();
    stopping?.addEventListener('abort', end);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (error) => reject(cannotRun(executable, error)));
    child.once('close', (code, signal) => {
      stopping?.removeEventListener('abort', end);
      if (code === 0) resolve();
      else
        reject(
          new Error(`${executable} failed (${signal ?? `exit code ${code}`}). It said:\n${output.trim()}`),
        );
    });
  });
}

/** Explains why a program of PostgreSQL could not even be started. */
export function cannotRun(executable: string, error: Error): Error {
  return new Error(
    `${executable} cannot be run: ${error.message}. If its disk is mounted with noexec, set MILLRACE_DATA to a folder ` +
      `on another disk.`,
    { cause: error },
  );
}
