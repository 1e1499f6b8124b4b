import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Starts a program of this folder, and answers the address on which it listens. @throws Error when it ends before */
export async function start(children: ChildProcess[], file: string, args: string[]): Promise<string> {
  const child = fork(path.join(import.meta.dirname, file), args, { execArgv: ['--import', 'tsx'] });
  children.push(child);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it listened; it has said why.`);
  });
  const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
  ended.catch(() => undefined);
  return url;
}

/** Ends programs that end when nobody is connected to them. */
export async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  for (const child of running) child.disconnect();
  await Promise.all(running.map((child) => once(child, 'exit')));
}
