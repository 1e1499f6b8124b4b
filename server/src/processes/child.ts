import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from './exchange.ts';
import type { FromProcess, Serving, ToProcess } from './messages.ts';

/** Time for a process to stop; it gives requests ten seconds. */
const stopMs = 30_000;

/** The reason why a process does not serve: in its own words, or that it has ended. */
export class NotServing extends Error {
  readonly isRefused: boolean;

  constructor(message: string, isRefused: boolean) {
    super(message);
    this.isRefused = isRefused;
  }
}

/** A server process started by the parent. */
export class Child implements Member {
  /** Counted from one; a process that replaces another takes its number. */
  readonly number: number;
  /** Rejects with NotServing when it ends earlier. */
  readonly serving: Promise<Serving>;
  /** Settles with the exit code or signal. */
  readonly ended: Promise<string>;
  isServing = false;
  isReady = false;
  /** Seconds since its last message. */
  silentFor = 0;
  readonly #worker: Worker;
  /** Messages for it from before it could receive any; node:cluster does not keep those. */
  #early: ToProcess[] | undefined = [];

  /** @param hear is called with each of its messages, including those that this class reads itself. */
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
    // A process that has just gone needs no messages.
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

  /** Stops it in good order or, if that fails, by force. */
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
