import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { atEnd } from '../server/src/testing/endings.ts';

/** The end of a command, and its output. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command at work. */
export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  /** Its output to stderr so far. */
  readonly said: () => string;
  readonly ended: Promise<Ended>;
}

type Environment = Readonly<Record<string, string>>;

const inClone = fileURLToPath(new URL('../cli/bin/millrace.mjs', import.meta.url));
const ofPackage = path.join(inject('packages'), 'cli/bin/millrace.mjs');

/** A person's home: the folder in which commands run and keep their files. */
export function createHome(): string {
  const home = mkdtempSync(path.join(tmpdir(), 'millrace-home-'));
  atEnd(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Starts the real command in a process of its own, in a home, without the settings of the person who runs the tests. */
export function startMillrace(home: string, args: readonly string[], env: Environment = {}): Running {
  const { PATH = '' } = process.env;
  // The demo is no package.
  const program = args[0] === 'demo' ? inClone : ofPackage;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: home,
    env: { PATH, HOME: home, ...env },
    stdio: 'pipe',
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (written[name] += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...written }));
  atEnd(() => {
    child.kill('SIGTERM');
    return ended;
  });
  return { process: child, said: () => written.stderr, ended };
}

/** Runs a command to its end. */
export async function millrace(
  home: string,
  args: readonly string[],
  { env = {}, stdin = '' }: { env?: Environment; stdin?: string } = {},
): Promise<Ended> {
  const { process: child, ended } = startMillrace(home, args, env);
  child.stdin.end(stdin);
  return ended;
}
