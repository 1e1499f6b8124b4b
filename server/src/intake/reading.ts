import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Refusal, type ErrorCode } from '../engine/errors.ts';
import { createLimiter, createLimiterByName } from '../engine/limiter.ts';
import { shareOf } from '../engine/share.ts';
import type { Job, SampleJob, Told } from './portions.ts';
import { problemOf } from './table/problems.rules.ts';
import type { Answer, Order } from './worker.ts';

// Files are read in threads, so that other calls go on: a file of some megabytes takes a second of a core.

// A thread reads no TypeScript by itself; a compiled server has none.
const script = import.meta.url.endsWith('.ts')
  ? new URL('./worker.mjs', import.meta.url)
  : new URL('./worker.js', import.meta.url);
/** A thread takes some hundred milliseconds to start: one is kept for the next file. */
const keptMs = 60_000;
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

let kept: { readonly worker: Worker; readonly timer: NodeJS.Timeout } | undefined;

function takeWorker(): Worker {
  const own = kept;
  kept = undefined;
  // Settings of this process, such as a debugger or a module to preload, are not for the thread.
  if (!own) return new Worker(script, { resourceLimits, execArgv: [] });
  clearTimeout(own.timer);
  own.worker.ref();
  return own.worker;
}

function keepWorker(worker: Worker): void {
  if (kept) return void worker.terminate();
  const timer = setTimeout(() => {
    kept = undefined;
    void worker.terminate();
  }, keptMs);
  kept = { worker, timer: timer.unref() };
  worker.unref();
}

/**
 * The longest time that a caller waits for the thread over one file, in milliseconds. A million rows take a tenth of that; the time of the
 * database to store them does not count.
 */
const mostWaitedMs = { sample: 30_000, others: 180_000 };

/**
 * Reads a file in a thread of its own, which pauses while no more is asked for.
 * @param mostMs the longest total wait for the thread
 * @throws Refusal when it is no table that fits the queue, or takes longer
 */
export async function* readInThread(
  job: Job | SampleJob,
  mostMs: number = mostWaitedMs[job.purpose === 'sample' ? 'sample' : 'others'],
): AsyncGenerator<Told> {
  const worker = takeWorker();
  const patience = new Patience(mostMs);
  const messages = on(worker, 'message', { close: ['exit'], signal: patience.signal });
  let isDone = false;
  try {
    worker.postMessage({ job } satisfies Order);
    patience.begin();
    for await (const [answer] of messages as AsyncIterable<[Answer]>) {
      patience.pause();
      isDone = !('told' in answer);
      if (!('told' in answer)) return finish(answer);
      // Meanwhile the thread goes on with the next part.
      worker.postMessage('next' satisfies Order);
      yield answer.told;
      patience.begin();
    }
    throw new Error('The thread that read a file has ended.');
  } catch (error) {
    throw patience.signal.aborted ? tooLong(mostMs) : asRefusal(error);
  } finally {
    patience.pause();
    if (isDone) keepWorker(worker);
    else void worker.terminate();
  }
}

/** The time left for waiting, which is spent in pieces. */
class Patience {
  private readonly end = new AbortController();
  private left: number;
  private since = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(mostMs: number) {
    this.left = mostMs;
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.end.signal;
  }

  begin(): void {
    this.since = performance.now();
    this.timer = setTimeout(() => this.end.abort(), this.left);
  }

  pause(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.left = Math.max(0, this.left - (performance.now() - this.since));
  }
}

function tooLong(mostMs: number): Refusal {
  return problemOf(
    `The file takes longer than ${Math.round(mostMs / 1000)} seconds to be read. Save it as CSV, or in several files, and send that`,
  );
}

function finish(answer: Exclude<Answer, { told: Told }>): void {
  if ('failure' in answer) throw answer.failure;
  if (!('refusal' in answer)) return;
  const { code, message, details } = answer.refusal;
  throw new Refusal(code as ErrorCode, message, details && { details });
}

/** A thread ends when it takes too much memory, which no table within the bounds does. */
function asRefusal(error: unknown): unknown {
  if ((error as { code?: string }).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  return problemOf(
    'The file takes more memory than one may. Save it as CSV, or in several files, and send that',
  );
}

/** Files that are read at the same time. */
const filesAtOnce = shareOf(2);
const waitingFiles = 50;

const tooMany = () =>
  new Refusal('UNAVAILABLE', 'This server is reading many files already. Send this one again later.', {
    retryAfter: 10,
  });
const ofAll = createLimiter({ atOnce: filesAtOnce, waiting: waitingFiles, refusal: tooMany });
const ofUser = createLimiterByName({ atOnce: 1, waiting: waitingFiles, refusal: tooMany });

/** Runs the work on a user's file when it is its turn: files of one user one after the other, and a few of all users at a time. */
export function inTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
  return ofUser(userId)(() => ofAll(work));
}

// Separate from files to be stored: a preview does not wait for the million rows of another file.
const looking = { waiting: waitingFiles, refusal: tooManyLooks };
const lookOfAll = createLimiter({ atOnce: filesAtOnce, ...looking });
const lookOfUser = createLimiterByName({ atOnce: 1, ...looking });

/** Previews a user's file when it is its turn. */
export function lookInTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
  return lookOfUser(userId)(() => lookOfAll(work));
}

function tooManyLooks(): Refusal {
  const message = 'This server is looking into many files already. Send this one again later.';
  return new Refusal('UNAVAILABLE', message, { retryAfter: 5 });
}
