import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Job } from '../engine/job-loop.ts';
import type { QueueOperation } from '../engine/operation.ts';
import { noteOldestWait, rollUp, selectQueuesToLookAt, spansIn, sumOfTimes } from '../journal/counters.ts';
import { added, largestError, percentileOf, type Times } from '../journal/times.rules.ts';
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

/** Lengths of the spans that a history can have, in seconds: each is a multiple of the ones before it. */
const steps = [60, 300, 900, 3600, 21_600, 86_400] as const;
type Step = (typeof steps)[number];

const hour = 3600;
const day = 86_400;
/** Seconds for which minutes, and then hours, are kept; days are kept for ever, as a queue makes no more than 366 a year. */
const keptFor = { minutes: 2 * day, hours: 90 * day } as const;

const usualSpans = 150;
const mostSpans = 1500;

/** A part of the past, divided into spans of equal length that begin at whole multiples of it. */
interface Stretch {
  readonly step: Step;
  readonly from: Date;
  readonly to: Date;
}

/** The requested stretch; all members are optional. */
interface Wanted {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly step?: number | undefined;
}

/**
 * The stretch to answer: the last day by default, in spans of the requested length, but no shorter than those that are still kept of its
 * beginning.
 * @throws Refusal when it ends before it begins, or has too many spans
 */
function stretchOf(wanted: Wanted, now: Date): Stretch {
  const to = wanted.to === undefined ? now : earlier(new Date(wanted.to), now);
  const from = wanted.from === undefined ? new Date(to.getTime() - day * 1000) : new Date(wanted.from);
  if (from >= to) throw invalid('from', `must be before ${to.toISOString()}, where the history ends`);
  const seconds = (to.getTime() - from.getTime()) / 1000;
  const least = wanted.step ?? seconds / usualSpans;
  const resolution = resolutionOf((now.getTime() - from.getTime()) / 1000);
  const step = steps.find((one) => one >= Math.max(least, resolution)) ?? day;
  if (seconds / step > mostSpans)
    throw invalid('step', `makes more than ${mostSpans} spans. Choose a longer one, or a later beginning`);
  return { step, from: floored(from, step), to };
}

/** The length of the kept spans at this age, in seconds. */
function resolutionOf(age: number): Step {
  if (age < keptFor.minutes) return 60;
  return age < keptFor.hours ? hour : day;
}

function floored(time: Date, step: Step): Date {
  return new Date(Math.floor(time.getTime() / (1000 * step)) * 1000 * step);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function invalid(field: 'from' | 'step', message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

type Counts = Schemas['QueueStats']['counts'];

/** The events of a span: the changes of the counts, and the numbers of arrived and finished items. */
interface Span {
  readonly at: Date;
  readonly changed: Counts;
  readonly arrived: number;
  readonly complete: number;
  readonly failed: number;
  readonly handlingMilliseconds: number;
  /** How long each that was finished took; undefined where none was, and before this was counted. */
  readonly times?: Times | undefined;
  /** The longest that an item was seen to wait. */
  readonly oldestWaitMilliseconds?: number | undefined;
}

/**
 * The history, oldest span first, including spans without events: the counts at the end of each are the present ones minus the later
 * changes.
 * @param spans from the beginning of the stretch until now
 */
function historyOf({ from, to, step }: Stretch, counts: Counts, spans: readonly Span[]) {
  const byTime = new Map(spans.map((span) => [span.at.getTime(), span]));
  const list: Schemas['QueueHistory']['list'][number][] = [];
  const last = Math.max(to.getTime() - 1, ...byTime.keys());
  let present = counts;
  for (let at = floored(new Date(last), step).getTime(); at >= from.getTime(); at -= 1000 * step) {
    const span = byTime.get(at);
    if (at < to.getTime()) list.push(shown(new Date(at), present, span));
    if (span) present = before(present, span.changed);
  }
  return list.toReversed();
}

function shown(at: Date, counts: Counts, span: Span | undefined) {
  const { arrived = 0, complete = 0, failed = 0, handlingMilliseconds = 0 } = span ?? {};
  const finished = complete + failed;
  const handling = finished > 0 && { averageHandlingSeconds: handlingMilliseconds / finished / 1000 };
  const percentiles = span && percentilesOf([span]);
  const wait = span?.oldestWaitMilliseconds;
  const oldest = wait !== undefined && { oldestWaitingSeconds: wait / 1000 };
  return {
    from: at.toISOString(),
    arrived,
    complete,
    failed,
    counts,
    ...oldest,
    ...handling,
    ...percentiles,
  };
}

/** The handling times of the items that were finished in any of the spans. */
function percentilesOf(spans: readonly Pick<Span, 'times'>[]) {
  const times = added(spans.map((span) => span.times));
  return (
    times && {
      p50HandlingSeconds: percentileOf(times, 0.5),
      p95HandlingSeconds: percentileOf(times, 0.95),
    }
  );
}

function before(counts: Counts, changed: Counts): Counts {
  return {
    NEW: counts.NEW - changed.NEW,
    IN_PROGRESS: counts.IN_PROGRESS - changed.IN_PROGRESS,
    COMPLETE: counts.COMPLETE - changed.COMPLETE,
    FAILED: counts.FAILED - changed.FAILED,
    DEFERRED: counts.DEFERRED - changed.DEFERRED,
  };
}
