import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Job } from '../engine/job-loop.ts';
import { authorOf, type Author, type QueueContext, type QueueOperation } from '../engine/operation.ts';
import { selectWaiting } from '../journal/counters.ts';
import { millrace, recordEvents, recordOfQueue } from '../journal/journal.ts';
import { answerQueue } from './find.ts';
import { changedBy, noPause, pausedNow, type Pause } from './sql.ts';

export const pauseQueue: QueueOperation<'pauseQueue'> = async (context, { body }) => {
  const { db, queue, now } = context;
  const pause = decidePause(body, now);
  if (pause instanceof Refusal) throw pause;
  await pauseQueueRow(db, queue.id, pause, authorOf(context));
  const { reason, until } = pause;
  await recordOfQueue(context, queue.id, { operation: 'pauseQueue', reason, changes: { until } });
  return answerQueue(context, queue.id);
};

export const resumeQueue: QueueOperation<'resumeQueue'> = async (context, { body }) => {
  const { db, queue } = context;
  if (queue.status === 'INACTIVE') {
    await resumeQueueRow(db, queue.id, authorOf(context));
    await recordOfQueue(context, queue.id, { operation: 'resumeQueue', reason: body?.reason });
    await wakeConsumers(context, queue.id);
  }
  return answerQueue(context, queue.id);
};

/** Wakes the consumers of a queue: while it was inactive, they were not told of its items. */
export async function wakeConsumers(
  { db, wake }: Pick<QueueContext, 'db' | 'wake'>,
  queueId: QueueContext['queue']['id'],
): Promise<void> {
  const waiting = await selectWaiting(db, queueId);
  if (waiting > 0) wake(queueId, waiting);
}

// Often enough that no queue waits two seconds for it.
const pauseMs = 500;

/** Resumes queues that were paused until a time. */
export const resumeQueues: Job = {
  name: 'resumeQueues',
  run: async (context) => {
    const { db, now } = context;
    const event = { operation: 'resumeQueues', actorId: millrace, reason: 'the pause is over' };
    for (const id of await lockQueuesToResume(db, now)) {
      await resumeQueueRow(db, id, { actorId: millrace, now });
      await recordEvents(context, id, [event]);
      await wakeConsumers(context, id);
    }
    return pauseMs;
  },
};

/** Pauses a queue, or replaces reason and time of its pause. */
async function pauseQueueRow(db: Db, id: Id, { reason, until }: Pause, author: Author): Promise<void> {
  await db.rows(sql`
    update queues set status = 'INACTIVE', ${pausedNow({ reason, until }, author)}, ${changedBy(author)} where id = ${id}`);
}

async function resumeQueueRow(db: Db, id: Id, author: Author): Promise<void> {
  await db.rows(sql`update queues set status = 'ACTIVE', ${noPause}, ${changedBy(author)} where id = ${id}`);
}

/** Paused queues whose time has come, locked; queues that are being changed are left for the next time. */
async function lockQueuesToResume(db: Db, now: Date): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`
    select id from queues where paused_until <= ${now} order by paused_until limit 100
    for no key update skip locked`);
  return rows.map(({ id }) => id);
}

/** The pause wanted by a request. */
export function decidePause({ reason, until }: Schemas['PauseRequest'], now: Date) {
  const end = until ? new Date(until) : undefined;
  if (!end || end > now) return { reason, until: end };
  const message = `has passed: it is ${now.toISOString()} by now`;
  return new Refusal('INVALID_REQUEST', `until ${message}.`, { details: [{ field: 'until', message }] });
}
