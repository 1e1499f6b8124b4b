import type { Id, Schemas } from '@millrace/api';
import { empty, named, raw, sql, type Reader, type Sql } from '../db.ts';
import { devicesOf } from '../devices/visible.sql.ts';
import { poolsOfUser } from '../pools/visible.sql.ts';
import { queuesOf } from '../queues/visible.sql.ts';

/** Whose view of the feed it is, and what of it is asked for. */
export interface View {
  readonly tenantId: Id;
  readonly userId: Id;
  /** All queues of the tenant are visible, instead of those that the user belongs to. */
  readonly seesAllQueues: boolean;
  /** A regular expression of the operations that are visible where no queue says by whom. */
  readonly visibleOperations: string;
  readonly filter: Filter;
}

export interface Filter {
  readonly queueId?: Id | undefined;
  /** Goes with queueId. */
  readonly itemId?: Id | undefined;
  readonly operations?: readonly string[] | undefined;
  readonly actorId?: Id | undefined;
  readonly deviceId?: Id | undefined;
}

/** A place in the feed: behind this event of this transaction. */
export interface Place {
  readonly tx: string;
  readonly id: Id;
}

/** What reading a part of the feed found. */
export interface Found {
  readonly list: readonly Schemas['Event'][];
  /** How many events matched, up to one more than was asked for; those that are not in the list did not fit. */
  readonly matched: number;
  /** The last event that was looked at, when there were more to look at. */
  readonly scannedTo?: string;
  /** The oldest transaction under way: nothing can appear before it any more. */
  readonly horizon: string;
  /** Whether events are on record already that have to wait for the horizon. */
  readonly isBehind: boolean;
}

// A narrow filter must not make one statement read the whole feed.
const scanLimit = 10_000;
// What changed may be as large as an item. Beyond so much an answer is cut, though never to nothing.
const maxBytes = 4 * 1024 * 1024;
const horizon = raw('pg_snapshot_xmin(pg_current_snapshot())');

/** Events after a place, oldest first. */
export function selectFeedAfter(db: Reader, view: View, { tx, id }: Place, limit: number): Promise<Found> {
  const after = sql`(e.tx, e.id) > (${tx}::xid8, ${id}::bigint)`;
  return selectFound(db, view, { name: `After${ofItem(view)}`, after, order: empty, limit });
}

/** The newest events, oldest first. */
export function selectFeedEnd(db: Reader, view: View, limit: number): Promise<Found> {
  return selectFound(db, view, { name: `End${ofItem(view)}`, after: raw('true'), order: raw('desc'), limit });
}

function ofItem({ filter }: View): string {
  return filter.itemId === undefined ? '' : 'OfItem';
}

interface Reading {
  readonly name: string;
  readonly after: Sql;
  readonly order: Sql;
  readonly limit: number;
}

async function selectFound(db: Reader, view: View, reading: Reading): Promise<Found> {
  const { name, order, limit } = reading;
  const statement = sql`
    with matching as (
      select s.* from (${scanned(view, reading)}) s where ${isVisible(view)} and ${matches(view.filter)}
      order by s.tx ${order}, s.id ${order} limit ${limit + 1}),
    sized as (
      select m.*, row_number() over feed as place,
        sum(octet_length(m.changes::text)) over (feed rows between unbounded preceding and 1 preceding) as bytes_before
      from matching m window feed as (order by m.tx ${order}, m.id ${order})),
    found as (
      select json_strip_nulls(json_build_object(
        'horizon', ${horizon}::text,
        'matched', (select count(*) from matching),
        'scannedTo', case when (select count(*) from matching) <= ${limit} then
          (select ${cursorOf(raw('s'))} from (${scanned(view, reading)}) s offset ${scanLimit - 1}) end,
        'isBehind', exists (
          select from events e where e.tenant_id = ${view.tenantId} and e.tx >= ${horizon}))) as found)
    select f.found, ${eventColumns} from found f
      left join sized e on e.place <= ${limit} and coalesce(e.bytes_before, 0) < ${maxBytes}
      left join users u on u.id = e.actor_id
      left join queues q on q.id = e.queue_id
    order by e.tx, e.id`;
  return foundIn(await db.rows<Row>(named(`selectFeed${name}`, statement)));
}

/** The part of the feed that is looked at: a bounded one, in order, complete for good. */
function scanned({ tenantId, filter }: View, { after, order }: Reading): Sql {
  const source = filter.itemId === undefined ? raw('events') : eventsOfItem(filter);
  return sql`
    select * from ${source} e where e.tenant_id = ${tenantId} and ${after} and e.tx < ${horizon}
    order by e.tx ${order}, e.id ${order} limit ${scanLimit}`;
}

/** Found by the primary key: without "offset" the planner could come to search the feed of the tenant for them. */
function eventsOfItem({ queueId, itemId }: Filter): Sql {
  return sql`(select * from events where queue_id = ${queueId} and item_id = ${itemId} offset 0)`;
}

function isVisible({ userId, seesAllQueues, visibleOperations }: View): Sql {
  return sql`(
    s.queue_id <> 0 and (${seesAllQueues}::boolean or s.queue_id in (${queuesOf(userId)}))
    or s.queue_id = 0 and (s.operation ~* ${visibleOperations} or s.device_id in (${devicesOf(userId)})
      or s.changes ->> 'poolId' in (select p.pool_id::text from (${poolsOfUser(userId)}) p)))`;
}

function matches({ queueId, operations, actorId, deviceId }: Filter): Sql {
  return sql`(${queueId}::bigint is null or s.queue_id = ${queueId}::bigint)
    and (${operations}::text[] is null or s.operation = any (${operations}::text[]))
    and (${actorId}::bigint is null or s.actor_id = ${actorId}::bigint)
    and (${deviceId}::bigint is null or s.device_id = ${deviceId}::bigint)`;
}

function cursorOf(row: Sql): Sql {
  return sql`${row}.tx::text || '-' || ${row}.id`;
}

const eventColumns = sql`${cursorOf(raw('e'))} as cursor, e.id, nullif(e.queue_id, 0) as "queueId", q.name as "queueName",
  nullif(e.item_id, 0) as "itemId", e.operation, e.actor_id as "actorId", u.username as "actorName",
  e.device_id as "deviceId", e.from_status as "from", e.to_status as "to", e.reason, e.changes, e.at as "on"`;

type Row = { found: Omit<Found, 'list'> } & Partial<Schemas['Event']>;

/** Each row has an event, beside what was found of the whole; the only row of an empty part has none. */
function foundIn(rows: readonly Row[]): Found {
  const [first] = rows;
  if (!first) throw new Error('the feed answers at least one row');
  const list = rows.flatMap(({ found: _, ...event }) =>
    event.id === undefined ? [] : [event as Schemas['Event']],
  );
  return { list, ...first.found };
}
