import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../server/src/testing/app.ts';
import type { Place } from './calls.ts';

const root = path.join(import.meta.dirname, '../..');
const living = new Set<ChildProcess>();

/** What is known of processes that have ended by themselves, as none should. */
export const crashes: string[] = [];

/** Ends whatever a failed test has left. */
export async function endAll(): Promise<void> {
  await Promise.all([...living].map((child) => end(child, 'SIGKILL')));
}

/** Starts a program without the settings of whoever runs the tests. */
function start(args: readonly string[], settings: Record<string, string> = {}): ChildProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    env: { PATH, HOME, ...settings },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  living.add(child);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.once('exit', (code, signal) => {
    if (living.delete(child)) crashes.push(`${args[0]} ended with ${code ?? signal}: ${said}`);
  });
  return child;
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (!living.delete(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** A consumer that has a new life after each death. */
export interface ConsumerProcess {
  readonly kill: () => Promise<void>;
  /** Stops it in the middle of whatever it does, for so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** @param placeIn the place for each life, which has a log of its own. */
export function runConsumer(placeIn: (life: number) => Place & { readonly by: number }): ConsumerProcess {
  let life = 0;
  const begin = () => start(['e2e/consumer.fixture.ts', JSON.stringify(placeIn((life += 1)))]);
  let child = begin();
  return {
    kill: async () => {
      await end(child, 'SIGKILL');
      child = begin();
    },
    pause: async (milliseconds) => {
      const paused = child;
      paused.kill('SIGSTOP');
      await sleep(milliseconds);
      paused.kill('SIGCONT');
    },
  };
}

/** A server that comes back at the same address. */
export interface ServerProcess {
  readonly url: string;
  readonly restart: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>;
}

/** Runs the real server on a database. */
export async function runServer(database: App['connection']): Promise<ServerProcess> {
  const settings = { MILLRACE_DATABASE_URL: urlOf(database), MILLRACE_LOG_LEVEL: 'fatal' };
  const begin = (port: string) => start(['server/src/main.ts'], { ...settings, MILLRACE_PORT: port });
  let child = begin('0');
  const url = await addressOf(child);
  const restart: ServerProcess['restart'] = async (signal) => {
    await end(child, signal);
    child = begin(new URL(url).port);
    await addressOf(child);
  };
  return { url, restart };
}

function urlOf({ user = '', password, host = '', port = 5432, database = '' }: App['connection']): string {
  const url = new URL(`postgresql://localhost/${database}`);
  url.username = user;
  if (typeof password === 'string') url.password = password;
  // As parameters, since the host may be the folder of a socket.
  url.searchParams.set('host', host);
  url.searchParams.set('port', String(port));
  return url.href;
}

/** Where the server listens, as it tells whoever has started it. */
function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`The server did not start. ${said}`)));
    child.stderr?.on('data', (text: string) => {
      said += text;
      const [, url] = /(http:\/\/\S+)\/docs/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
