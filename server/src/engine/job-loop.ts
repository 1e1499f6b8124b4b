import { setMaxListeners } from 'node:events';
import type { Log, TenantContext } from './operation.ts';
import type { Parts } from './call.ts';
import { inTransaction } from './in-transaction.ts';
import { sleep } from './sleep.ts';

/** A repeated chore, run in a transaction of its own. */
export interface Job {
  readonly name: string;
  /** Does the due work, in bounded portions. @returns the milliseconds until the next run */
  run(context: Omit<TenantContext, 'marks'>): Promise<number>;
}

type JobParts = Pick<Parts, 'pool' | 'notify' | 'log' | 'vault' | 'recordKey'>;

/** Starts jobs; the returned function stops them and waits for those under way. */
export function startJobs(jobs: readonly Job[], parts: JobParts): () => Promise<void> {
  const stopping = new AbortController();
  // Each job sleeps with this signal: more listeners than usual are no leak, of which Node would warn the operator at the start.
  setMaxListeners(jobs.length, stopping.signal);
  const loops = jobs.map((job) => loop(job, parts, stopping.signal));
  return async () => {
    stopping.abort();
    await Promise.all(loops);
  };
}

async function loop(job: Job, parts: JobParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const delay = await runOnce(job, parts);
    await sleep(delay, signal);
  }
}

/** Runs the job once. @returns the milliseconds until the next run */
async function runOnce(job: Job, parts: JobParts): Promise<number> {
  const { log, vault, recordKey } = parts;
  try {
    return await inTransaction(parts, async (db, clock, wake) =>
      job.run({ db, now: await clock, wake, log, vault, recordKey }),
    );
  } catch (error) {
    logFailure(parts.log, job.name, error as Error);
    return 1000;
  }
}

function logFailure(log: Log, job: string, error: Error): void {
  log.warn({ job, err: error }, 'a job failed and will be tried again');
}
