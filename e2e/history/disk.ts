import { execFileSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';

/** A small file system, which can be filled to the last byte. */
export interface Disk {
  readonly fill: () => Promise<void>;
  readonly clear: () => Promise<void>;
  readonly unmount: () => void;
}

/** Mounts a file system of its own on the folder; answers the reason where that cannot be done. */
export function mountDisk(folder: string, mebibytes: number): Disk | string {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
  } catch (error) {
    return `no file system can be mounted here: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
  const filler = path.join(folder, 'filler');
  return {
    fill: () => fill(filler),
    clear: () => rm(filler, { force: true }),
    unmount: () => void execFileSync('umount', ['-l', folder]),
  };
}

/** Large parts first, and then smaller ones for the rest. */
async function fill(filler: string): Promise<void> {
  const file = await open(filler, 'a');
  try {
    for (let bytes = 1024 * 1024; bytes >= 512; bytes /= 2) await writeUntilFull(file, Buffer.alloc(bytes));
  } finally {
    await file.close();
  }
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, part: Buffer): Promise<void> {
  try {
    for (;;) await file.write(part);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
