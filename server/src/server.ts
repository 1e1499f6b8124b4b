import { createTokenVerifier } from './auth/sessions.ts';
import type { Config } from './config.ts';
import { onPool, openPool, type ConnectionConfig } from './db.ts';
import { Bell, type BellName } from './dispatch/bell.ts';
import { Listener } from './dispatch/listener.ts';
import { createHttp } from './http.ts';
import { startJobs } from './jobs.ts';
import { migrate } from './migrate.ts';
import type { Functions } from './operation.ts';
import { functions } from './operations.ts';
import { createPerform, type Perform } from './perform.ts';
import { checkPermissions } from './permissions.ts';
import { prepareTenant } from './tenants/first-start.ts';

const stopSeconds = 10;

type Http = Awaited<ReturnType<typeof createHttp>>;

export interface Server {
  readonly url: string;
  /** What was made up for the user `admin`, when this was the first start: it is kept as a hash only. */
  readonly firstPassword: string | undefined;
  /** Lets running requests finish, ends long polls and jobs, and closes the connections. */
  stop(): Promise<void>;
}

interface More {
  /** Ends the start when it aborts. */
  readonly stopping?: AbortSignal;
  /** What keeps each operation, such as with smaller limits than usual. */
  readonly kept?: Functions;
}

/** Closes something that was opened. */
type Close = () => Promise<unknown>;

/**
 * Starts Millrace on a database: migrates, creates what a first start needs, serves. What it has opened is closed when it fails.
 */
export async function startServer(
  config: Config,
  connection: ConnectionConfig,
  more: More = {},
): Promise<Server> {
  checkPermissions();
  const opened: Close[] = [];
  const stop = async () => {
    for (const close of opened.splice(0).toReversed()) await close();
  };
  try {
    return { ...(await open(config, connection, opened, more)), stop };
  } catch (error) {
    await stop();
    more.stopping?.throwIfAborted();
    throw error;
  }
}

/** @param opened collects how to close what this opens, also when it fails. */
async function open(
  config: Config,
  connection: ConnectionConfig,
  opened: Close[],
  { stopping, kept = functions }: More,
) {
  const pool = openPool(connection, config.databaseConnections);
  opened.push(() => pool.end());
  const calls = gatherCalls();
  const http = await createHttp(config, createTokenVerifier(onPool(pool)), calls.perform);
  const { log } = http;
  await migrate(connection, log, stopping);
  const bell = new Bell();
  const listener = new Listener(connection, log, (name, items) => bell.ring(name, items));
  opened.push(() => listener.close());
  const parts = { pool, bell, announce: announceTo(bell, listener), functions: kept, log };
  http.addHook('preClose', async () => bell.close());
  opened.push(() => closePatiently(http).then(calls.settled));
  stopping?.throwIfAborted();
  const url = await listen(http, config);
  // Not before it listens: nobody would look for a password that was told by a server which found its port taken.
  const preparing = prepareTenant(pool, config.adminPassword);
  calls.begin(preparing.then(() => createPerform({ ...parts, readMs: 1000 * config.maxReadSeconds })));
  const firstPassword = await preparing;
  opened.push(startJobs(parts));
  return { url, firstPassword };
}

async function listen(http: Http, { host, port }: Config): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(whyNotThere(code, host, port) ?? message, { cause: error });
  }
}

function whyNotThere(code: string, host: string, port: number): string | undefined {
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken: stop what uses it, or set MILLRACE_PORT to another.`;
  if (code === 'EACCES')
    return `Port ${port} is not for ordinary users: set MILLRACE_PORT to one from 1024 on.`;
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code))
    return `This machine has no address ${host}: set MILLRACE_HOST to one of its own, or to 0.0.0.0 for all.`;
  return undefined;
}

async function closePatiently(http: Http): Promise<void> {
  // Who is still sending by then, such as a slow upload, has to start again anyway.
  const patience = setTimeout(() => http.server.closeAllConnections(), stopSeconds * 1000);
  await http.close();
  clearTimeout(patience);
}

/**
 * Calls that come in before anything can be performed wait for that. Those whose clients have gone are still at work when the
 * last connection is closed: stopping waits for them.
 */
function gatherCalls() {
  const underWay = new Set<Promise<unknown>>();
  let begin: (perform: Promise<Perform>) => void = () => undefined;
  const begun = new Promise<Perform>((resolve) => (begin = resolve));
  // Nobody may be waiting for what fails.
  begun.catch(() => undefined);
  const perform: Perform = (request) => {
    const call = begun.then((performNow) => performNow(request)).finally(() => underWay.delete(call));
    underWay.add(call);
    return call;
  };
  return { perform, begin, settled: () => Promise.allSettled(underWay) };
}

function announceTo(bell: Bell, listener: Listener) {
  return (name: BellName, items: number) => {
    bell.ring(name, items);
    listener.tell(name, items);
  };
}
