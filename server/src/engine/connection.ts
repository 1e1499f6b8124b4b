import type { Socket } from 'node:net';
import pg from 'pg';
import { Unanswered } from './errors.ts';

const connectMs = 5_000;
const goodbyeMs = 2_000;
// A dead network is noticed by the kernel then, also where nobody asks anything.
const keepAliveMs = 10_000;

/**
 * A connection to PostgreSQL that nobody waits on for ever: not for it to open, nor, with a deadline, for an answer. Timeouts of
 * the database do not reach a program that the network has cut off from it.
 */
export class Connection extends pg.Client {
  /** Called when the deadline has passed: what has cut off this connection may have cut off others. */
  suspectOthers: () => void = () => undefined;

  constructor(config: pg.ClientConfig = {}) {
    super({
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      ...config,
    });
    // A connection that breaks is reported by the statement that runs on it; unheard, it would end this process.
    this.on('error', () => undefined);
    const judge = () => this.#judge(this.#socket.bytesRead, new Unanswered(this.deadline));
    this.on('connect', () => void this.#socket.on('timeout', judge));
  }

  /** Milliseconds; 0 while nobody waits for an answer. */
  get deadline(): number {
    return this.#socket.timeout ?? 0;
  }

  /** From now on, the connection breaks when nothing was heard from the database, nor told to it, for these milliseconds. */
  set deadline(milliseconds: number) {
    this.#socket.setTimeout(milliseconds);
  }

  /**
   * From now on it must be heard of within these milliseconds, or it breaks: earlier where its deadline comes first.
   * @param error what waits on it fails with
   */
  suspect(milliseconds: number, error?: Error): void {
    const { bytesRead } = this.#socket;
    setTimeout(() => this.#judge(bytesRead, error), milliseconds).unref();
  }

  /** Ends it without a word; what waits for an answer on it fails with the error, or as if the database had hung up. */
  break(error?: Error): void {
    this.#socket.destroy(error);
  }

  override end(callback?: (error: Error) => void): Promise<void> {
    this.deadline = goodbyeMs;
    return super.end(callback as never) as unknown as Promise<void>;
  }

  get #socket(): Socket {
    return this.connection.stream as Socket;
  }

  /** @param bytesRead how much was heard of it before the time that it was given */
  #judge(bytesRead: number, error: Error | undefined): void {
    // A process that was itself held up reads first what has come in meanwhile.
    setImmediate(() => {
      if (this.deadline === 0 || this.#socket.bytesRead > bytesRead) return;
      this.suspectOthers();
      this.break(error);
    });
  }
}
