import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import type { Context, PlainOperation, QueueOperation } from '../engine/operation.ts';
import { recentMinutes, selectTotals, selectTotalsOfMany, type Totals } from '../journal/counters.ts';
import { pageOfQueues, type NamedQueue } from './visible.ts';

/** The creation time of the oldest waiting item, and the time until which nobody looks again. */
interface KnownOldest {
  readonly goodUntil: number;
  readonly oldest: Date | undefined;
}

/**
 * Milliseconds until another look. While an old snapshot is held, the index still has entries of items that left the front of the line, which
 * makes a look slow: then looks take a fiftieth of the time, as those for claims and leases do.
 * @param took milliseconds that the last one took
 */
function goodFor(took: number): number {
  return Math.min(Math.max(5000, took * 50), longestGood);
}

const longestGood = 30_000;

/** Whether nobody needs to look again; not if it were for longer than ever, as behind a clock that was put back. */
function isGood(known: KnownOldest | undefined, now: Date): boolean {
  const left = (known?.goodUntil ?? 0) - now.getTime();
  return left > 0 && left <= longestGood;
}
/** The known values of each server in this process, by queue: another server has other queues under the same ids. */
const known = new WeakMap<Context['marks'], Map<Id, KnownOldest>>();

type Where = Pick<Context, 'db' | 'now' | 'marks'>;

export const getQueueStats: QueueOperation<'getQueueStats'> = async (context) => {
  const { db, queue, now } = context;
  const totals = await selectTotals(db, queue.id, now);
  const nextDueOn = await selectNextDue(db, queue.id);
  const [oldest] = totals.counts.NEW > 0 ? await oldestWaiting(context, [queue.id]) : [];
  return statsOf(queue, { totals, nextDueOn, oldest }, now);
};

export const listQueueStats: PlainOperation<'listQueueStats'> = async (context, { body }) => {
  const { page, list } = await pageOfQueues<NamedQueue>(
    context,
    body,
    raw('q.id, q.name, q.status, q.archived_on is not null as archived'),
  );
  return { page, list: await statsOfMany(context, list) };
};

/** The figures of many queues, in the same order. */
export async function statsOfMany(
  context: Where,
  queues: readonly NamedQueue[],
): Promise<Schemas['QueueStats'][]> {
  const { db, now } = context;
  const ids = queues.map(({ id }) => id);
  const [totals, due] = await Promise.all([selectTotalsOfMany(db, ids, now), selectNextDueOfMany(db, ids)]);
  const waiting = ids.filter((_, index) => (totals[index]?.counts.NEW ?? 0) > 0);
  const found = await oldestWaiting(context, waiting);
  const oldest = new Map(waiting.map((id, index) => [id, found[index]]));
  return queues.flatMap((queue, index) => {
    const [ofQueue, nextDueOn] = [totals[index], due[index]?.nextDueOn];
    return ofQueue ? [statsOf(queue, { totals: ofQueue, nextDueOn, oldest: oldest.get(queue.id) }, now)] : [];
  });
}

/** The data read of a queue. */
interface Figures {
  readonly totals: Totals;
  readonly nextDueOn?: Date | undefined;
  readonly oldest?: Date | undefined;
}

function statsOf(
  { id, name, status, archived }: NamedQueue,
  { totals, nextDueOn, oldest }: Figures,
  now: Date,
): Schemas['QueueStats'] {
  const { counts, inBackOff, inDoubt, finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const finished = finishedComplete + finishedFailed;
  const isGranted = status === 'ACTIVE' && !archived;
  const end = isGranted ? expectedEnd(totals, now, recentMinutes) : undefined;
  return {
    queueId: id,
    queueName: name,
    counts,
    inDoubt,
    inBackOff,
    ...(nextDueOn && { nextDueOn: nextDueOn.toISOString() }),
    ...(oldest && { oldestWaitingSeconds: Math.max(0, (now.getTime() - oldest.getTime()) / 1000) }),
    ...(end && { expectedEndOn: end.toISOString() }),
    recent: {
      minutes: recentMinutes,
      complete: finishedComplete,
      failed: finishedFailed,
      throughputPerMinute: finished / recentMinutes,
      ...(finished > 0 && { averageHandlingSeconds: handlingMilliseconds / finished / 1000 }),
    },
  };
}

/** The creation time of the oldest waiting item of each queue. */
export async function oldestWaiting(
  { db, now, marks }: Where,
  queueIds: readonly Id[],
): Promise<(Date | undefined)[]> {
  const byQueue = known.get(marks) ?? new Map<Id, KnownOldest>();
  known.set(marks, byQueue);
  const stale = queueIds.filter((id) => !isGood(byQueue.get(id), now));
  const read = stale.length === 1 ? selectOldest : selectOldestOfMany;
  const begun = performance.now();
  const rows = stale.length > 0 ? await read(db, stale) : [];
  const goodUntil = now.getTime() + goodFor(performance.now() - begun);
  stale.forEach((id, index) => byQueue.set(id, { goodUntil, oldest: rows[index]?.oldest }));
  return queueIds.map((id) => byQueue.get(id)?.oldest);
}

/** The time of the next retry or end of a deferral. */
async function selectNextDue(db: Db, queueId: Id): Promise<Date | undefined> {
  const row = await db.row<{ nextDueOn?: Date }>(sql`select ${nextDue(sql`${queueId}`)} as "nextDueOn"`);
  return row?.nextDueOn;
}

function selectNextDueOfMany(db: Db, queueIds: readonly Id[]): Promise<{ nextDueOn?: Date }[]> {
  return db.rows(sql`
    select ${nextDue(raw('q.id'))} as "nextDueOn" from unnest(${queueIds}::bigint[]) with ordinality as q (id, place)
    order by q.place`);
}

function nextDue(queue: Sql): Sql {
  const first = (status: 'NEW' | 'DEFERRED') => sql`(select min(not_before) from work_items
    where queue_id = ${queue} and status = ${raw(`'${status}'`)} and not_before is not null)`;
  return sql`least(${first('NEW')}, ${first('DEFERRED')})`;
}

function selectOldest(db: Db, [queueId]: readonly Id[]): Promise<{ oldest?: Date }[]> {
  return db.rows(sql`select ${oldestOf(sql`${queueId}`)} as oldest`);
}

/** The same, as it is at this moment. */
export function selectOldestOfMany(db: Db, queueIds: readonly Id[]): Promise<{ oldest?: Date }[]> {
  return db.rows(sql`
    select ${oldestOf(raw('q.id'))} as oldest from unnest(${queueIds}::bigint[]) with ordinality as q (id, place)
    order by q.place`);
}

/** Ids follow time, to within the length of a transaction: the first waiting item is the oldest. */
function oldestOf(queue: Sql): Sql {
  return sql`(select created_on from work_items where queue_id = ${queue} and status = 'NEW' order by id limit 1)`;
}

// A mean over fewer items says little: a single long one would decide.
const enough = 10;

/**
 * When the items that can be claimed and those in progress will be done, as the forecast of a queue has it where nothing comes due: worked
 * off at a steady pace, by as many at once as now, or as on average lately if that is more. Undefined where there are none, or too few were
 * finished lately to tell. Needs the counters only.
 */
export function expectedEnd(totals: Totals, now: Date, minutes: number): Date | undefined {
  const { counts, inBackOff, finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const [ready, running] = [Math.max(0, counts.NEW - inBackOff), counts.IN_PROGRESS];
  const finished = finishedComplete + finishedFailed;
  if (ready + running === 0 || finished < enough) return undefined;
  const handling = Math.max(1, handlingMilliseconds / finished);
  const atOnce = Math.max(running === 0 ? 1 : running, handlingMilliseconds / (minutes * 60_000));
  // Items in progress are half done on average.
  if (ready === 0) return new Date(now.getTime() + handling / 2);
  const behind = ready - Math.floor(atOnce - running);
  const wait = behind <= 0 ? 0 : ((behind - 0.5) * handling) / atOnce;
  return new Date(now.getTime() + wait + handling);
}
