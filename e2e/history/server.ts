import type { ChildProcess } from 'node:child_process';
import type { App } from '../../server/src/testing/app.ts';
import { end, freeze, start } from './processes.ts';

/** A server that comes back at the same address. */
export interface ServerProcess {
  readonly url: string;
  readonly restart: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>;
  readonly freeze: (milliseconds: number) => Promise<void>;
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
  return { url, restart, freeze: (milliseconds) => freeze(child, milliseconds) };
}

/** The address of a database, as a server is given it. */
export function urlOf({
  user = '',
  password,
  host = '',
  port = 5432,
  database = '',
}: App['connection']): string {
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
