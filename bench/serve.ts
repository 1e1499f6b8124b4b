/** The server under test, on the database that the bench has started. */
import { readConfig } from '../server/src/config.ts';
import type { ConnectionConfig } from '../server/src/db.ts';
import { startServer } from '../server/src/server.ts';

const [connection = '{}', password] = process.argv.slice(2);
const config = {
  ...readConfig({ MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'error' }),
  adminPassword: password,
};
const server = await startServer(config, JSON.parse(connection) as ConnectionConfig);
process.send?.(server.url);
process.once('disconnect', () => void server.stop());
