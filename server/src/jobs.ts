import { forgetRevokedTokens } from './auth/job.ts';
import { disconnectSilentDevices } from './devices/job.ts';
import type { Job } from './job.ts';
import type { Log } from './operation.ts';
import { inTransaction, type Parts } from './perform.ts';
import { resumeQueues } from './queues/job.ts';
import { rekeyQueues } from './queues/rekey.job.ts';
import { sleep } from './sleep.ts';
import { foldTallies } from './stats/job.ts';
import { expireItems, promoteDueItems, returnLapsedItems } from './work-items/job.ts';

/** The chores of a server. Each may run on several servers at once: rows that one works on, the others skip. */
const jobs: readonly Job[] = [
  returnLapsedItems,
  promoteDueItems,
  expireItems,
  resumeQueues,
  disconnectSilentDevices,
  rekeyQueues,
  foldTallies,
  forgetRevokedTokens,
];

type JobParts = Pick<Parts, 'pool' | 'announce' | 'log'>;

/** Starts all jobs; the answer stops them and waits for those under way. */
export function startJobs(parts: JobParts): () => Promise<void> {
  const stopping = new AbortController();
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

/** Runs the job once and says after how many milliseconds to run it again. */
async function runOnce(job: Job, parts: JobParts): Promise<number> {
  try {
    return await inTransaction(parts, async (db, clock, woken) =>
      job.run({ db, now: await clock, woken, log: parts.log }),
    );
  } catch (error) {
    logFailure(parts.log, job.name, error as Error);
    return 1000;
  }
}

function logFailure(log: Log, job: string, error: Error): void {
  log.warn({ job, err: error }, 'a job failed and will be tried again');
}
