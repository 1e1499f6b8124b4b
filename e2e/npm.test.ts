import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, test, type ExpectStatic } from 'vitest';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { freePort } from '../server/src/postgres/free-port.ts';
import { createDatabase } from '../server/src/testing/app.ts';
import { urlOf } from './history/server.ts';
import { descendantsOf } from './history/processes.ts';
import { createHome } from './millrace.ts';

const root = path.dirname(import.meta.dirname);
const home = createHome();
const started = new Set<number>();

// The processes that a failing test has left running.
afterAll(() => [...started].filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')));

interface Script {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The output of npm and all below it so far. */
  readonly said: () => string;
  /** Settles when all of that output has come: later than the end of its writers. */
  readonly closed: Promise<unknown>;
}

/** Starts a program in the folder of the repository, as a supervisor does: in a session of its own. */
function start(
  program: readonly [string, ...string[]],
  env: Record<string, string>,
  stdin: 'ignore' | 'pipe',
): Script {
  const { PATH = '' } = process.env;
  const [file, ...args] = program;
  const child = spawn(file, args, {
    cwd: root,
    env: { PATH, HOME: home, TMPDIR: home, ...env },
    stdio: [stdin, 'pipe', 'pipe'],
    detached: true,
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  return { process: child, pid: child.pid ?? 0, said: () => said.join(''), closed: once(child, 'close') };
}

/** Sends a signal to one process alone, and waits until nothing that it had started is left. */
async function endAlone(expect: ExpectStatic, pid: number, signal: NodeJS.Signals): Promise<void> {
  const below = descendantsOf(pid);
  // At least the command and the process it has started.
  expect(below.length).toBeGreaterThanOrEqual(2);
  for (const one of [pid, ...below]) started.add(one);
  process.kill(pid, signal);
  await expect.poll(() => [pid, ...below].filter(isAlive)).toEqual([]);
}

const startScript = ['npm', 'start', '--', '--port', '0'] as const;
const onOwnDatabase = async () => ({
  MILLRACE_DATABASE_URL: urlOf(await createDatabase()),
  MILLRACE_ALLOW_LOSS: 'yes',
});

describe('npm start, when npm alone', () => {
  test.concurrent.for([
    ['SIGTERM', 'ignore'],
    ['SIGTERM', 'pipe'],
    ['SIGKILL', 'ignore'],
    ['SIGKILL', 'pipe'],
  ] as const)('gets %s (stdin: %s), stops the server in good order', async ([signal, stdin], { expect }) => {
    // One process that serves, or several under a parent.
    const processes = stdin === 'pipe' ? '2' : '1';
    const env = { ...(await onOwnDatabase()), MILLRACE_PROCESSES: processes };
    const npm = start(startScript, env, stdin);
    await expect.poll(npm.said).toContain('Stop it with Ctrl-C.');
    await endAlone(expect, npm.pid, signal);
    await npm.closed;
    expect(npm.said()).toMatch(/Stopping: [^\n]*\nStopped\.\n/);
  });
});

test.concurrent(
  'npm start in the background goes on when the shell that started it has ended, and stops with npm',
  async ({ expect }) => {
    const port = await freePort();
    const env = { ...(await onOwnDatabase()), MILLRACE_PORT: String(port) };
    const shell = start(['sh', '-c', 'npm start & echo "npm is $!"'], env, 'ignore');
    await expect.poll(() => shell.process.exitCode).toBe(0);
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/health/ready`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(isReady).toBe(200);
    await expect.poll(shell.said).toContain('Stop it with Ctrl-C.');
    const npm = Number(/npm is (\d+)/.exec(shell.said())?.[1]);
    expect(isAlive(npm)).toBe(true);
    await endAlone(expect, npm, 'SIGKILL');
    await shell.closed;
    expect(shell.said()).toContain('Stopped.');
  },
);

test.concurrent.for(['SIGTERM', 'SIGKILL'] as const)(
  'npm run demo, when npm alone gets %s, ends all that it has started and leaves nothing behind',
  async (signal, { expect }) => {
    const folder = createHome();
    const npm = start(['npm', 'run', 'demo', '--', '--keep'], { TMPDIR: folder }, 'ignore');
    // At least the command, the server, its database and the runners.
    await expect.poll(() => descendantsOf(npm.pid).length).toBeGreaterThanOrEqual(10);
    await endAlone(expect, npm.pid, signal);
    expect(readdirSync(folder).filter((name) => name.startsWith('millrace-demo-'))).toEqual([]);
  },
);
