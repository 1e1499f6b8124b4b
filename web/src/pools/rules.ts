import type { Schemas } from '@millrace/api';

type Automation = Schemas['Automation'];

/** What an automation should have of the work of its pool, and what it had lately; each as a part of 1. */
export interface Share {
  readonly automation: Automation;
  readonly due: number;
  /** Undefined as long as nothing was finished in the pool. */
  readonly got: number | undefined;
  /** Items that were finished in its queue lately; undefined where the queue is not seen. */
  readonly finished: number | undefined;
}

/** The shares of the active automations of a pool: with FAIR by weight, otherwise as many as there are. */
export function sharesOf(
  pool: Schemas['Pool'],
  automations: readonly Automation[],
  stats: readonly Schemas['QueueStats'][],
): Share[] {
  const own = automations.filter(({ poolId, status }) => poolId === pool.id && status === 'ACTIVE');
  const weightOf = ({ weight }: Automation) => (pool.scheme === 'FAIR' ? weight : 1);
  const weights = own.reduce((sum, one) => sum + weightOf(one), 0);
  const counts = own.map(({ queueId }) => {
    const recent = stats.find((one) => one.queueId === queueId)?.recent;
    return recent && recent.complete + recent.failed;
  });
  const all = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return own.map((automation, index) => {
    const finished = counts[index];
    const got = finished === undefined || all === 0 ? undefined : finished / all;
    return { automation, due: weightOf(automation) / weights, got, finished };
  });
}
