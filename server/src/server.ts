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
  /** Set when this start created the first user: shown once, stored as a hash. */
  readonly madeUpPassword: string | undefined;
  /** Lets running requests finish, ends long polls and jobs, and closes the connections. */
  stop(): Promise<void>;
}

/** Starts Millrace on a database: migrates, creates what a first start needs, serves. */
export async function startServer(config: Config, connection: ConnectionConfig): Promise<Server> {
  checkPermissions();
  const pool = openPool(connection, config.databaseConnections);
  const bell = new Bell();
  const verifyToken = createTokenVerifier(onPool(pool));
  const http = await createHttp(config, verifyToken, (request) => perform(request));
  const log = http.log;
  await migrate(connection, (message) => log.info(message));
  const madeUpPassword = await prepareTenant(pool, config.adminPassword);
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
    madeUpPassword,
    stop: async () => {
      await http.close();
      await stopJobs();
      await listener.close();
      await pool.end();
    },
  };
}
