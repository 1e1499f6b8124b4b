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
  const tellPassword = (password: string) =>
    say(`\nThe first user is admin, with the password ${password}\nKeep it: it is shown only now.`);
  const server = await startServer(config, postgres.connection, tellPassword).catch(
    async (error: unknown) => {
      await postgres.stop();
      throw error;
    },
  );
  say(
    `\nMillrace is running.\n  API reference  ${server.url}/docs\n  Contract       ${server.url}/openapi.json`,
  );
  say('  Log in as      admin, with the password of the first start\nStop it with Ctrl-C.\n');
  await stopSignal();
  say('Stopping: requests under way are finished first ...');
  await server.stop();
  await postgres.stop();
  say('Stopped.');
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
