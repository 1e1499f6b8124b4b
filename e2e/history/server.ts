import type { ChildProcess } from 'node:child_process';
import type { ConnectionConfig } from '../../server/src/engine/db.ts';
import { crashes, end, freeze, start } from './processes.ts';

/** A server that comes back at the same address. */
export interface ServerProcess {
  readonly url: string;
  readonly restart: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>;
  readonly freeze: (milliseconds: number) => Promise<void>;
  /** Sets its wall clock ahead, also that of its next life. */
  readonly setClock: (aheadMs: number) => void;
  readonly stop: () => Promise<void>;
}

const clock = ['--import', './e2e/clock.fixture.ts'];

/** Runs the real server with these settings. */
export async function runServer(settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const begin = (port: string) =>
    start([...clock, 'server/src/main.ts'], {
      MILLRACE_LOG_LEVEL: 'fatal',
      ...settings,
      MILLRACE_PORT: port,
    });
  let child = begin('0');
  let clockAheadMs = 0;
  const tellClock = () => void child.stdin?.write(`${clockAheadMs}\n`);
  const url = await addressOf(child);
  if (url === undefined) throw new Error(crashes.get(child));
  const restart: ServerProcess['restart'] = async (signal) => {
    await end(child, signal);
    for (;;) {
      child = begin(new URL(url).port);
      tellClock();
      if ((await addressOf(child)) !== undefined) return;
      // It does not start while it cannot reach its database: a supervisor tries again, unless it was ended on purpose.
      if (!crashes.delete(child)) return;
    }
  };
  return {
    url,
    restart,
    freeze: (milliseconds) => freeze(child, milliseconds),
    setClock: (aheadMs) => {
      clockAheadMs = aheadMs;
      tellClock();
    },
    stop: () => end(child, 'SIGTERM'),
  };
}

/** The address of a database, as a server is given it. */
export function urlOf({
  user = '',
  password,
  host = '',
  port = 5432,
  database = '',
}: ConnectionConfig): string {
  const url = new URL(`postgresql://localhost/${database}`);
  url.username = user;
  if (typeof password === 'string') url.password = password;
  // As parameters, since the host may be the folder of a socket.
  url.searchParams.set('host', host);
  url.searchParams.set('port', String(port));
  return url.href;
}

/** The server's address, as it tells the process that started it; undefined when it has not started. */
function addressOf(child: ChildProcess): Promise<string | undefined> {
  let said = '';
  return new Promise((resolve) => {
    child.once('exit', () => resolve(undefined));
    child.stderr?.on('data', (text: string) => {
      said += text;
      const [, url] = /(http:\/\/\S+)\/docs/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
