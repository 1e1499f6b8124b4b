import type { Id, Schemas } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import type { QueueContext, QueueOperation } from '../../engine/operation.ts';
import { portionBytes } from '../../engine/portions.ts';
import { maskedChanges } from '../../records/sensitive.rules.ts';
import { unknownItem } from '../item/rules.ts';
import { withNamesOf } from './names.ts';

type Event = Schemas['WorkItemEvent'];
type Attempt = Schemas['Attempt'];
type Outcome = NonNullable<Attempt['outcome']>;

// More than people look at; the timeline has all of them.
const shownAttempts = 100;
const shownReports = 20;
const usualEvents = 1000;

export const listWorkItemEvents: QueueOperation<'listWorkItemEvents'> = async (
  { db, queue },
  { path, query: { after = 0, limit = usualEvents } },
) => {
  const history = await readQueueHistory(db, queue.id, path.workItemId);
  const [{ list, isMore }, attempts] = await Promise.all([
    readTimeline(db, history, path.workItemId, { after, limit }),
    readNamedAttempts(db, history, path.workItemId),
  ]);
  if (list.length === 0 && after === 0) throw unknownItem(queue, path.workItemId);
  return { list: list.map(withMasks(queue)), attempts, isMore };
};

/**
 * Events with masks for sensitive values in their changes: items move only between queues of one model, so that one set of names serves.
 */
const withMasks =
  ({ attributes }: Pick<QueueContext['queue'], 'attributes'>) =>
  (event: Event): Event =>
    event.changes ? { ...event, changes: maskedChanges(attributes, event.changes) } : event;

/** The queue history of an item: the parts of its timeline by queue. The event of an arrival names the queue from which it came. */
export async function readQueueHistory(db: Db, queueId: Id, itemId: Id): Promise<HistoryPart[]> {
  const parts = new Map<Id, HistoryPart>([[queueId, { queueId }]]);
  const rest = [...parts.values()];
  for (let part = rest.pop(); part; part = rest.pop()) {
    for (const found of await selectFormerQueues(db, part, itemId)) {
      const known = parts.get(found.queueId);
      if (known && (known.before === undefined || known.before >= found.before)) continue;
      parts.set(found.queueId, found);
      rest.push(found);
    }
  }
  return [...parts.values()];
}

/** The newest attempts at an item, oldest first, with names beside ids. */
export async function readNamedAttempts(
  db: Db,
  history: readonly HistoryPart[],
  itemId: Id,
): Promise<Attempt[]> {
  return withNamesOf(db, await readAttempts(db, history, itemId));
}

/** The newest attempts at an item, oldest first. */
export async function readAttempts(db: Db, history: readonly HistoryPart[], itemId: Id): Promise<Attempt[]> {
  const [events, starts] = await Promise.all([
    readParts(history, (part) => selectProgressEvents(db, part, itemId, 2 * shownAttempts)),
    readParts(history, async (part) => [await countStarts(db, part, itemId)]),
  ]);
  const attempts = attemptsOf(events.toSorted(byId).slice(-2 * shownAttempts));
  const earlier = starts.reduce((sum, count) => sum + count, 0) - attempts.length;
  return attempts.map((attempt) => ({ ...attempt, number: attempt.number + earlier }));
}

/** The evidence of an item that is IN_DOUBT, with the newest late reports. */
export async function readUnresolvedOutcome(
  { db, queue }: Pick<QueueContext, 'db' | 'queue'>,
  history: readonly HistoryPart[],
  item: Schemas['WorkItem'],
): Promise<Schemas['Doubt'] | undefined> {
  const { id = 0, failureKind } = item;
  if (failureKind !== 'IN_DOUBT') return undefined;
  const events = await readParts(history, (part) => selectUnresolvedEvents(db, part, id, shownReports));
  const outcome = unresolvedOutcomeOf(item, events.toSorted(byId));
  return (
    outcome && { ...outcome, lateReports: outcome.lateReports.slice(-shownReports).map(withMasks(queue)) }
  );
}

/** A page of a timeline, oldest first. */
interface TimelinePage {
  readonly list: readonly Event[];
  readonly isMore: boolean;
}

/**
 * The events of an item after one of them, up to `limit` and as many as fit into one answer, but at least one. The timeline of a moved item
 * is spread over all queues where it was.
 */
async function readTimeline(
  db: Db,
  history: readonly HistoryPart[],
  itemId: Id,
  { after, limit }: { after: Id; limit: number },
): Promise<TimelinePage> {
  const sizes = await readParts(history, (part) =>
    selectEventSizes(db, part, itemId, { after, limit: limit + 1 }),
  );
  const ids: Id[] = [];
  let left = portionBytes;
  for (const { id, bytes } of sizes.toSorted(byId)) {
    if (left <= 0 || ids.length === limit) break;
    ids.push(id);
    left -= bytes;
  }
  const list = await readParts(history, (part) => selectEvents(db, part, itemId, ids));
  return { list: list.toSorted(byId), isMore: ids.length < sizes.length };
}

/** Reads each part by itself, since a statement names one queue. */
async function readParts<T>(
  history: readonly HistoryPart[],
  read: (part: HistoryPart) => Promise<T[]>,
): Promise<T[]> {
  const found: T[] = [];
  for (const part of history) found.push(...(await read(part)));
  return found;
}

function byId(one: { id: Id }, other: { id: Id }): number {
  return one.id < other.id ? -1 : 1;
}

/** The outcome of an attempt, by the transition that ended it. */
const outcomes: Readonly<Record<string, Outcome>> = {
  fail: 'FAILED',
  retry: 'RETRIED',
  park: 'DEFERRED',
  giveBack: 'GIVEN_BACK',
  lapse: 'LAPSED',
  exhaust: 'LAPSED',
  takeBack: 'TAKEN_BACK',
  stop: 'CANCELLED',
  doubt: 'IN_DOUBT',
};

/** The attempts shown by the events of a timeline, oldest first. */
export function attemptsOf(events: readonly Event[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    if (event.from !== 'IN_PROGRESS' && event.to === 'IN_PROGRESS') {
      const { deviceId, actorId, on: startedOn } = event;
      attempts.push({ number: attempts.length + 1, ...(deviceId && { deviceId }), actorId, startedOn });
    }
    const last = attempts.at(-1);
    if (last && event.from === 'IN_PROGRESS' && event.to !== 'IN_PROGRESS') Object.assign(last, endBy(event));
  }
  return attempts;
}

function endBy({ on, to, reason, changes }: Event): Partial<Attempt> {
  const outcome = to === 'COMPLETE' ? 'COMPLETE' : outcomes[String(changes?.['transition'])];
  return { endedOn: on, ...(outcome && { outcome }), ...(reason !== undefined && { error: reason }) };
}

/** The evidence of an item that is IN_DOUBT. */
export function unresolvedOutcomeOf(
  item: Schemas['WorkItem'],
  events: readonly Event[],
): Schemas['Doubt'] | undefined {
  const { failureKind, pointOfNoReturnOn, deviceId } = item;
  const cause = events.findLast(({ changes }) => changes?.['transition'] === 'doubt');
  if (failureKind !== 'IN_DOUBT' || pointOfNoReturnOn === undefined || !cause) return undefined;
  const leaseExpiredOn = cause.changes?.['leaseExpiresOn'] as string | undefined;
  return {
    since: cause.on,
    pointOfNoReturnOn,
    ...(deviceId !== undefined && { deviceId }),
    ...(leaseExpiredOn !== undefined && { leaseExpiredOn }),
    ...(cause.reason !== undefined && { reason: cause.reason }),
    lateReports: events.filter(({ operation }) => operation === 'lateReport'),
  };
}

/** The part of an item's timeline in one queue: its events there, before one of them if given. */
interface HistoryPart {
  readonly queueId: Id;
  readonly before?: Id | undefined;
}

const columns =
  raw(`e.id, e.operation, e.actor_id as "actorId", u.username as "actorName", e.device_id as "deviceId",
  e.from_status as "from", e.to_status as "to", e.reason, e.changes, e.batch_id as "batchId", e.at as "on"`);

function isIn({ queueId, before }: HistoryPart, itemId: Id): Sql {
  return sql`e.queue_id = ${queueId} and e.item_id = ${itemId} and (${before}::bigint is null or e.id < ${before}::bigint)`;
}

/** The queues from which an item came into a queue, each with the event of its last arrival. */
function selectFormerQueues(db: Db, part: HistoryPart, itemId: Id): Promise<{ queueId: Id; before: Id }[]> {
  return db.rows(sql`
    select (e.changes ->> 'movedFrom')::bigint as "queueId", max(e.id) as before
    from events e where ${isIn(part, itemId)} and e.operation = 'updateWorkItemStatus' and e.changes ->> 'movedFrom' is not null
    group by 1`);
}

/** The ids of an item's events after one of them, oldest first, with the approximate bytes of each. */
function selectEventSizes(
  db: Db,
  part: HistoryPart,
  itemId: Id,
  { after, limit }: { after: Id; limit: number },
): Promise<{ id: Id; bytes: number }[]> {
  return db.rows(sql`
    select e.id, coalesce(octet_length(e.changes::text), 0) + coalesce(octet_length(e.reason), 0) as bytes
    from events e where ${isIn(part, itemId)} and e.id > ${after} order by e.id limit ${limit}`);
}

function selectEvents(db: Db, part: HistoryPart, itemId: Id, ids: readonly Id[]): Promise<Event[]> {
  return db.rows(sql`
    select ${columns} from events e left join users u on u.id = e.actor_id
    where ${isIn(part, itemId)} and e.id = any(${ids}::bigint[]) order by e.id`);
}

/** The newest events at which the processing of an item began or ended, newest first; of their changes only the transition. */
function selectProgressEvents(db: Db, part: HistoryPart, itemId: Id, limit: number): Promise<Event[]> {
  return db.rows(sql`
    select e.id, e.operation, e.actor_id as "actorId", e.device_id as "deviceId", e.from_status as "from",
      e.to_status as "to", e.reason, e.at as "on",
      case when e.from_status = 'IN_PROGRESS' then json_build_object('transition', e.changes ->> 'transition') end as changes
    from events e where ${isIn(part, itemId)} and ${isProgressEvent} order by e.id desc limit ${limit}`);
}

const isProgressEvent = sql`'IN_PROGRESS' in (e.from_status, e.to_status) and e.from_status is distinct from e.to_status`;

/** Number of times that work on the item began. */
async function countStarts(db: Db, part: HistoryPart, itemId: Id): Promise<number> {
  const row = await db.row<{ count: number }>(sql`
    select count(*)::int as count from events e where ${isIn(part, itemId)} and ${isProgressEvent} and e.to_status = 'IN_PROGRESS'`);
  return row?.count ?? 0;
}

/** The newest events that made an item IN_DOUBT, and its newest late reports, newest first. */
function selectUnresolvedEvents(db: Db, part: HistoryPart, itemId: Id, limit: number): Promise<Event[]> {
  const kinds = [sql`e.changes ->> 'transition' = 'doubt'`, sql`e.operation = 'lateReport'`];
  const parts = kinds.map(
    (kind) => sql`
    (select ${columns} from events e left join users u on u.id = e.actor_id
     where ${isIn(part, itemId)} and ${kind} order by e.id desc limit ${limit})`,
  );
  return db.rows(join(parts, ' union all '));
}
