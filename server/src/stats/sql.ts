import type { Id, Schemas } from '@millrace/api';
import { join, named, raw, sql, type Db, type Sql } from '../db.ts';
import type { Tally } from '../work-items/tally.rules.ts';

/** Minutes that count as recent. */
export const recentMinutes = 15;

export async function insertTally(db: Db, queueId: Id, tally: Tally, now: Date): Promise<void> {
  const { counts, finishedComplete, finishedFailed, handlingMilliseconds } = tally;
  const statement = sql`
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred,
      finished_complete, finished_failed, handling_ms)
    values (${queueId}, date_trunc('minute', ${now}::timestamptz), ${counts.NEW}, ${counts.IN_PROGRESS},
      ${counts.COMPLETE}, ${counts.FAILED}, ${counts.DEFERRED}, ${finishedComplete}, ${finishedFailed},
      ${handlingMilliseconds})`;
  await db.write(named('insertTally', statement));
}

/**
 * Notes that consumers ask for items of a queue; once in some seconds, as they may ask all the time. Whoever asks why nothing
 * moves wants to know whether there is anybody.
 */
export async function noteClaim(db: Db, queueId: Id, now: Date): Promise<void> {
  const statement = sql`
    insert into queue_claims (queue_id, asked_on) select ${queueId}, ${now}
    where not exists (select from queue_claims
      where queue_id = ${queueId} and asked_on > ${now}::timestamptz - interval '20 seconds')
    on conflict (queue_id) do update set asked_on = excluded.asked_on`;
  await db.write(named('noteClaim', statement));
}

/** The tally of a statement that moves the rows of a source from one status to another, as a part of that statement. */
export function tallyOfMoves(
  queueId: Id,
  { source, from, to }: { source: Sql; from: Sql; to: Sql },
  now: Date,
): Sql {
  const moved = (status: string) => sql`(count(*) filter (where ${to} = ${raw(status)})
    - count(*) filter (where ${from} = ${raw(status)}))::int`;
  const counts = ["'NEW'", "'IN_PROGRESS'", "'COMPLETE'", "'FAILED'", "'DEFERRED'"].map(moved);
  return sql`
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred,
      finished_complete, finished_failed, handling_ms)
    select ${queueId}, date_trunc('minute', ${now}::timestamptz), ${join(counts)}, 0, 0, 0
    from ${source} having count(*) > 0`;
}

/** Items of a queue that wait, those for their retry among them. */
export async function selectWaiting(db: Db, queueId: Id): Promise<number> {
  const statement = sql`
    select coalesce(sum(new), 0)::int as waiting from queue_tallies where queue_id = ${queueId}`;
  const [row] = await db.rows<{ waiting: number }>(named('selectWaiting', statement));
  return row?.waiting ?? 0;
}

export interface Totals {
  readonly counts: Schemas['QueueStats']['counts'];
  readonly finishedComplete: number;
  readonly finishedFailed: number;
  readonly handlingMilliseconds: number;
}

/** The counts of a queue, and what was finished in the recent minutes. */
export async function selectTotals(db: Db, queueId: Id, now: Date): Promise<Totals> {
  const recent = sql`filter (where minute > ${now}::timestamptz - make_interval(mins => ${recentMinutes}))`;
  const row = await db.row<Totals>(sql`
    select json_build_object('NEW', coalesce(sum(new), 0), 'IN_PROGRESS', coalesce(sum(in_progress), 0),
        'COMPLETE', coalesce(sum(complete), 0), 'FAILED', coalesce(sum(failed), 0),
        'DEFERRED', coalesce(sum(deferred), 0)) as counts,
      (coalesce(sum(finished_complete) ${recent}, 0))::bigint as "finishedComplete",
      (coalesce(sum(finished_failed) ${recent}, 0))::bigint as "finishedFailed",
      (coalesce(sum(handling_ms) ${recent}, 0))::bigint as "handlingMilliseconds"
    from queue_tallies where queue_id = ${queueId}`);
  return row as Totals;
}

/** What of a queue waits for a person or for a time. */
export interface Standstill {
  readonly inDoubt: number;
  readonly inBackOff: number;
  readonly nextDueOn?: Date;
}

export async function selectStandstill(db: Db, queueId: Id): Promise<Standstill> {
  const due = (status: 'NEW' | 'DEFERRED') =>
    sql`from work_items where queue_id = ${queueId} and status = ${raw(`'${status}'`)} and not_before is not null`;
  const row = await db.row<Standstill>(sql`
    select (select count(*) from work_items where queue_id = ${queueId} and failure_kind = 'IN_DOUBT')::int as "inDoubt",
      (select count(*) ${due('NEW')})::int as "inBackOff",
      least((select min(not_before) ${due('NEW')}), (select min(not_before) ${due('DEFERRED')})) as "nextDueOn"`);
  return row as Standstill;
}

export async function selectOldestWaiting(db: Db, queueId: Id): Promise<Date | undefined> {
  const row = await db.row<{ oldest?: Date }>(sql`
    select min(created_on) as oldest from work_items where queue_id = ${queueId} and status = 'NEW'`);
  return row?.oldest;
}

/** Queues with so many tallies that adding them up is worth it. */
export async function selectQueuesToFold(db: Db): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select queue_id as id from queue_tallies group by queue_id having count(*) > 50`,
  );
  return rows.map(({ id }) => id);
}

/** Replaces the tallies of a queue by one a recent minute and one for all that was before. */
export async function foldQueueTallies(db: Db, queueId: Id, now: Date): Promise<void> {
  await db.rows(sql`
    with folded as (
      delete from queue_tallies where queue_id = ${queueId} and id in (
        select id from queue_tallies where queue_id = ${queueId} order by id limit 10000 for update skip locked)
      returning *),
    dated as (
      select *, case when minute > ${now}::timestamptz - make_interval(mins => ${recentMinutes}) then minute
        else '-infinity' end as kept_minute from folded)
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred,
      finished_complete, finished_failed, handling_ms)
    select queue_id, kept_minute, sum(new), sum(in_progress), sum(complete), sum(failed), sum(deferred),
      sum(finished_complete), sum(finished_failed), sum(handling_ms)
    from dated group by queue_id, kept_minute`);
}
