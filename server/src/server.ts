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

export interface Server {
  readonly url: string;
  /** Lets running requests finish, ends long polls and jobs, and closes the connections. */
  stop(): Promise<void>;
}

/**
 * Starts Millrace on a database: migrates, creates what a first start needs, serves.
 * @param tellPassword is called at the first start, with the password made up for `admin`: it is kept as a hash only.
 * @param kept what keeps each operation, such as with smaller limits than usual.
 */
export async function startServer(
  config: Config,
  connection: ConnectionConfig,
  tellPassword: (password: string) => void,
  kept: Functions = functions,
): Promise<Server> {
  checkPermissions();
  const pool = openPool(connection, config.databaseConnections);
  const bell = new Bell();
  const calls = trackCalls((request) => perform(request));
  const http = await createHttp(config, createTokenVerifier(onPool(pool)), calls.perform);
  const log = http.log;
  await migrate(connection, (message) => log.info(message));
  const madeUpPassword = await prepareTenant(pool, config.adminPassword);
  if (madeUpPassword !== undefined) tellPassword(madeUpPassword);
  const listener = new Listener(connection, log, (name, items) => bell.ring(name, items));
  const parts = { pool, bell, announce: announceTo(bell, listener), functions: kept, log };
  const perform = createPerform(parts);
  const stopJobs = startJobs(parts);
  http.addHook('preClose', async () => bell.close());
  const url = await http.listen({ host: config.host, port: config.port });
  const stop = async () => {
    await closePatiently(http);
    await calls.settled();
    await stopJobs();
    await listener.close();
    await pool.end();
  };
  return { url, stop };
}

async function closePatiently(http: Awaited<ReturnType<typeof createHttp>>): Promise<void> {
  // Who is still sending by then, such as a slow upload, has to start again anyway.
  const patience = setTimeout(() => http.server.closeAllConnections(), stopSeconds * 1000);
  await http.close();
  clearTimeout(patience);
}

/** Calls whose clients have gone are still at work when the last connection is closed: stopping waits for them. */
function trackCalls(perform: Perform) {
  const underWay = new Set<Promise<unknown>>();
  const track: Perform = (request) => {
    const call = perform(request).finally(() => underWay.delete(call));
    underWay.add(call);
    return call;
  };
  return { perform: track, settled: () => Promise.allSettled(underWay) };
}

function announceTo(bell: Bell, listener: Listener) {
  return (name: BellName, items: number) => {
    bell.ring(name, items);
    listener.tell(name, items);
  };
}
