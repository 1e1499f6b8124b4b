import path from 'node:path';
import { operations } from '@millrace/api';
import { createTokenVerifier } from './access/auth/tokens.ts';
import { prepareTenant } from './access/first-start.ts';
import { openProviders } from './access/sign-on/providers.ts';
import { admit, checkPermissions, createScreen } from './admission.ts';
import { recordKeyIn } from './audit/keys.ts';
import type { Sealing } from './audit/sealing.ts';
import { Background } from './engine/background.ts';
import { DatabaseClock } from './engine/clock.ts';
import { usualConnections, type Config } from './engine/config.ts';
import { onPool, openPool, type ConnectionConfig } from './engine/db.ts';
import { connectionsOf } from './engine/http/connections.ts';
import { createHttp } from './engine/http/http.ts';
import { startJobs } from './engine/job-loop.ts';
import { LowWaterMarks } from './engine/low-water.ts';
import { openVault } from './engine/master-key.ts';
import { migrate } from './engine/migrate.ts';
import { Notifier } from './engine/notifier.ts';
import { Download, type Functions, type Log } from './engine/operation.ts';
import type { Provider } from './engine/provider.ts';
import { createPerform, type Perform } from './engine/perform.ts';
import { ownPlaces, type TakePlace } from './engine/places.ts';
import { prepareSessions } from './engine/sessions.ts';
import type { Siblings, Wake } from './engine/siblings.ts';
import { allWaiting, WakeUps } from './engine/wake-ups.ts';
import { HealthMonitor } from './health/monitor.ts';
import type { Limits } from './health/rules.ts';
import { createJobs } from './jobs.ts';
import * as functions from './operations.ts';

type Http = Awaited<ReturnType<typeof createHttp>>;

export interface Server {
  readonly url: string;
  /** The password generated for the user `admin`, when this was the first start: only its hash is kept. */
  readonly firstPassword: string | undefined;
  /** The file of the master key, if this start made it. */
  readonly madeKeyFile: string | undefined;
  /**
   * Leaves connections to the other processes of the server: accepts no new ones, ends long polls and streams, and marks each answer on the
   * present ones as their last. Settles when all have gone and no work is under way, or when that takes too long.
   */
  leave(): Promise<void>;
  /** Lets running requests finish, ends long polls and jobs, and closes the connections. */
  stop(): Promise<void>;
}

interface More {
  /** The connection for migrations and listening, where the other one leads through a pooler that shares sessions. */
  readonly direct?: ConnectionConfig | undefined;
  /** The other processes of this server, where there are some. */
  readonly siblings?: Siblings | undefined;
  /** The file for a master key that is made where none is given. */
  readonly ownKeyFile?: string | undefined;
  /** Ends the start when it aborts. */
  readonly stopping?: AbortSignal;
  /** The functions of the operations, for instance with smaller limits than usual. */
  readonly kept?: Functions;
  /** Limits beyond which a condition counts as full, late or far apart, in place of the usual ones. */
  readonly limits?: Partial<Limits> | undefined;
}

/** A database, which may still be starting. */
type Database = ConnectionConfig | Promise<ConnectionConfig>;

/** Closes a resource that was opened. */
type Close = () => Promise<unknown>;

/**
 * Starts Millrace on a database: migrates, prepares the tenant, serves. On failure, it closes everything that it has opened.
 * @param connection may be that of a database that is still starting: long work that needs none is done meanwhile.
 */
export async function startServer(config: Config, connection: Database, more: More = {}): Promise<Server> {
  checkPermissions(more.kept ?? functions);
  const providers = openProviders(config);
  const opened: Close[] = [];
  const stop = async () => {
    for (const close of opened.splice(0).toReversed()) await close();
  };
  try {
    return { ...(await open(config, connection, opened, { ...more, providers })), stop };
  } catch (error) {
    await stop();
    more.stopping?.throwIfAborted();
    throw error;
  }
}

/** @param opened collects functions that close everything opened here, also when it fails. */
async function open(
  config: Config,
  database: Database,
  opened: Close[],
  { providers, ...more }: More & { readonly providers: readonly Provider[] },
) {
  const calls = gatherCalls();
  const leaving = new AbortController();
  const takePlace = more.siblings?.takePlace ?? ownPlaces();
  const http = await createHttp(config, {
    // No calls come before it listens.
    ...{ takePlace, siblings: more.siblings, leaving: leaving.signal, perform: calls.perform },
    verifyToken: (token, connection) => doors.verifyToken(token, connection),
    screen: (call) => doors.screen(call),
  });
  const connections = connectionsOf(http);
  const connection = await database;
  const { direct = connection } = more;
  await migrate(direct, http.log, more.stopping);
  const closing = { opened, leaving: leaving.signal };
  const parts = await openParts(config, { connection, direct }, http, { ...more, ...closing });
  const doors = doorsOf(parts);
  const { background } = parts;
  opened.push(() => Promise.all([connections.close().then(calls.settled), background.close()]));
  more.stopping?.throwIfAborted();
  const url = await http.listen({ host: config.host, port: config.port });
  // Not before it listens: nobody would keep the password of a server that found its port taken.
  const firstPassword = await beginServing(config, { ...parts, takePlace, providers }, calls);
  opened.push(startJobs(createJobs(sealingIn(config)), parts));
  const leave = () => connections.leave(leaving, [calls.settled, background.settled]);
  return { url, firstPassword, madeKeyFile: parts.madeFile, leave };
}

/** Has calls performed as soon as the database is prepared. @returns the password of `admin`, when it was generated */
async function beginServing(
  config: Config,
  parts: Opened & { readonly takePlace: TakePlace; readonly providers: readonly Provider[] },
  calls: ReturnType<typeof gatherCalls>,
): Promise<string | undefined> {
  const preparing = prepareTenant(parts.pool, config.adminPassword);
  const perform = createPerform({ ...parts, ...boundsIn(config) });
  calls.begin(afterwards(preparing, perform, parts.health));
  return preparing;
}

function doorsOf({ pool, now }: Pick<Opened, 'pool' | 'now'>) {
  const reader = onPool(pool);
  return { verifyToken: createTokenVerifier(reader, now), screen: createScreen(reader) };
}

type Opened = Awaited<ReturnType<typeof openParts>>;

function sealingIn({ dataFolder, sealingKeyFile, sealSeconds }: Config): Sealing {
  return { keyFile: sealingKeyFile ?? path.join(dataFolder, 'sealing-key.pem'), waitSeconds: sealSeconds };
}

function boundsIn({ maxReadSeconds, sessionHours, idleHours }: Config) {
  return { readMs: 1000 * maxReadSeconds, sessionHours, idleHours };
}

interface Closing {
  readonly opened: Close[];
  readonly leaving: AbortSignal;
}

/** Opens the parts that calls need, on a database that is ready. */
async function openParts(
  config: Config,
  { connection, direct }: Record<'connection' | 'direct', ConnectionConfig>,
  http: Http,
  { opened, leaving, kept = functions, limits, siblings, ownKeyFile }: More & Closing,
) {
  const { log } = http;
  const pool = openPool(connection, config.databaseConnections ?? usualConnections);
  opened.push(() => pool.end());
  await prepareSessions(pool, direct, { ...config, log });
  const { vault, madeFile } = await openVault(onPool(pool), config, ownKeyFile);
  const clock = new DatabaseClock();
  const health = new HealthMonitor({ config, connection, pool, clock, log, limits, siblings });
  opened.push(() => health.close());
  const { wakeUps, marks, notify } = createWakeUps(direct, log, { opened, siblings });
  http.addHook('preClose', async () => wakeUps.close());
  leaving.addEventListener('abort', () => wakeUps.close());
  // This sets the clock by which tokens are judged.
  await health.look();
  const { readiness } = health;
  const recordKey = recordKeyIn(sealingIn(config).keyFile);
  const served = { pool, wakeUps, marks, vault, recordKey, notify, functions: kept, admit, log };
  return { ...served, now: clock.now, readiness, health, background: new Background(), madeFile };
}

/**
 * Holds calls that arrive before the server is ready. Stopping waits for calls whose clients have gone: they are still at work when the
 * last connection is closed.
 */
function gatherCalls() {
  const underWay = new Set<Promise<unknown>>();
  let begin: (perform: Perform) => void = () => undefined;
  const begun = new Promise<Perform>((resolve) => (begin = resolve));
  const perform: Perform = (request) => {
    const call = begun.then((performNow) => performNow(request));
    // A file may still be written after its beginning was answered.
    const work = call
      .then((answer) => (answer instanceof Download ? answer.done : undefined))
      .finally(() => underWay.delete(work));
    underWay.add(work);
    work.catch(() => undefined);
    return call;
  };
  return { perform, begin, settled: () => Promise.allSettled(underWay) };
}

/** Performs calls that use no database at once, and all others when the database is prepared. Health is told of their errors. */
function afterwards(preparing: Promise<unknown>, perform: Perform, health: HealthMonitor): Perform {
  return async (request) => {
    if (operations[request.operationId].effect === 'none') return perform(request);
    await preparing;
    return perform(request).catch((error: Error) => {
      health.note(error);
      throw error;
    });
  };
}

interface Others {
  readonly opened: Close[];
  readonly siblings: Siblings | undefined;
}

/** Wakes calls here, in the other processes of this server, and on other servers. */
function createWakeUps(direct: ConnectionConfig, log: Log, { opened, siblings }: Others) {
  const wakeUps = new WakeUps();
  const marks = new LowWaterMarks((queueId) => wakeUps.notify(queueId, allWaiting));
  const wake: Wake = (name, items, places) => {
    // Before any call looks for them.
    marks.arrive(name, places);
    wakeUps.notify(name, items);
  };
  siblings?.hear({ wake });
  const wakeOthers = siblings?.wake ?? listenTo(direct, log, { opened, wake });
  const notify: Wake = (name, items, places) => {
    wake(name, items, places);
    wakeOthers(name, items, places);
  };
  return { wakeUps, marks, notify };
}

/** Carries wake-ups to other servers, and from them. */
function listenTo(
  direct: ConnectionConfig,
  log: Log,
  { opened, wake }: { readonly opened: Close[]; readonly wake: Wake },
): Wake {
  const notifier = new Notifier(direct, log, (name, items) => wake(name, items, []));
  opened.push(() => notifier.close());
  return (name, items) => notifier.notify(name, items);
}
