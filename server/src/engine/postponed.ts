import type { Id } from '@millrace/api';
import type { Job } from './job-loop.ts';

type JobContext = Parameters<Job['run']>[0];

const longestPostponementMs = 60_000;

/** Queues whose turn in a job failed, with the number of failures and the time of the next try: meanwhile the job serves the others. */
export function postponedQueues(message: string) {
  const failing = new Map<Id, { readonly times: number; readonly until: Date }>();
  return {
    at: (now: Date): Id[] => [...failing].flatMap(([id, { until }]) => (until > now ? [id] : [])),
    done: (queueId: Id) => failing.delete(queueId),
    /** @throws the error: the transaction is undone, and the next one goes on with another queue */
    postpone: ({ log, now }: Pick<JobContext, 'log' | 'now'>, queueId: Id, error: Error): never => {
      const times = (failing.get(queueId)?.times ?? 0) + 1;
      const ms = Math.min(1000 * 2 ** times, longestPostponementMs);
      failing.set(queueId, { times, until: new Date(now.getTime() + ms) });
      log.error({ queueId, err: error }, message);
      throw error;
    },
  };
}
