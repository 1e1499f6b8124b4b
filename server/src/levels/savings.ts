import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { raw, sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Job } from '../engine/job-loop.ts';
import { listQuery, pageOf } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import type { PlainOperation, QueueOperation } from '../engine/operation.ts';
import { postponedQueues } from '../engine/postponed.ts';
import { millrace } from '../journal/journal.ts';
import { spansIn } from '../journal/counters.ts';
import { savingsSentence } from './words.rules.ts';

export const getQueueSavings: QueueOperation<'getQueueSavings'> = async ({ db, queue, now }, { query }) => {
  const [valued] = await selectValued(db, [queue.id]);
  return addUp(db, valued ?? { queueId: queue.id, queueName: queue.name }, timeOf(query, now));
};

/** A queue, and the value of one of its items. */
type Valued = Pick<Schemas['Queue'], 'manualProcessingTime' | 'manualProcessingTimeUnit'> & {
  readonly queueId: Id;
  readonly queueName: string;
  readonly hourlyCost?: number;
  readonly currency?: string;
};

interface Time {
  readonly from: Date;
  readonly to: Date;
}

async function addUp(db: Db, valued: Valued, time: Time): Promise<Schemas['QueueSavings']> {
  const { queueId, queueName, hourlyCost, currency } = valued;
  const [finished, repaired] = [
    await selectFinished(db, queueId, time),
    await selectRepairs(db, queueId, time),
  ];
  const worth = { manualSeconds: manualSecondsOf(valued), hourlyCost, currency };
  const [from, to] = [time.from.toISOString(), time.to.toISOString()];
  return { queueId, queueName, from, to, ...savingsOf({ ...finished, ...repaired }, worth) };
}

export const listQueueSavings: PlainOperation<'listQueueSavings'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, savingsFields, raw('s.queue_id'));
  const rows = sql`queue_savings s join queues q on q.id = s.queue_id where ${seenBy(actor)} and q.archived_on is null`;
  const page = await pageOf(db, query, rows);
  const list = await db.rows<{ queueName: string; savings: Schemas['QueueSavings'] }>(sql`
    select q.name as "queueName", s.savings from ${rows} and ${query.where}
    order by ${query.orderBy} limit ${query.limit} offset ${query.offset}`);
  const money = await db.rows<{ currency?: string; hours: number; saved: number }>(sql`
    select s.savings -> 'money' ->> 'currency' as currency, sum(${savedHours})::float8 as hours,
      sum((s.savings -> 'money' ->> 'saved')::numeric)::float8 as saved
    from ${rows} and ${query.where} group by 1 order by 1`);
  const hours = money.reduce((total, one) => total + one.hours, 0);
  return {
    page,
    list: list.map(({ queueName, savings }) => ({ ...savings, queueName })),
    sums: {
      hours: Math.round(hours * 100) / 100,
      money: money.flatMap(({ currency, saved }) =>
        currency === undefined ? [] : [{ currency, saved: Math.round(saved * 100) / 100 }],
      ),
    },
  };
};

const savedHours = raw(`(s.savings -> 'hours' ->> 'saved')::numeric`);

const savingsFields: Record<string, Field> = {
  queueId: { column: raw('s.queue_id'), type: 'id' },
  queueName: { column: raw('q.name'), type: 'text' },
  savedHours: { column: raw(`((s.savings -> 'hours' ->> 'saved')::numeric)`), type: 'number' },
};

const pauseMs = 5000;
const minutesBetween = 15;
const postponed = postponedQueues('savings could not be added up, and are tried again later');

/** Adds up the savings of each queue with a manual processing time every quarter of an hour, for lists of many. */
export const addUpSavings: Job = {
  name: 'addUpSavings',
  run: async (context) => {
    const { db, now } = context;
    const next = await lockNext(db, now);
    if (!next) {
      await forgetWorthless(db);
      return pauseMs;
    }
    await renewSavings(db, next.id, now).catch((error: Error) => postponed.postpone(context, next.id, error));
    postponed.done(next.id);
    return 0;
  },
};

async function renewSavings(db: Db, queueId: Id, now: Date): Promise<void> {
  const [valued] = await selectValued(db, [queueId]);
  if (valued) await saveSavings(db, await addUp(db, valued, timeOf({}, now)), now);
}

/** Deletes the savings of queues that no longer have a manual processing time. */
async function forgetWorthless(db: Db): Promise<void> {
  await db.rows(sql`
    delete from queue_savings s using queues q
    where q.id = s.queue_id and coalesce(q.manual_processing_time, 0) = 0`);
}

/** The next queue whose savings are missing or outdated, oldest first; one that another server is adding up is skipped. */
function lockNext(db: Db, now: Date): Promise<{ id: Id } | undefined> {
  return db.row(sql`
    select q.id from queues q left join queue_savings s on s.queue_id = q.id left join queue_levels l on l.queue_id = q.id
    where q.manual_processing_time > 0 and q.archived_on is null and q.id <> all(${postponed.at(now)}::bigint[])
      and (s.queue_id is null or s.added_up_on < greatest(q.updated_on, l.updated_on)
        or s.added_up_on <= ${now}::timestamptz - make_interval(mins => ${minutesBetween}))
    order by s.added_up_on nulls first limit 1 for no key update of q skip locked`);
}

function selectValued(db: Db, queueIds: readonly Id[]): Promise<Valued[]> {
  return db.rows(sql`
    select q.id as "queueId", q.name as "queueName", q.manual_processing_time as "manualProcessingTime",
      q.manual_processing_time_unit as "manualProcessingTimeUnit", l.hourly_cost as "hourlyCost", l.currency
    from queues q left join queue_levels l on l.queue_id = q.id where q.id = any(${queueIds}::bigint[])`);
}

async function saveSavings(db: Db, savings: Schemas['QueueSavings'], now: Date): Promise<void> {
  await db.rows(sql`
    insert into queue_savings (queue_id, added_up_on, savings) values (${savings.queueId}, ${now}, ${stringifyJson(savings)}::json)
    on conflict (queue_id) do update set added_up_on = excluded.added_up_on, savings = excluded.savings`);
}

async function selectFinished(
  db: Db,
  queueId: Id,
  { from, to }: Time,
): Promise<Pick<Counted, 'complete' | 'failed'>> {
  const row = await db.row<Pick<Counted, 'complete' | 'failed'>>(sql`
    select coalesce(sum(finished_complete), 0)::bigint as complete, coalesce(sum(finished_failed), 0)::bigint as failed
    from (${spansIn(queueId)}) spans where at >= ${from} and at < ${to}`);
  return row ?? { complete: 0, failed: 0 };
}

/** Acts of people on single items, matching the index `events_repairs`, and their bulk actions. */
async function selectRepairs(
  db: Db,
  queueId: Id,
  { from, to }: Time,
): Promise<Pick<Counted, 'repairs' | 'repairSeconds'>> {
  const row = await db.row<Pick<Counted, 'repairs' | 'repairSeconds'>>(sql`
    select count(*)::int as repairs, coalesce(sum(least(${mostRepairSeconds}, seconds)), 0)::float8 as "repairSeconds" from (
      select coalesce(extract(epoch from at - lag(at) over (partition by person order by at)), ${mostRepairSeconds}) as seconds from (
        select e.actor_id as person, e.at from events e
        where e.queue_id = ${queueId} and e.at >= ${from} and e.at < ${to} and e.actor_id <> ${millrace}
          and (e.operation in ('restartWorkItem', 'releaseWorkItem', 'resolveWorkItem', 'cancelWorkItem', 'deleteWorkItem')
            or e.operation = 'updateWorkItem' and e.from_status <> 'IN_PROGRESS' and e.to_status <> 'IN_PROGRESS')
        union all
        select b.created_by, b.created_on from batches b
        where b.queue_id = ${queueId} and b.source = 'BULK' and b.created_on >= ${from} and b.created_on < ${to}) acts) gaps`);
  return row ?? { repairs: 0, repairSeconds: 0 };
}

/** Most seconds that one act of a person counts: the time spent on it is not recorded. */
const mostRepairSeconds = 300;

const secondsIn: Readonly<Record<string, number>> = { SECONDS: 1, MINUTES: 60, HOURS: 3600, DAYS: 86_400 };

/** Seconds that a person needs for one item; undefined where the queue does not say. A day has 24 hours. */
export function manualSecondsOf(
  queue: Pick<Schemas['Queue'], 'manualProcessingTime' | 'manualProcessingTimeUnit'>,
): number | undefined {
  const { manualProcessingTime: time, manualProcessingTimeUnit: unit = 'MINUTES' } = queue;
  const seconds = secondsIn[unit.toUpperCase()];
  return time === undefined || seconds === undefined || time === 0 ? undefined : time * seconds;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Counts are kept by the hour for this long. */
const hoursKept = 90 * day;
const usually = 30 * day;
const longest = 3660 * day;

/** The time range to add up, in whole hours or, if it began long ago, in whole days; to now at the latest. @throws Refusal */
export function timeOf(
  query: { readonly from?: string; readonly to?: string },
  now: Date,
): { from: Date; to: Date } {
  const end = query.to === undefined ? now.getTime() : Math.min(now.getTime(), Date.parse(query.to));
  const wanted = query.from === undefined ? end - usually : Date.parse(query.from);
  const step = now.getTime() - wanted > hoursKept ? day : hour;
  // Counts are known for whole spans only; only the present span ends now.
  const to = end === now.getTime() ? end : Math.floor(end / step) * step;
  const from = Math.floor(wanted / step) * step;
  if (wanted >= end || from >= to)
    throw invalid('from', `must be before ${new Date(to).toISOString()}, where the time ends`);
  if (to - wanted > longest) throw invalid('from', 'must be within ten years of the end');
  return { from: new Date(from), to: new Date(to) };
}

function invalid(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

/** The counts of a queue over a time range. */
interface Counted {
  readonly complete: number;
  readonly failed: number;
  readonly repairs: number;
  readonly repairSeconds: number;
}

interface Worth {
  readonly manualSeconds: number | undefined;
  readonly hourlyCost?: number | undefined;
  readonly currency?: string | undefined;
}

type Savings = Omit<Schemas['QueueSavings'], 'queueId' | 'queueName' | 'from' | 'to'>;

/** The time that people would have needed for all completed items, minus the time of repairs. */
export function savingsOf(counted: Counted, { manualSeconds, hourlyCost, currency }: Worth): Savings {
  const { complete, failed, repairs, repairSeconds } = counted;
  if (manualSeconds === undefined)
    return { sentence: savingsSentence({ complete }), complete, failed, repairs };
  const saved = (complete * manualSeconds - repairSeconds) / 3600;
  const hours = {
    worked: rounded(((complete + failed) * manualSeconds) / 3600),
    failed: rounded((failed * manualSeconds) / 3600),
    repairs: rounded(repairSeconds / 3600),
    saved: rounded(saved),
  };
  const money =
    hourlyCost !== undefined && currency !== undefined
      ? { currency, hourlyCost, saved: rounded(saved * hourlyCost) }
      : undefined;
  const sentence = savingsSentence({ hours, money, complete });
  return { sentence, manualSeconds, complete, failed, repairs, hours, ...(money && { money }) };
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
