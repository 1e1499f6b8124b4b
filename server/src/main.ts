import { readConfig } from './config.ts';
import { startPostgres } from './postgres/supervisor.ts';
import { startServer } from './server.ts';

/** The server as a process: reads the environment, starts, and stops cleanly on SIGINT and SIGTERM. */
async function main(): Promise<void> {
  const config = readConfig();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const postgres = config.databaseUrl
    ? { connection: { connectionString: config.databaseUrl }, stop: () => Promise.resolve() }
    : await startPostgres({ dataFolder: config.dataFolder, log: say });
  const server = await startServer(config, postgres.connection).catch(async (error: unknown) => {
    await postgres.stop();
    throw error;
  });
  greet(say, server.url, server.madeUpPassword);
  await stopSignal();
  say('Stopping: requests under way are finished first ...');
  await server.stop();
  await postgres.stop();
  say('Stopped.');
}

function greet(say: (line: string) => void, url: string, madeUpPassword: string | undefined): void {
  say(`\nMillrace is running.\n  API and reference  ${url}/docs\n  Contract           ${url}/openapi.json`);
  const password = madeUpPassword ?? 'as set at the first start (MILLRACE_ADMIN_PASSWORD or printed then)';
  say(`  User               admin\n  Password           ${password}`);
  if (madeUpPassword) say('Keep this password: it is shown only now.');
  say('Stop with Ctrl-C.\n');
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`Millrace cannot start. ${(error as Error).message}\n`);
  // Whatever the attempt has opened must not keep a process alive that serves nobody.
  process.exit(1);
});
