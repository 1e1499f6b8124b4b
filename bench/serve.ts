/** The server under test, on the database that the bench has started. */
import { readConfig, usualConnections } from '../server/src/engine/config.ts';
import type { ConnectionConfig } from '../server/src/engine/db.ts';
import { freePort } from '../server/src/postgres/free-port.ts';
import { decideShares, startProcesses } from '../server/src/processes/parent.ts';
import { startServer } from '../server/src/server.ts';

const [connectionText = '{}', password, asked] = process.argv.slice(2);
const connection = JSON.parse(connectionText) as ConnectionConfig;
const settings = {
  MILLRACE_PORT: '0',
  MILLRACE_LOG_LEVEL: 'error',
  MILLRACE_MAX_USER_REQUESTS: 'off',
  MILLRACE_MAX_TENANT_REQUESTS: 'off',
  MILLRACE_PROCESSES: asked,
  MILLRACE_ADMIN_PASSWORD: password,
};
const config = readConfig(settings);
const { processes, databaseConnections } = decideShares(config, 1, usualConnections);
const server = await (processes > 1 ? startAll() : startServer(config, connection));

async function startAll() {
  // Processes read their settings from the environment.
  Object.assign(process.env, settings);
  const start = Promise.resolve({
    connection,
    direct: undefined,
    ownKeyFile: undefined,
    port: await freePort(),
    databaseConnections,
  });
  return startProcesses({ processes, start, log: console.error });
}

process.send?.(server.url);
process.once('disconnect', () => void server.stop());
