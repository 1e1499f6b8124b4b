import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from './exchange.ts';
import type { FromProcess, Serving, ToProcess } from './messages.ts';

/** How long a process may take to stop; it gives requests ten seconds. */
const stopMs = 30_000;

/** Why a process does not serve: in its own words, or because it has ended. */
export class NotServing extends Error {
  readonly isRefused: boolean;

  constructor(message: string, isRefused: boolean) {
    super(message);
    this.isRefused = isRefused;
  }
}

/** A server process that the parent has started. */
export class Child implements Member {
  /** Counted from one; a process that follows another has its number. */
  readonly number: number;
  /** Rejects with NotServing when it ends before. */
  readonly serving: Promise<Serving>;
  /** Settles with how it ended, in a word. */
  readonly ended: Promise<string>;
  isServing = false;
  isReady = false;
  /** Seconds since it was heard of. */
  silentFor = 0;
  readonly #worker: Worker;
  /** What it was told before it could hear; node:cluster does not keep that. */
  #early: ToProcess[] | undefined = [];

  /** @param hear is called with what it tells, also with what this reads itself. */
  constructor(number: number, hear: (message: FromProcess) => void) {
    this.number = number;
    this.#worker = cluster.fork();
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    let refusal: string | undefined;
    this.serving = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromProcess) => {
        this.silentFor = 0;
        if (message.kind === 'listening') this.#tellEarly();
        else if (message.kind === 'serving') {
          this.isServing = true;
          resolve(message);
        } else if (message.kind === 'failed') refusal = message.message;
        else hear(message);
      });
      void this.ended.then((how) => {
        const why =
          refusal ?? `Server process ${number} ended with ${how} before it served. The log says more.`;
        reject(new NotServing(why, refusal !== undefined));
      });
    });
    this.serving.catch(() => undefined);
    // One that could not be started at all ends as well.
    this.#worker.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  readonly tell = (message: ToProcess): void => {
    if (this.#early) this.#early.push(message);
    // One that has just gone needs to hear of nothing.
    else if (this.#worker.isConnected()) this.#worker.process.send(message, () => undefined);
  };

  #tellEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.tell(message);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  /** Stops it in good order, or when it does not, anyhow. */
  async stop(): Promise<void> {
    this.tell({ kind: 'stop' });
    const late = new AbortController();
    const killing = sleep(stopMs, undefined, { signal: late.signal }).then(
      () => this.kill(),
      () => undefined,
    );
    await this.ended;
    late.abort();
    await killing;
  }
}
