import { readdir, readFile } from 'node:fs/promises';

// Of the kernel's clock ticks, one hundred make a second on every Linux there is.
const ticksPerSecond = 100;

interface Process {
  readonly id: number;
  readonly parent: number;
  /** Seconds of processor time, including its ended children. */
  readonly seconds: number;
}

/** Seconds of processor time that a process and its children have used so far. Works on Linux; elsewhere it throws. */
export async function cpuSeconds(id: number): Promise<number> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(ids.map((name) => readProcess(Number(name))));
  return processes
    .filter((one) => one !== undefined)
    .filter((one) => one.id === id || one.parent === id)
    .reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The process that started this one. */
export async function parentOf(id: number): Promise<number> {
  const found = await readProcess(id);
  if (!found) throw new Error(`There is no process ${id}, or this is no Linux`);
  return found.parent;
}

/** A process by the kernel's record; undefined when it has just ended. */
async function readProcess(id: number): Promise<Process | undefined> {
  const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name may hold anything, spaces and brackets too; after its last bracket there are only numbers.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { id, parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
}
