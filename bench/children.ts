import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Starts a program of this folder, and answers the address on which it listens. */
export async function start(children: ChildProcess[], file: string, args: string[]): Promise<string> {
  const child = fork(path.join(import.meta.dirname, file), args, { execArgv: ['--import', 'tsx'] });
  children.push(child);
  const [url] = (await once(child, 'message')) as [string];
  return url;
}

/** Ends programs that end when nobody is connected to them. */
export async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) child.disconnect();
  await Promise.all(children.map((child) => once(child, 'exit')));
}
