import { existsSync, readFileSync } from 'node:fs';

/** Whether a process runs, for tests. */
export function isAlive(pid: number): boolean {
  const status = `/proc/${String(pid)}/status`;
  try {
    // A zombie is not alive: in a container nobody may reap it.
    return (
      process.kill(pid, 0) && !(existsSync(status) && readFileSync(status, 'utf8').includes('State:\tZ'))
    );
  } catch {
    return false;
  }
}
