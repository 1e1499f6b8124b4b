import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { readConfig, usualConnections, type Config } from './engine/config.ts';
import type { ConnectionConfig } from './engine/db.ts';
import { goOnUnread } from './engine/output.ts';
import { clusterIn } from './postgres/place.ts';
import { masterKeyIn } from './engine/master-key.ts';
import { startPostgres } from './postgres/supervisor.ts';
import { decideShares } from './processes/parent.ts';
import type { Server } from './server.ts';

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** The server as a process: reads the environment, starts, and stops cleanly on SIGINT and SIGTERM, also while it starts. */
async function main(stopping: AbortSignal): Promise<void> {
  let restart = (): unknown => say('The server is starting already.');
  process.on('SIGUSR2', () => void restart());
  const given = readConfig();
  const { processes, databaseConnections } = decideShares(given, availableParallelism(), usualConnections);
  // Processes that share a port must all ask for the same one.
  const port = await checkAddress(given);
  const config = { ...given, databaseConnections, port: processes === 1 ? given.port : port };
  await checkPassword(config);
  await checkSignOn(config);
  const { server, postgres } = await open(config, processes, stopping);
  introduce(server, processes);
  restart = () => server.restart();
  const failure = await Promise.race([untilAborted(stopping), server.failed.catch((error: Error) => error)]);
  say(
    failure
      ? `Stopping, because the processes do not stay up. ${failure.message}`
      : 'Stopping: requests under way are finished first ...',
  );
  await server.stop();
  await postgres.stop();
  say('Stopped.');
  if (failure) process.exitCode = 1;
}

function introduce(
  { url, firstPassword, madeKeyFile }: Omit<Server, 'leave' | 'stop'>,
  processes: number,
): void {
  say(
    `\nMillrace is running${processes > 1 ? `, in ${processes} processes` : ''}.\n  Console        ${url}/console/\n  API reference  ${url}/docs\n  Contract       ${url}/openapi.json`,
  );
  say(
    firstPassword === undefined
      ? '  Log in as      admin, with the password of the first start'
      : `  Log in as      admin, with the password ${firstPassword}\nKeep the password: it is shown only now.`,
  );
  if (madeKeyFile !== undefined)
    say(
      `  Master key     ${madeKeyFile}, made now: it encrypts sensitive values. Keep a copy apart from the database.`,
    );
  say('Stop it with Ctrl-C.\n');
}

async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * Tests whether the server can listen there, before a database is created for a server that cannot serve.
 * @returns the port, which is a free one where any was asked for
 * @throws Error with the reason why not.
 */
async function checkAddress({ host, port }: Pick<Config, 'host' | 'port'>): Promise<number> {
  const probe = createServer();
  await once(probe.listen({ host, port }), 'listening').catch(refuseAddress(host, port));
  const found = (probe.address() as AddressInfo).port;
  await once(probe.close(), 'close');
  return found;
}

const refuseAddress =
  (host: string, port: number) =>
  (error: unknown): never => {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(addressProblem(code, host, port) ?? message, { cause: error });
  };

function addressProblem(code: string, host: string, port: number): string | undefined {
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken: stop what uses it, or set MILLRACE_PORT to another.`;
  if (code === 'EACCES')
    return `Port ${port} is not for ordinary users: set MILLRACE_PORT to one from 1024 on.`;
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code))
    return `This machine has no address ${host}: set MILLRACE_HOST to one of its own, or to 0.0.0.0 for all.`;
  return undefined;
}

/** Refuses a weak password before a database is created for it. @throws Error with the kind of password to use instead */
async function checkPassword({ databaseUrl, dataFolder, adminPassword }: Config): Promise<void> {
  if (adminPassword === undefined || databaseUrl !== undefined || existsSync(clusterIn(dataFolder))) return;
  const { refuseWeak } = await import('./access/first-start.ts');
  await refuseWeak(adminPassword);
}

/** Refuses unusable settings of sign-on before a database is created for them. @throws Error that names all of them */
async function checkSignOn(config: Config): Promise<void> {
  if (config.signOn === undefined && config.signOnFile === undefined) return;
  const { readSignOn } = await import('./access/sign-on/settings.ts');
  readSignOn(config);
}

/**
 * Opens database and server. The server is loaded and prepared while the database starts, and especially while that recovers from a crash:
 * on a busy machine one after the other takes twice as long.
 */
async function open(config: Config, processes: number, stopping: AbortSignal) {
  const opening = openDatabase(config, stopping);
  const connection = opening.then((opened) => opened.connection);
  // It may fail before the server is loaded, which then meets the failure.
  connection.catch(() => undefined);
  const { databaseDirectUrl } = config;
  const direct = databaseDirectUrl === undefined ? undefined : { connectionString: databaseDirectUrl };
  const ownKeyFile = config.databaseUrl === undefined ? masterKeyIn(config.dataFolder) : undefined;
  const more = { direct, ownKeyFile, stopping };
  try {
    const server =
      processes > 1 ? startAll(config, processes, connection, more) : startAlone(config, connection, more);
    return { server: await server, postgres: await opening };
  } catch (error) {
    await opening.then(
      (opened) => opened.stop(),
      () => undefined,
    );
    throw error;
  }
}

interface More {
  readonly direct: ConnectionConfig | undefined;
  readonly ownKeyFile: string | undefined;
  readonly stopping: AbortSignal;
}

/** Starts a server of one process, this one. */
async function startAlone(config: Config, connection: Promise<ConnectionConfig>, more: More) {
  const { startServer } = await import('./server.ts');
  const server = await startServer(config, connection, more);
  const restart = () =>
    say('There is one process, and none to serve while it is restarted. Stop and start the server instead.');
  return { ...server, restart, failed: new Promise<never>(() => undefined) };
}

async function startAll(
  { port, databaseConnections = usualConnections }: Config,
  processes: number,
  connection: Promise<ConnectionConfig>,
  { direct, ownKeyFile, stopping }: More,
) {
  const own = { direct, ownKeyFile, port, databaseConnections };
  const start = connection.then((opened) => ({ ...own, connection: opened }));
  const { startProcesses } = await import('./processes/parent.ts');
  return startProcesses({ processes, start, log: say, stopping });
}

/** The operator's own database, or the embedded one, which runs for this process alone. */
async function openDatabase({ databaseUrl, dataFolder }: Config, stopping: AbortSignal) {
  if (databaseUrl === undefined) return startPostgres({ dataFolder, log: say, stopping });
  return { connection: { connectionString: databaseUrl }, stop: () => Promise.resolve() };
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  return stopping.signal;
}

goOnUnread();
const stopping = stopSignal();
main(stopping).catch((error: unknown) => {
  const isStopped = error === stopping.reason;
  say(isStopped ? 'Stopped before it served.' : `Millrace cannot start. ${(error as Error).message}`);
  // Resources opened by the attempt must not keep a process alive that serves nobody.
  process.exit(isStopped ? 0 : 1);
});
