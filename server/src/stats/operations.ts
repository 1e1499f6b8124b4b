import type { Id } from '@millrace/api';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { recentMinutes, selectOldestWaiting, selectStandstill, selectTotals } from './sql.ts';

// Finding the oldest item reads all that wait; once in a while is enough.
const oldestIsGoodFor = 5000;
const oldestByQueue = new Map<Id, { readAt: number; oldest: Date | undefined }>();

export const getQueueStats: QueueOperation<'getQueueStats'> = async (context) => {
  const { db, queue, now } = context;
  const totals = await selectTotals(db, queue.id, now);
  const { nextDueOn, ...waiting } = await selectStandstill(db, queue.id);
  const { finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const finished = finishedComplete + finishedFailed;
  const oldest = totals.counts.NEW > 0 ? await oldestWaiting(context) : undefined;
  return {
    queueId: queue.id,
    counts: totals.counts,
    ...waiting,
    ...(nextDueOn && { nextDueOn: nextDueOn.toISOString() }),
    ...(oldest && { oldestWaitingSeconds: Math.max(0, (now.getTime() - oldest.getTime()) / 1000) }),
    recent: {
      minutes: recentMinutes,
      complete: finishedComplete,
      failed: finishedFailed,
      throughputPerMinute: finished / recentMinutes,
      ...(finished > 0 && { averageHandlingSeconds: handlingMilliseconds / finished / 1000 }),
    },
  };
};

async function oldestWaiting({ db, queue, now }: QueueContext): Promise<Date | undefined> {
  const known = oldestByQueue.get(queue.id);
  if (known && now.getTime() - known.readAt < oldestIsGoodFor) return known.oldest;
  const oldest = await selectOldestWaiting(db, queue.id);
  oldestByQueue.set(queue.id, { readAt: now.getTime(), oldest });
  return oldest;
}
