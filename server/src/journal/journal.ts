import { stringifyJson, type Id, type Status } from '@millrace/api';
import { join, named, raw, sql, type Db, type Sql } from '../engine/db.ts';
import { jsonLists } from '../engine/json/write.ts';
import type { Context } from '../engine/operation.ts';
import { timesOf, type Times } from './times.rules.ts';

/** The members of `after` that differ from before, for the event of a change. */
export function changedMembers(before: object, after: object): object {
  const known = new Map(Object.entries(before));
  const isChanged = ([name, value]: [string, unknown]) =>
    stringifyJson({ value }) !== stringifyJson({ value: known.get(name) });
  return Object.fromEntries(Object.entries(after).filter(isChanged));
}

/** The actor of Millrace's own actions, such as in a job. */
export const millrace: Id = 0;

/** An event to be recorded. */
export interface Event {
  /** Left out for an event of a queue, or of the tenant. */
  readonly itemId?: Id | undefined;
  /** The operation or job that caused it. */
  readonly operation: string;
  /** Id of the user; `millrace` for actions without a user. */
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly from?: Status | undefined;
  readonly to?: Status | undefined;
  readonly reason?: string | undefined;
  /** Other changed or related members, by their names in the contract. */
  readonly changes?: object | undefined;
  /** The queue from which the item has just come, with its earlier events. */
  readonly cameFrom?: Id | undefined;
  /** The batch that the event is about, that the item comes with, or that stands for the bulk action. */
  readonly batchId?: Id | undefined;
  /** A transaction after which it comes in the feed, whichever began first. */
  readonly following?: string | undefined;
}

/** The part of the context of an operation or a job that recording needs. */
type Where = Pick<Context, 'db' | 'now' | 'wake'>;

/** Records events of an existing queue, or of its items, and wakes readers of the feed. */
export function recordEvents(context: Where, queueId: Id, events: readonly Event[]): Promise<void> {
  return insertEvents(context, { queueId, tenant: tenantOf(queueId) }, events);
}

/** Records events of a tenant without a queue, such as those of a model or a device. */
export function recordTenantEvents(context: Where, tenantId: Id, events: readonly Event[]): Promise<void> {
  return insertEvents(context, { queueId: 0, tenant: sql`${tenantId}` }, events);
}

/** An event whose actor is the caller of the operation. */
type OwnEvent = Omit<Event, 'actorId'>;

/** Records an act of the caller on a queue or in it. */
export function recordOfQueue(
  context: Where & Pick<Context, 'actor'>,
  queueId: Id,
  event: OwnEvent,
): Promise<void> {
  return recordEvents(context, queueId, [{ ...event, actorId: context.actor.id }]);
}

/** Records an act of the caller in the tenant that concerns no queue. */
export function recordOfTenant(context: Where & Pick<Context, 'actor'>, event: OwnEvent): Promise<void> {
  const { id, tenantId } = context.actor;
  return recordTenantEvents(context, tenantId, [{ ...event, actorId: id }]);
}

/** Records an act of the caller on users and their rights, with its origin. */
export function recordOfAccess(
  context: Where & Pick<Context, 'actor' | 'client'>,
  event: OwnEvent,
): Promise<void> {
  return recordOfTenant(context, { ...event, changes: { ...event.changes, ...context.client } });
}

/** Records an act of the caller on the rights in a queue, or on data that leaves it, with its origin. */
export function recordOfQueueAccess(
  context: Where & Pick<Context, 'actor' | 'client'>,
  queueId: Id,
  event: OwnEvent,
): Promise<void> {
  return recordOfQueue(context, queueId, { ...event, changes: { ...event.changes, ...context.client } });
}

/** The changes of the counts of a queue, and the number of finished items. */
interface Counters {
  readonly counts: Readonly<Record<Status, number>>;
  /** The NEW ones that wait for their retry. */
  readonly inBackOff: number;
  /** The FAILED ones in doubt. */
  readonly inDoubt: number;
  /** Items that came into the queue. */
  readonly arrived: number;
  readonly finishedComplete: number;
  readonly finishedFailed: number;
  readonly handlingMilliseconds: number;
  /** How long each of them took; undefined where none was finished. */
  readonly handlingTimes: Times | undefined;
}

/** The members of an item that are counted. */
interface ItemState {
  readonly status: Status;
  readonly startedOn?: Date | undefined;
  readonly endedOn?: Date | undefined;
  readonly notBefore?: Date | undefined;
  readonly failureKind?: string | undefined;
  /** The batch with which it came. */
  readonly batchId?: Id | undefined;
}

/** A change of an item; `before` is missing for a new item, `after` for a deleted one. */
interface Counted {
  readonly before?: ItemState | undefined;
  readonly after?: ItemState | undefined;
}

/** The traces of a change of items: its events, and the items before and after it, from which the counters are derived. */
interface Entry {
  readonly events: readonly Event[];
  readonly items: readonly Counted[];
}

/** Records events of items of a queue, and counts the changes; a queue that runs out of waiting items ends its reactivation cycle. */
export async function writeJournal(
  context: Pick<Context, 'db' | 'now' | 'wake'>,
  queueId: Id,
  { events, items }: Entry,
): Promise<void> {
  const { db, now } = context;
  await recordEvents(context, queueId, events);
  if (items.every(({ before, after }) => isCountedAlike(before, after))) return;
  const counters = countersOf(items);
  await insertCounters(db, queueId, counters, now);
  const ofBatches = [...batchCountersOf(items)].map(([batchId, counts]) => ({ batchId, ...counts }));
  await insertBatchCounters(db, queueId, ofBatches);
  if (counters.counts.NEW < 0) await endDrainedCycles(db, [queueId]);
}

function isCountedAlike(before: ItemState | undefined, after: ItemState | undefined): boolean {
  const waits = [before, after].map((item) => [item?.status, isInBackOff(item), isInDoubt(item)].join());
  return waits[0] === waits[1];
}

const isInBackOff = (item: ItemState | undefined) => item?.status === 'NEW' && item.notBefore !== undefined;
const isInDoubt = (item: ItemState | undefined) => item?.failureKind === 'IN_DOUBT';

/** Adds up changes of status. */
export function countersOf(changes: readonly Counted[]): Counters {
  const counts = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
  const waits = { inBackOff: 0, inDoubt: 0 };
  const finished = { COMPLETE: 0, FAILED: 0 };
  const arrived = changes.filter(({ before, after }) => !before && after).length;
  const handling: number[] = [];
  for (const { before, after } of changes) {
    if (before) counts[before.status] -= 1;
    if (after) counts[after.status] += 1;
    waits.inBackOff += Number(isInBackOff(after)) - Number(isInBackOff(before));
    waits.inDoubt += Number(isInDoubt(after)) - Number(isInDoubt(before));
    if (before?.status !== 'IN_PROGRESS' || !after?.endedOn || !before.startedOn) continue;
    finished[after.status === 'COMPLETE' ? 'COMPLETE' : 'FAILED'] += 1;
    handling.push(after.endedOn.getTime() - before.startedOn.getTime());
  }
  return {
    counts,
    ...waits,
    arrived,
    finishedComplete: finished.COMPLETE,
    finishedFailed: finished.FAILED,
    handlingMilliseconds: handling.reduce((sum, one) => sum + one, 0),
    handlingTimes: timesOf(handling),
  };
}

async function insertCounters(db: Db, queueId: Id, counters: Counters, now: Date): Promise<void> {
  const { counts, inBackOff, inDoubt, arrived, finishedComplete, finishedFailed } = counters;
  const { handlingMilliseconds, handlingTimes } = counters;
  const statement = sql`
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred,
      in_back_off, in_doubt, arrived, finished_complete, finished_failed, handling_ms, handling_times)
    values (${queueId}, date_trunc('minute', ${now}::timestamptz), ${counts.NEW}, ${counts.IN_PROGRESS},
      ${counts.COMPLETE}, ${counts.FAILED}, ${counts.DEFERRED}, ${inBackOff}, ${inDoubt}, ${arrived}, ${finishedComplete},
      ${finishedFailed}, ${handlingMilliseconds}, ${handlingTimes && stringifyJson(handlingTimes)}::json)`;
  await db.write(named('insertCounters', statement));
}

const nothing = raw('null');
const own = raw('pg_current_xact_id()');
const ofEvent = raw('coalesce(e."itemId", 0)');

/** The transaction of the newest event of an item in the feed, or for the item 0 that of the queue itself. */
function lastOf(queueId: Id | Sql, item: Sql): Sql {
  return sql`(select l.tx from events l where l.queue_id = ${queueId} and l.item_id = ${item} order by l.id desc limit 1)`;
}

/**
 * The transaction of an event in the feed: the present one, unless it began before another one that came first to the item. An event never
 * comes before one that it follows, and never under a transaction older than its own: readers who are past that would miss it.
 */
function behind(...earlier: readonly Sql[]): Sql {
  return sql`greatest(${join([own, ...earlier])})`;
}

async function insertEvents(
  { db, now, wake }: Where,
  { queueId, tenant }: { queueId: Id; tenant: Sql },
  events: readonly Event[],
): Promise<void> {
  if (events.length === 0) return;
  wake('events');
  for await (const list of jsonLists(events)) await db.write(insertion({ queueId, tenant }, list, now));
}

function insertion({ queueId, tenant }: { queueId: Id; tenant: Sql }, events: string, now: Date) {
  const earlier = [lastOf(queueId, ofEvent), lastOf(raw('e."cameFrom"'), ofEvent), raw('e.following')];
  const statement = sql`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, device_id, from_status, to_status, reason,
      changes, batch_id, at, tx)
    select ${tenant}, ${queueId}, coalesce(e."itemId", 0), e.operation, e."actorId", e."deviceId", e."from", e."to",
      e.reason, e.changes, e."batchId", ${now}, ${queueId === 0 ? own : behind(...earlier)}
    from json_to_recordset(${events}::json) as e ("itemId" bigint, operation text, "actorId" bigint, "deviceId" bigint,
      "from" text, "to" text, reason text, changes json, "cameFrom" bigint, "batchId" bigint, following xid8)`;
  return named(queueId === 0 ? 'insertTenantEvents' : 'insertEvents', statement);
}

/** Its tenant as a subquery, which runs once for a statement, however many events that writes. */
function tenantOf(queueId: Id): Sql {
  return sql`(select q.tenant_id from queues q where q.id = ${queueId})`;
}

/** The events of a statement that moves items from one status to another, as SQL over its rows; `id` is the item. */
interface StatementEvent {
  readonly source: Sql;
  readonly operation: string;
  readonly actorId: Sql;
  readonly to: Sql;
  /** Undefined for items that come in. */
  readonly from?: Sql;
  readonly deviceId?: Sql;
  readonly batchId?: Sql;
}

/**
 * The journal of a statement that makes the change itself, as parts of that statement: an event for each row of the source, and the
 * counters, without a round trip of its own. The statement must return a row for each change, as readers of the feed are woken only for
 * those.
 */
export function journalOfRows(queueId: Id, event: StatementEvent, now: Date): Sql {
  return sql`
    recorded as (${eventsOfRows(queueId, event, now)}),
    counted as (${countersOfRows(queueId, event, now)})`;
}

function eventsOfRows(queueId: Id, event: StatementEvent, now: Date): Sql {
  const { source, operation, actorId, deviceId = nothing, batchId = nothing, from, to } = event;
  return sql`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, device_id, batch_id, from_status, to_status, at, tx)
    select ${tenantOf(queueId)}, ${queueId}, ${source}.id, ${operation}, ${actorId}, ${deviceId}, ${batchId}, ${from ?? nothing},
      ${to}, ${now}, ${from ? behind(lastOf(queueId, sql`${source}.id`)) : own} from ${source}`;
}

function countersOfRows(queueId: Id, { source, from, to }: StatementEvent, now: Date): Sql {
  const before = from ?? nothing;
  const moved = (status: string) => sql`(count(*) filter (where ${to} = ${raw(status)})
    - count(*) filter (where ${before} = ${raw(status)}))::int`;
  const counts = ["'NEW'", "'IN_PROGRESS'", "'COMPLETE'", "'FAILED'", "'DEFERRED'"].map(moved);
  return sql`
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, arrived,
      finished_complete, finished_failed, handling_ms)
    select ${queueId}, date_trunc('minute', ${now}::timestamptz), ${join(counts)}, ${from ? raw('0') : raw('count(*)')}, 0, 0, 0
    from ${source} having count(*) > 0`;
}

/** Numbers of the items that came into a batch, and of those that no longer wait. */
interface BatchCounts {
  readonly received: number;
  readonly done: number;
  readonly failed: number;
  readonly withdrawn: number;
}

const noCounts: BatchCounts = { received: 0, done: 0, failed: 0, withdrawn: 0 };

/** The changes in the counts of batches through changes of items. Claims and deferrals change none. */
function batchCountersOf(changes: readonly Counted[]): Map<Id, BatchCounts> {
  const counters = new Map<Id, BatchCounts>();
  for (const { before, after } of changes) {
    const batchId = before?.batchId;
    const places = [placeOf(before?.status), after ? placeOf(after.status) : placeOfGone(before?.status)];
    const [from, to] = places;
    if (batchId === undefined || from === to) continue;
    const counts = { ...(counters.get(batchId) ?? noCounts) };
    if (from) counts[from] -= 1;
    if (to) counts[to] += 1;
    counters.set(batchId, counts);
  }
  return counters;
}

function placeOf(status: Status | undefined): 'done' | 'failed' | undefined {
  return status === 'COMPLETE' ? 'done' : status === 'FAILED' ? 'failed' : undefined;
}

/** A finished item stays counted as done, even when it is deleted. */
function placeOfGone(status: Status | undefined): 'done' | 'withdrawn' {
  return status === 'COMPLETE' ? 'done' : 'withdrawn';
}

/** The change of a batch's counts, and of its sums where these are wanted. */
interface BatchDifference extends Partial<BatchCounts> {
  readonly batchId: Id;
  /** By attribute, as JSON. */
  readonly sums?: string | undefined;
}

/** Appends changes to the counts of batches instead of updating their rows, which would be waited for. */
export async function insertBatchCounters(
  db: Db,
  queueId: Id,
  differences: readonly BatchDifference[],
): Promise<void> {
  for (const { batchId, sums, ...counts } of differences) {
    const { received, done, failed, withdrawn } = { ...noCounts, ...counts };
    await db.write(sql`
      insert into batch_tallies (queue_id, batch_id, received, done, failed, withdrawn, sums)
      values (${queueId}, ${batchId}, ${received}, ${done}, ${failed}, ${withdrawn}, ${sums ?? null})`);
  }
}

/**
 * The sums of attributes for the counters of a batch, as JSON by name, over the rows of a query with the columns `key` and `value`.
 * Encrypted values do not count.
 */
export const sumsOf = (values: Sql) => sql`(
  select json_object_agg(key, total) from (
    select v.key, trim_scale(sum(v.value::numeric)) as total from (${values}) v 
    where v.value is not null and v.value not like '{%' group by v.key) totals)`;

/**
 * Ends the cycles of queues without waiting items, by their counters. The cycles are locked before the counters are read: of several calls
 * that take the last items, the last one sees that all are gone. Claims call it where a queue may have run out of items.
 */
export async function endDrainedCycles(db: Db, queueIds: readonly Id[]): Promise<void> {
  const underway = sql`queue_id = any(${queueIds}::bigint[]) and started > 0`;
  const lock = sql`select from queue_passes where ${underway} order by queue_id for no key update`;
  const end = sql`
    update queue_passes p set started = 0
    where ${underway} and 0 = (select coalesce(sum(t.new), 0) from queue_tallies t where t.queue_id = p.queue_id)`;
  await Promise.all([db.rows(named('lockCycles', lock)), db.rows(named('endCycles', end))]);
}
