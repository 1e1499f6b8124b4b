import { Refusal } from '../errors.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { pauseQueueRow, resumeQueueRow } from './pause.sql.ts';
import { readQueue, record } from './read.ts';
import { decidePause } from './rules.ts';
import { countOpenItems } from './sql.ts';

export const pauseQueue: QueueOperation<'pauseQueue'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  const pause = decidePause(body, now);
  if (pause instanceof Refusal) throw pause;
  await pauseQueueRow(db, queue.id, pause, { actorId: actor.id, now });
  const { reason, until } = pause;
  await record(context, queue.id, { operation: 'pauseQueue', reason, changes: { until } });
  return readQueue(context, queue.id);
};

export const resumeQueue: QueueOperation<'resumeQueue'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  if (queue.status === 'INACTIVE') {
    await resumeQueueRow(db, queue.id, { actorId: actor.id, now });
    await record(context, queue.id, { operation: 'resumeQueue', reason: body?.reason });
    await wakeConsumers(context, queue.id);
  }
  return readQueue(context, queue.id);
};

/** Consumers that wait for an inactive queue do not hear of its items; now they may have them. */
export async function wakeConsumers(
  { db, woken }: Pick<QueueContext, 'db' | 'woken'>,
  queueId: QueueContext['queue']['id'],
): Promise<void> {
  const { waiting } = await countOpenItems(db, queueId);
  if (waiting > 0) woken.set(queueId, waiting);
}
