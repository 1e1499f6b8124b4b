import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import type { QueueOperation } from '../engine/operation.ts';
import { noteOldestWait, rollUp, selectQueuesToLookAt, spansIn, sumOfTimes } from '../journal/counters.ts';
import { largestError } from '../journal/times.rules.ts';
import { historyOf, keptFor, percentilesOf, stretchOf, type Span, type Stretch } from './history.rules.ts';
import { oldestWaiting, selectOldestOfMany } from './statistics.ts';

export const getQueueHistory: QueueOperation<'getQueueHistory'> = async (context, { query }) => {
  const { db, queue, now } = context;
  const stretch = stretchOf(query, now);
  const rows = await selectSpans(db, queue.id, stretch);
  const total = rows.find(({ at }) => at === undefined);
  if (!total) throw new Error('a sum without groups answers one row');
  const spans = rows.filter((row): row is Span => row.at !== undefined);
  const { step, from, to } = stretch;
  const [oldest] = to < now || total.changed.NEW === 0 ? [] : await oldestWaiting(context, [queue.id]);
  const list = historyOf(stretch, total.changed, spans);
  return {
    queueId: queue.id,
    step,
    from: from.toISOString(),
    to: to.toISOString(),
    ...percentilesOf(spans.filter(({ at }) => at < to)),
    percentileError: largestError,
    list: oldest ? seenNow(list, now.getTime() - oldest.getTime()) : list,
  };
};

/** The history, with the present age of the oldest waiting item in its last span. */
function seenNow(list: List, milliseconds: number): List {
  return list.map((span, index) => {
    if (index < list.length - 1) return span;
    return { ...span, oldestWaitingSeconds: Math.max(span.oldestWaitingSeconds ?? 0, milliseconds / 1000) };
  });
}

type List = Schemas['QueueHistory']['list'];

/**
 * In one statement, so that the present counts and the changes before them are of the same moment. The row without a time has the counts.
 */
function selectSpans(
  db: Db,
  queueId: Id,
  { step, from }: Stretch,
): Promise<(Omit<Span, 'at'> & { readonly at?: Date })[]> {
  return db.rows(sql`
    select date_bin(make_interval(secs => ${step}), at, '1970-01-01Z') as at, ${sums}, ${raw(sumOfTimes())} as times
    from (${spansIn(queueId)}) spans where at >= ${from} group by 1
    union all select null, ${sums}, null from queue_tallies where queue_id = ${queueId}`);
}

const sum = (column: string) => `coalesce(sum(${column}), 0)::bigint`;
const sums =
  raw(`json_build_object('NEW', ${sum('new')}, 'IN_PROGRESS', ${sum('in_progress')}, 'COMPLETE', ${sum('complete')},
    'FAILED', ${sum('failed')}, 'DEFERRED', ${sum('deferred')}) as changed,
  ${sum('arrived')} as arrived, ${sum('finished_complete')} as complete, ${sum('finished_failed')} as failed,
  ${sum('handling_ms')} as "handlingMilliseconds", max(oldest_wait_ms) as "oldestWaitMilliseconds"`);

const pauseMs = 60_000;
// The rest is rolled up at once, in the next run.
const queuesAtOnce = 100;

/** Adds up old minutes to hours, and old hours to days. */
export const rollUpHistory: Job = {
  name: 'rollUpHistory',
  run: async ({ db, now }) => {
    const oldMinutes = { from: 60, to: 3600, until: cut(now, keptFor.minutes, 3600) };
    const oldHours = { from: 3600, to: 86_400, until: cut(now, keptFor.hours, 86_400) };
    const minutes = await rollUp(db, oldMinutes, queuesAtOnce);
    const hours = await rollUp(db, oldHours, queuesAtOnce);
    return Math.max(minutes, hours) === queuesAtOnce ? 0 : pauseMs;
  },
};

const minuteMs = 60_000;

/**
 * Looks once a minute at how long the oldest item of each queue has waited: no sum of changes tells it. A queue in which nothing waits
 * costs nothing. It goes through the queues in the order of their ids, and goes on behind those that it could not look at.
 */
export function createLookAtOldest(): Job {
  let after: Id = 0;
  return {
    name: 'lookAtOldest',
    run: async ({ db, now }) => {
      const minute = new Date(Math.floor(now.getTime() / minuteMs) * minuteMs);
      const queueIds = await selectQueuesToLookAt(db, { minute, after, limit: queuesAtOnce });
      after = queueIds.at(-1) ?? 0;
      // All are read before the first is written, which the feed waits for.
      const oldest = queueIds.length > 0 ? await selectOldestOfMany(db, queueIds) : [];
      for (const [index, queueId] of queueIds.entries()) {
        const since = oldest[index]?.oldest;
        if (since) await noteOldestWait(db, queueId, minute, Math.max(0, now.getTime() - since.getTime()));
      }
      if (queueIds.length === queuesAtOnce) return 0;
      after = 0;
      // In the middle of the next minute, so that none is passed over.
      return minute.getTime() + 1.5 * minuteMs - now.getTime();
    },
  };
}

/** The time before which spans count as old, rounded down to a whole longer span, so that each of those is rolled up once. */
function cut(now: Date, age: number, step: number): Date {
  const seconds = now.getTime() / 1000 - age;
  return new Date(Math.floor(seconds / step) * step * 1000);
}
