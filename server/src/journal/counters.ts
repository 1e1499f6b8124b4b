import type { Id, Schemas } from '@millrace/api';
import { named, raw, sql, type Db, type Sql } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';

/** Minutes that count as recent. */
export const recentMinutes = 15;

/** Waiting items of a queue, including those that wait for their retry. */
export async function selectWaiting(db: Db, queueId: Id): Promise<number> {
  const statement = sql`
    select coalesce(sum(new), 0)::int as waiting from queue_tallies where queue_id = ${queueId}`;
  const [row] = await db.rows<{ waiting: number }>(named('selectWaiting', statement));
  return row?.waiting ?? 0;
}

export interface Totals {
  readonly counts: Schemas['QueueStats']['counts'];
  readonly inBackOff: number;
  readonly inDoubt: number;
  /** This and the following counts are of the recent minutes. */
  readonly arrived: number;
  readonly finishedComplete: number;
  readonly finishedFailed: number;
  readonly handlingMilliseconds: number;
}

/** The counts of a queue by status, and of its recent minutes. */
export async function selectTotals(db: Db, queueId: Id, now: Date): Promise<Totals> {
  const row = await db.row<Totals>(sql`select ${totals(now)} from queue_tallies where queue_id = ${queueId}`);
  return row as Totals;
}

/** The same of many queues, in the order of their ids. */
export function selectTotalsOfMany(db: Db, queueIds: readonly Id[], now: Date): Promise<Totals[]> {
  return db.rows(sql`
    select t.* from unnest(${queueIds}::bigint[]) with ordinality as q (id, place)
      cross join lateral (select ${totals(now)} from queue_tallies where queue_id = q.id) t
    order by q.place`);
}

function totals(now: Date): Sql {
  const recent = sql`filter (where minute > ${now}::timestamptz - make_interval(mins => ${recentMinutes}))`;
  return sql`json_build_object('NEW', coalesce(sum(new), 0), 'IN_PROGRESS', coalesce(sum(in_progress), 0),
      'COMPLETE', coalesce(sum(complete), 0), 'FAILED', coalesce(sum(failed), 0),
      'DEFERRED', coalesce(sum(deferred), 0)) as counts,
    coalesce(sum(in_back_off), 0)::int as "inBackOff", coalesce(sum(in_doubt), 0)::int as "inDoubt",
    (coalesce(sum(arrived) ${recent}, 0))::bigint as arrived,
    (coalesce(sum(finished_complete) ${recent}, 0))::bigint as "finishedComplete",
    (coalesce(sum(finished_failed) ${recent}, 0))::bigint as "finishedFailed",
    (coalesce(sum(handling_ms) ${recent}, 0))::bigint as "handlingMilliseconds"`;
}

/** Adds up the counts left by each transaction, so that reading them stays cheap. */
export const compactCounters: Job = {
  name: 'compactCounters',
  run: async ({ db, now }) => {
    const begun = performance.now();
    const queueIds = await selectQueuesToCompact(db);
    const pause = pauseAfter(performance.now() - begun);
    for (const queueId of queueIds) await compactCountersOf(db, queueId, now);
    return pause;
  },
};

/** Milliseconds until the next run: a look takes long where an open transaction keeps rows that are gone, and then comes the less often. */
function pauseAfter(took: number): number {
  return Math.min(Math.max(1000, took * 50), 10_000);
}

/** Queues with enough rows of counters to make compaction worthwhile. */
async function selectQueuesToCompact(db: Db): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select queue_id as id from queue_tallies group by queue_id having count(*) > 50`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Replaces the rows of counters of a queue by one for each recent minute and one for all time before. Minutes that are no longer recent go
 * into the history, which has everything that is in no row with a minute here.
 */
async function compactCountersOf(db: Db, queueId: Id, now: Date): Promise<void> {
  await db.rows(sql`
    with compacted as (
      delete from queue_tallies where queue_id = ${queueId} and id in (
        select id from queue_tallies where queue_id = ${queueId} order by id limit 10000 for update skip locked)
      returning *),
    dated as (
      select *, case when minute > ${now}::timestamptz - make_interval(mins => ${recentMinutes}) then minute
        else '-infinity' end as kept_minute from compacted),
    past as (
      insert into queue_history as h (queue_id, seconds, at, ${columns})
      select queue_id, 60, minute, ${sums} from dated where kept_minute = '-infinity' and minute > '-infinity'
      group by queue_id, minute
      on conflict (queue_id, seconds, at) do update set ${added})
    insert into queue_tallies (queue_id, minute, in_back_off, in_doubt, ${columns})
    select queue_id, kept_minute, sum(in_back_off), sum(in_doubt), ${sums} from dated group by queue_id, kept_minute`);
}

/** The numbers that the history of a queue has of each span. */
const numbers = [
  'arrived',
  'new',
  'in_progress',
  'complete',
  'failed',
  'deferred',
  'finished_complete',
  'finished_failed',
  'handling_ms',
] as const;

const times = 'handling_times';
const oldest = 'oldest_wait_ms';
/** The columns of each span in the history of a queue. */
const columns = raw([...numbers, times, oldest].join(', '));
/** The same, added up over the rows of a group. */
const sums = raw([...numbers.map((column) => `sum(${column})`), sumOfTimes(), `max(${oldest})`].join(', '));
/** The same, where the span is in the history as `h` already. */
const added = raw(
  [
    ...numbers.map((column) => `${column} = h.${column} + excluded.${column}`),
    `${times} = ${sumOfTimes('array[h.handling_times, excluded.handling_times]')}`,
    `${oldest} = greatest(h.${oldest}, excluded.${oldest})`,
  ].join(', '),
);

/** Counts of times added up, bucket by bucket: those of all rows of a group, which `spansIn` answers, or of a list. */
export function sumOfTimes(list = 'array_agg(handling_times)'): string {
  return `(select json_object_agg(bucket, count) from (
    select key as bucket, sum(value::bigint) as count from unnest(${list}) as t (counts), json_each_text(t.counts) group by key) s)`;
}

/** The changes in a queue by time: the minutes not compacted yet, and the history. */
export function spansIn(queueId: Id): Sql {
  return sql`
    select minute as at, ${columns} from queue_tallies where queue_id = ${queueId} and minute > '-infinity'
    union all
    select at, ${columns} from queue_history where queue_id = ${queueId}`;
}

/** The next queues with waiting items, by their ids, of which nobody has noted in this minute for how long the oldest had waited. */
export async function selectQueuesToLookAt(
  db: Db,
  { minute, after, limit }: { readonly minute: Date; readonly after: Id; readonly limit: number },
): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`
    select queue_id as id from queue_tallies where queue_id > ${after} group by queue_id
    having sum(new) > 0 and count(*) filter (where minute = ${minute} and oldest_wait_ms is not null) = 0
    order by queue_id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Notes for how long the oldest waiting item of a queue had waited, as counters that change nothing else. */
export async function noteOldestWait(db: Db, queueId: Id, minute: Date, milliseconds: number): Promise<void> {
  await db.write(sql`
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete, finished_failed,
      handling_ms, oldest_wait_ms)
    values (${queueId}, ${minute}, 0, 0, 0, 0, 0, 0, 0, 0, ${Math.round(milliseconds)})`);
}

/** A step of ageing: spans of one length that began before a time are added up to longer spans, which contain them whole. */
interface RollUp {
  readonly from: number;
  readonly to: number;
  readonly until: Date;
}

/** Adds up old spans of the history of some queues. @returns the number of queues that had any, up to a limit */
export async function rollUp(db: Db, { from, to, until }: RollUp, limit: number): Promise<number> {
  const queues = await db.rows<{ id: Id }>(sql`
    select distinct queue_id as id from queue_history where seconds = ${from} and at < ${until} limit ${limit}`);
  for (const { id } of queues)
    await db.rows(sql`
      with old as (
        delete from queue_history where queue_id = ${id} and seconds = ${from} and at < ${until} returning *)
      insert into queue_history as h (queue_id, seconds, at, ${columns})
      select queue_id, ${to}, date_bin(make_interval(secs => ${to}), at, '1970-01-01Z'), ${sums}
      from old group by 1, 3
      on conflict (queue_id, seconds, at) do update set ${added}`);
  return queues.length;
}
