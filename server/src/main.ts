import { once } from 'node:events';
import { readConfig, type Config } from './config.ts';
import { startPostgres } from './postgres/supervisor.ts';
import { startServer } from './server.ts';

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** The server as a process: reads the environment, starts, and stops cleanly on SIGINT and SIGTERM, also while it starts. */
async function main(stopping: AbortSignal): Promise<void> {
  const config = readConfig();
  const postgres = await openDatabase(config, stopping);
  const server = await startServer(config, postgres.connection, { stopping }).catch(
    async (error: unknown) => {
      await postgres.stop();
      throw error;
    },
  );
  say(
    `\nMillrace is running.\n  API reference  ${server.url}/docs\n  Contract       ${server.url}/openapi.json`,
  );
  say(
    server.firstPassword === undefined
      ? '  Log in as      admin, with the password of the first start'
      : `  Log in as      admin, with the password ${server.firstPassword}\nKeep the password: it is shown only now.`,
  );
  say('Stop it with Ctrl-C.\n');
  if (!stopping.aborted) await once(stopping, 'abort');
  say('Stopping: requests under way are finished first ...');
  await server.stop();
  await postgres.stop();
  say('Stopped.');
}

/** One's own database, or the embedded one, which runs for this process alone. */
async function openDatabase({ databaseUrl, dataFolder }: Config, stopping: AbortSignal) {
  if (databaseUrl === undefined) return startPostgres({ dataFolder, log: say, stopping });
  return { connection: { connectionString: databaseUrl }, stop: () => Promise.resolve() };
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  return stopping.signal;
}

// A server goes on when whoever read what it says, such as `| head`, has gone.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const stopping = stopSignal();
main(stopping).catch((error: unknown) => {
  const isStopped = error === stopping.reason;
  say(isStopped ? 'Stopped before it served.' : `Millrace cannot start. ${(error as Error).message}`);
  // Whatever the attempt has opened must not keep a process alive that serves nobody.
  process.exit(isStopped ? 0 : 1);
});
