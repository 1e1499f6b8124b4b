import type { Id } from '@millrace/api';
import { createTokenVerifier } from './auth/sessions.ts';
import type { Config } from './config.ts';
import { onPool, openPool, type ConnectionConfig } from './db.ts';
import { Bell } from './dispatch/bell.ts';
import { Listener } from './dispatch/listener.ts';
import { createHttp } from './http.ts';
import { startJobs } from './jobs.ts';
import { migrate } from './migrate.ts';
import { functions } from './operations.ts';
import { createPerform } from './perform.ts';
import { checkPermissions } from './permissions.ts';
import { prepareTenant } from './tenants/first-start.ts';

export interface Server {
  readonly url: string;
  /** Lets running requests finish, ends long polls and jobs, and closes the connections. */
  stop(): Promise<void>;
}

/**
 * Starts Millrace on a database: migrates, creates what a first start needs, serves.
 * @param tellPassword is called at the first start, with the password made up for `admin`: it is kept as a hash only.
 */
export async function startServer(
  config: Config,
  connection: ConnectionConfig,
  tellPassword: (password: string) => void,
): Promise<Server> {
  checkPermissions();
  const pool = openPool(connection, config.databaseConnections);
  const bell = new Bell();
  const verifyToken = createTokenVerifier(onPool(pool));
  const underWay = new Set<Promise<unknown>>();
  const http = await createHttp(config, verifyToken, (request) => {
    const performing = perform(request).finally(() => underWay.delete(performing));
    underWay.add(performing);
    return performing;
  });
  const log = http.log;
  await migrate(connection, (message) => log.info(message));
  const madeUpPassword = await prepareTenant(pool, config.adminPassword);
  if (madeUpPassword !== undefined) tellPassword(madeUpPassword);
  const listener = new Listener(connection, log, (queueId, items) => bell.ring(queueId, items));
  const announce = (queueId: Id, items: number) => {
    bell.ring(queueId, items);
    listener.tell(queueId, items);
  };
  const parts = { pool, bell, announce, functions, log };
  const perform = createPerform(parts);
  const stopJobs = startJobs(parts);
  http.addHook('preClose', async () => bell.close());
  const url = await http.listen({ host: config.host, port: config.port });
  return {
    url,
    stop: async () => {
      await http.close();
      // Calls whose clients have gone may still be at work.
      await Promise.allSettled(underWay);
      await stopJobs();
      await listener.close();
      await pool.end();
    },
  };
}
