import cluster from 'node:cluster';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../engine/config.ts';
import { Notifier } from '../engine/notifier.ts';
import { sleep } from '../engine/sleep.ts';
import { restartDelay } from '../postgres/supervisor.ts';
import { Child, NotServing } from './child.ts';
import { Exchange } from './exchange.ts';
import type { FromProcess, Serving, Start } from './messages.ts';

interface Options {
  readonly processes: number;
  /** May come from a database that is still starting: processes get ready meanwhile. */
  readonly start: Promise<Start>;
  /** Called with a line for a person now and then. */
  readonly log: (line: string) => void;
  /** Ends the start when it aborts. */
  readonly stopping?: AbortSignal;
}

/** Processes that serve on one port. */
interface Processes extends Serving {
  /** Rejects, with a sentence, when a process ends again and again. */
  readonly failed: Promise<never>;
  /** Replaces one process after the other; callers lose nothing. Settles when that is done, or has failed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the processes of a server: the first migrates and prepares the database, the others follow. Each one that ends is replaced.
 * @throws Error with the reason why they cannot serve; then none is left.
 */
export async function startProcesses(options: Options): Promise<Processes> {
  // Connections are distributed in turn: with a shared port the system chooses, and gives much to one process. See docs/decisions/0026.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL(`process${path.extname(import.meta.url)}`, import.meta.url)),
    args: [String(options.processes)],
    // Places of items contain bytes.
    serialization: 'advanced',
  });
  const parent = new Parent(options);
  const stop = () => void parent.stop();
  options.stopping?.addEventListener('abort', stop);
  try {
    const serving = await parent.start();
    return { ...serving, failed: parent.failed, restart: () => parent.restart(), stop: () => parent.stop() };
  } catch (error) {
    await parent.stop();
    options.stopping?.throwIfAborted();
    throw error;
  } finally {
    options.stopping?.removeEventListener('abort', stop);
  }
}

/** A process without a message for this long hangs. */
const silentSeconds = 60;

class Parent {
  readonly failed: Promise<never>;
  readonly #options: Options;
  readonly #exchange = new Exchange();
  readonly #stopping = new AbortController();
  /** The processes that serve, or are starting to, by number. */
  readonly #current = new Map<number, Child>();
  /** All processes, including those that leave, and those that will replace them. */
  readonly #all = new Set<Child>();
  readonly #failures = new Map<number, number>();
  #fail: (error: Error) => void = () => undefined;
  #watching: NodeJS.Timeout | undefined;
  #notifier: Notifier | undefined;
  #missing = 0;
  #restarting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  async start(): Promise<Serving> {
    const first = this.#begin(1);
    // The first failure has the reason.
    await Promise.race([this.#options.start, first.serving]);
    const serving = await first.serving;
    this.#listen(await this.#options.start);
    const others = Array.from({ length: this.#options.processes - 1 }, (_, index) => this.#begin(index + 2));
    await Promise.all(others.map((other) => other.serving));
    for (const child of this.#current.values()) this.#watch(child);
    this.#watching = setInterval(() => this.#lookForSilent(), 1000).unref();
    return serving;
  }

  /** Replaces each process: the next one serves before the other leaves. */
  restart(): Promise<void> {
    if (this.#restarting) this.#options.log('The processes are being restarted already.');
    this.#restarting ??= this.#replaceAll().finally(() => (this.#restarting = undefined));
    return this.#restarting;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#watching);
    await Promise.all([...this.#all].map((child) => child.stop()));
    await this.#notifier?.close();
  }

  /** Carries wake-ups between this server and others, for all of its processes on one connection. */
  #listen({ connection, direct }: Start): void {
    const { log } = this.#options;
    const warn = (_: object, message: string) => log(`${message[0]?.toUpperCase()}${message.slice(1)}.`);
    this.#notifier = new Notifier(direct ?? connection, { warn }, (name, items) =>
      this.#exchange.tellOthers(undefined, { kind: 'wake', wakeUps: [[name, items, []]] }),
    );
    this.#exchange.notifier = this.#notifier;
  }

  /** Starts a process that takes this number as soon as it serves, or at once where the number is free. */
  #begin(number: number): Child {
    const child: Child = new Child(number, (message) => this.#hear(child, message));
    this.#all.add(child);
    this.#exchange.join(child);
    if (!this.#current.has(number)) this.#current.set(number, child);
    void child.ended.then(() => {
      this.#all.delete(child);
      this.#exchange.leave(child);
      child.isReady = false;
      this.#tellMissing();
    });
    void this.#options.start.then(
      (start) => child.tell({ kind: 'start', ...start }),
      () => child.tell({ kind: 'stop' }),
    );
    return child;
  }

  #hear(from: Child, message: FromProcess): void {
    if (message.kind === 'take') this.#exchange.take(from, message);
    else if (message.kind === 'release') this.#exchange.release(from, message.call);
    else if (message.kind === 'wake' || message.kind === 'requests') this.#exchange.share(from, message);
    else if (message.kind === 'ready' && message.isReady !== from.isReady) {
      from.isReady = message.isReady;
      this.#tellMissing();
    }
  }

  #tellMissing(): void {
    // A start is complete only when all serve.
    if (!this.#watching) return;
    const ready = [...this.#current.values()].filter(({ isReady }) => isReady).length;
    const missing = this.#options.processes - ready;
    if (missing === this.#missing) return;
    this.#missing = missing;
    this.#exchange.tellOthers(undefined, { kind: 'missing', processes: missing });
  }

  /** Replaces a serving process when it ends by itself. */
  #watch(child: Child): void {
    const servesSince = performance.now();
    void child.ended.then((how) => {
      const { number, pid } = child;
      if (this.#stopping.signal.aborted || this.#current.get(number) !== child) return;
      const isProved = performance.now() - servesSince > provedMs;
      this.#failures.set(number, isProved ? 0 : (this.#failures.get(number) ?? 0) + 1);
      this.#options.log(`Server process ${number} (${pid}) ended with ${how}; another one is started.`);
      void this.#follow(number, new NotServing(`it ended with ${how}`, false));
    });
  }

  /** Starts a process again until it serves, each time after a longer pause. */
  async #follow(number: number, ending: NotServing): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    let last = ending;
    for (;;) {
      const failures = this.#failures.get(number) ?? 0;
      this.#current.delete(number);
      const othersServe = [...this.#current.values()].some(({ isReady }) => isReady);
      if (isHopeless({ failures, isRefused: last.isRefused, othersServe }))
        return this.#fail(
          new Error(`A server process has ended ${failures} times in a row. The last time: ${last.message}`),
        );
      await sleep(restartDelay(failures), signal);
      if (signal.aborted) return;
      const child = this.#begin(number);
      const error = await failureOf(child.serving);
      if (signal.aborted) return;
      if (!error) {
        log(`Server process ${number} serves again (${child.pid}).`);
        return this.#watch(child);
      }
      if (error.message !== last.message) log(`Server process ${number} cannot start yet: ${error.message}`);
      last = error;
      this.#failures.set(number, failures + 1);
    }
  }

  async #replaceAll(): Promise<void> {
    const { log, processes } = this.#options;
    log('Restarting the server processes, one after the other ...');
    for (let number = 1; number <= processes; number += 1) {
      if (!(await this.#replace(number))) return;
      log(`Server process ${number} of ${processes} is a new one (${this.#current.get(number)?.pid}).`);
    }
    log('All server processes are new ones.');
  }

  /** @returns whether that process is a new one */
  async #replace(number: number): Promise<boolean> {
    const old = this.#current.get(number);
    // A process that has ended is being replaced anyway.
    if (!old) return true;
    const next = this.#begin(number);
    const error = await failureOf(next.serving);
    if (this.#stopping.signal.aborted) return false;
    if (error) {
      this.#options.log(`The other server processes go on as they are: ${error.message}`);
      return false;
    }
    // Where the old one has ended meanwhile, it is being replaced already.
    if (this.#current.get(number) !== old) {
      await next.stop();
      return true;
    }
    this.#current.set(number, next);
    this.#watch(next);
    this.#tellMissing();
    old.tell({ kind: 'leave' });
    await old.ended;
    return !this.#stopping.signal.aborted;
  }

  /** Ends hanging processes, so that others replace them. Counts rounds instead of time: the machine may have slept. */
  #lookForSilent(): void {
    for (const child of this.#all) {
      // A start may wait for any length of time.
      if (!child.isServing) continue;
      child.silentFor += 1;
      if (child.silentFor !== silentSeconds) continue;
      this.#options.log(`Server process ${child.number} (${child.pid}) has hung for ${silentSeconds} s.`);
      child.kill();
    }
  }
}

async function failureOf(serving: Promise<unknown>): Promise<NotServing | undefined> {
  return serving.then(
    () => undefined,
    (error: NotServing) => error,
  );
}

interface Shares {
  readonly processes: number;
  /** Connections to the database, for each process. */
  readonly databaseConnections: number;
}

const mostProcesses = 16;
/** With fewer, reads and files leave none for reports. */
const enoughConnections = 4;
const fewestConnections = 2;

/**
 * The number of processes, and of connections for each of them.
 * @param cores the cores of this machine that the server may use
 * @param usual connections of all processes, unless their number is set
 * @throws Error when there are too few connections for the wanted processes
 */
export function decideShares(
  { processes: asked, databaseConnections: all }: Pick<Config, 'processes' | 'databaseConnections'>,
  cores: number,
  usual: number,
): Shares {
  const suited = Math.min(mostProcesses, Math.max(1, Math.floor(cores / 2)));
  const fitting = all === undefined ? suited : Math.max(1, Math.floor(all / enoughConnections));
  const processes = asked ?? Math.min(suited, fitting);
  const connections = all ?? Math.max(usual, processes * enoughConnections);
  const databaseConnections = Math.floor(connections / processes);
  if (databaseConnections >= fewestConnections) return { processes, databaseConnections };
  throw new Error(
    `MILLRACE_PROCESSES=${processes} needs at least MILLRACE_DATABASE_CONNECTIONS=${processes * enoughConnections}, of which each ` +
      `process gets a part; ${connections} are too few.`,
  );
}

/** The facts about a process that has ended, or could not start. */
interface Ending {
  /** Number of ends in a row, each before it served or soon after. */
  readonly failures: number;
  /** Whether it gave a reason why it could not start, such as a database that is away. */
  readonly isRefused: boolean;
  /** Whether another process serves meanwhile. */
  readonly othersServe: boolean;
}

/** After this time of serving, the end of a process does not count as a failed start. */
const provedMs = 10_000;
const mostFailures = 6;

/** Whether a process is not started again, because it would only end again; the server then ends with it. */
export function isHopeless({ failures, isRefused, othersServe }: Ending): boolean {
  if (failures < mostFailures) return false;
  return !(isRefused && othersServe);
}
