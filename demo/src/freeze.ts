import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

const canFreeze = process.platform !== 'win32';
const settleMs = 500;

/** Freezes a process until the server has read everything it sent: reports under way are not lost when it is killed. */
export async function freeze(child: ChildProcess): Promise<void> {
  if (!canFreeze) return;
  child.kill('SIGSTOP');
  await pause(settleMs);
}

/** Lets it go on. */
export function thaw(child: ChildProcess): void {
  if (canFreeze) child.kill('SIGCONT');
}
