import type { Socket } from 'node:net';
import pg from 'pg';
import { Unanswered } from './errors.ts';

const connectMs = 5_000;
const goodbyeMs = 2_000;
// The kernel notices a dead network by then, even while no statement runs.
const keepAliveMs = 10_000;

/**
 * A connection to PostgreSQL on which no wait lasts for ever: neither for it to open nor, with a deadline, for an answer. Timeouts of the
 * database do not reach a program that the network has cut off from it.
 */
export class Connection extends pg.Client {
  /** Called when the deadline has passed: the cause that cut off this connection may have cut off others. */
  suspectOthers: () => void = () => undefined;

  constructor(config: pg.ClientConfig = {}) {
    super({
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      ...config,
    });
    // The statement that runs on a broken connection reports it; without a listener the error would end this process.
    this.on('error', () => undefined);
    const judge = () => this.#judge(this.#socket.bytesRead, new Unanswered(this.deadline));
    this.on('connect', () => void this.#socket.on('timeout', judge));
  }

  /** Milliseconds; 0 while no answer is awaited. */
  get deadline(): number {
    return this.#socket.timeout ?? 0;
  }

  /** From now on, the connection breaks after this many milliseconds without any traffic to or from the database. */
  set deadline(milliseconds: number) {
    this.#socket.setTimeout(milliseconds);
  }

  /**
   * From now on the database must be heard of within this many milliseconds, or the connection breaks: earlier where its deadline comes
   * first.
   * @param error the error for statements that wait on it
   */
  suspect(milliseconds: number, error?: Error): void {
    const { bytesRead } = this.#socket;
    setTimeout(() => this.#judge(bytesRead, error), milliseconds).unref();
  }

  /** Ends the connection without a goodbye; statements that wait on it fail with the error, or as if the database had hung up. */
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

  /** @param bytesRead the bytes received before the time that the connection was given */
  #judge(bytesRead: number, error: Error | undefined): void {
    // A process that was itself held up first reads the data that came in meanwhile.
    setImmediate(() => {
      if (this.deadline === 0 || this.#socket.bytesRead > bytesRead) return;
      this.suspectOthers();
      this.break(error);
    });
  }
}
