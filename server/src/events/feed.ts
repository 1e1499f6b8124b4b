import { heldOperation, runnerOperations, type ActorKind, type Id, type Schemas } from '@millrace/api';
import { queuesOfUser } from '../access/members/membership.ts';
import { empty, named, raw, sql, type Reader, type Sql } from '../engine/db.ts';
import type { Client } from '../engine/operation.ts';
import { devicesOf } from '../fleet/devices/find.ts';
import { poolsOfUser } from '../fleet/pools/pools.ts';
import { millrace } from '../journal/journal.ts';
import { modelsOfUser } from '../queues/of-model.ts';
import { sensitiveAttributes } from '../queues/sensitive.ts';
import { maskedChanges } from '../records/sensitive.rules.ts';
import type { Position } from './rules.ts';

/** The events of the feed that a user may see, and the filter of the request. */
export interface View {
  readonly tenantId: Id;
  readonly userId: Id;
  /** All queues of the tenant are visible, not only those of the user. */
  readonly seesAll: boolean;
  /** The address and the program of users are visible. */
  readonly seesOrigin: boolean;
  /** A regular expression of the visible operations among the events without a queue. */
  readonly visibleOperations: string;
  readonly filter: Filter;
}

export interface Filter {
  readonly queueIds?: readonly Id[] | undefined;
  /** An item of the one queue that is named. */
  readonly itemId?: Id | undefined;
  readonly operations?: readonly string[] | undefined;
  readonly actorId?: Id | undefined;
  readonly actorKinds?: readonly ActorKind[] | undefined;
  readonly deviceId?: Id | undefined;
  readonly batchId?: Id | undefined;
  /** ISO times. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** A part of the feed, as read. */
export interface Found {
  readonly list: readonly Schemas['Event'][];
  /** Number of matching events, up to one more than was asked for; the list may have fewer, because of their size. */
  readonly matched: number;
  /** The last event that was examined, when there were more. */
  readonly scannedTo?: string;
  /** The oldest transaction under way: no event can appear before it any more. */
  readonly horizon: string;
  /** Whether stored events have to wait for the horizon. */
  readonly isBehind: boolean;
}

// A narrow filter must not make one statement read the whole feed.
const scanLimit = 10_000;
// The changes of an event may be as large as an item. An answer is cut at this size, though never to nothing.
const maxBytes = 4 * 1024 * 1024;
const horizon = raw('pg_snapshot_xmin(pg_current_snapshot())');

/** The part of the feed to read: between two positions, from one end on. */
export interface Stretch {
  /** Events after it; from the oldest on when left out. */
  readonly after?: Position | undefined;
  /** Events before it; up to the newest when left out. */
  readonly before?: Position | undefined;
  readonly isBackwards: boolean;
  readonly limit: number;
}

/** Events of a stretch of the feed, from one end of it on. */
export async function selectFeed(db: Reader, view: View, stretch: Stretch): Promise<Found> {
  const { isBackwards, limit } = stretch;
  const order = isBackwards ? raw('desc') : empty;
  const name = `${isBackwards ? 'Before' : 'After'}${view.filter.itemId === undefined ? '' : 'OfItem'}`;
  const statement = sql`
    with matching as (
      select s.* from (${scanned(view, stretch)}) s where ${isVisible(view)} and ${matches(view.filter)}
      order by s.tx ${order}, s.id ${order} limit ${limit + 1}),
    sized as (
      select m.*, row_number() over feed as number,
        sum(octet_length(m.changes::text)) over (feed rows between unbounded preceding and 1 preceding) as bytes_before
      from matching m window feed as (order by m.tx ${order}, m.id ${order})),
    found as (
      select json_strip_nulls(json_build_object(
        'horizon', ${horizon}::text,
        'matched', (select count(*) from matching),
        'scannedTo', case when (select count(*) from matching) <= ${limit} then
          (select ${cursorOf(raw('s'))} from (${scanned(view, stretch)}) s offset ${scanLimit - 1}) end,
        'isBehind', exists (
          select from events e where e.tenant_id = ${view.tenantId} and e.tx >= ${horizon}))) as found)
    select f.found, ${eventColumns}, ${changesSeen(view)} as changes from found f
      left join sized e on e.number <= ${limit} and coalesce(e.bytes_before, 0) < ${maxBytes}
      left join users u on u.id = e.actor_id
      left join queues q on q.id = e.queue_id
    order by e.tx ${order}, e.id ${order}`;
  return foundIn(db, await db.rows<Row>(named(`selectFeed${name}`, statement)));
}

/** The part of the feed to examine: bounded, in order, and complete, as no event can appear before the horizon. */
export function scanned(
  { tenantId, filter }: View,
  { after, before, isBackwards }: Omit<Stretch, 'limit'>,
  limit = scanLimit,
): Sql {
  const source = filter.itemId === undefined ? raw('events') : eventsOfItem(filter);
  const order = isBackwards ? raw('desc') : empty;
  return sql`
    select * from ${source} e
    where e.tenant_id = ${tenantId} and (e.tx, e.id) > (${after?.tx ?? '0'}::xid8, ${after?.id ?? 0}::bigint)
      and (e.tx, e.id) < ${end(before)}
    order by e.tx ${order}, e.id ${order} limit ${limit}`;
}

/** One bound instead of two: with two, a walk through the index might begin at the farther one. */
function end(before: Position | undefined): Sql {
  return sql`(least(${before?.tx}::xid8, ${horizon}),
    case when ${before?.tx}::xid8 < ${horizon} then ${before?.id}::bigint else 0 end)`;
}

/** Found by the primary key: without "offset" the planner might search the feed of the whole tenant. */
function eventsOfItem({ queueIds: [queueId] = [], itemId }: Filter): Sql {
  return sql`(select * from events where queue_id = ${queueId} and item_id = ${itemId} offset 0)`;
}

/** Whether a row `s` of the feed is for the user. */
export function isVisible({ userId, seesAll, visibleOperations }: View): Sql {
  return sql`(
    s.queue_id <> 0 and (${seesAll}::boolean or s.queue_id in (${queuesOfUser(userId)}))
    or s.queue_id = 0 and (s.operation ~* ${visibleOperations} or s.device_id in (${devicesOf(userId)})
      or s.changes ->> 'workItemModelId' in (select m.model_id::text from (${modelsOfUser(userId)}) m)
      or s.changes ->> 'poolId' in (select p.pool_id::text from (${poolsOfUser(userId)}) p)))`;
}

/** Whether a row `s` of the feed was asked for. */
export function matches({
  queueIds,
  operations,
  actorId,
  actorKinds,
  deviceId,
  batchId,
  from,
  until,
}: Filter): Sql {
  return sql`(${queueIds}::bigint[] is null or s.queue_id = any (${queueIds}::bigint[]))
    and (${operations}::text[] is null or s.operation = any (${operations}::text[]))
    and (${actorId}::bigint is null or s.actor_id = ${actorId}::bigint)
    and (${actorKinds}::text[] is null or ${actorKind} = any (${actorKinds}::text[]))
    and (${deviceId}::bigint is null or s.device_id = ${deviceId}::bigint)
    and (${batchId}::bigint is null or s.batch_id = ${batchId}::bigint)
    and (${from}::timestamptz is null or s.at >= ${from}::timestamptz)
    and (${until}::timestamptz is null or s.at < ${until}::timestamptz)`;
}

/** `actorKindOf` of the API, as SQL. */
const actorKind = sql`case when s.actor_id = ${millrace} then 'MILLRACE'
  when s.operation = any (${[...runnerOperations]}::text[])
    or s.operation = ${heldOperation} and 'IN_PROGRESS' in (s.from_status, s.to_status) then 'RUNNER'
  else 'USER' end`;

function cursorOf(row: Sql): Sql {
  return sql`${row}.tx::text || '-' || ${row}.id`;
}

const eventColumns = sql`${cursorOf(raw('e'))} as cursor, e.id, nullif(e.queue_id, 0) as "queueId", q.name as "queueName",
  nullif(e.item_id, 0) as "itemId", e.operation, e.actor_id as "actorId", u.username as "actorName",
  e.device_id as "deviceId", e.from_status as "from", e.to_status as "to", e.reason, e.batch_id as "batchId", e.at as "on"`;

/** The origin is removed only from changes without an item: changes of items may be large, and have members of any name. */
function changesSeen({ seesOrigin }: View): Sql {
  return sql`case when ${seesOrigin}::boolean or e.item_id <> 0 then e.changes
    else (e.changes::jsonb - ${[...originMembers]}::text[])::json end`;
}

type Row = { found: Omit<Found, 'list'> } & Partial<Schemas['Event']>;

/** Each row has an event beside the facts about the whole part; an empty part has a single row without an event. */
async function foundIn(db: Reader, rows: readonly Row[]): Promise<Found> {
  const [first] = rows;
  if (!first) throw new Error('the feed answers at least one row');
  const list = rows.flatMap(({ found: _, ...event }) =>
    event.id === undefined ? [] : [event as Schemas['Event']],
  );
  return { list: await withMasks(db, list), ...first.found };
}

/** The events with masks in place of sensitive values of items. */
async function withMasks(db: Reader, events: readonly Schemas['Event'][]): Promise<Schemas['Event'][]> {
  const isOfItem = ({ itemId, changes }: Schemas['Event']) => itemId !== undefined && changes !== undefined;
  const queueIds = events.filter(isOfItem).flatMap(({ queueId }) => queueId ?? []);
  const attributes = await sensitiveAttributes(db, [...new Set(queueIds)]);
  return events.map((event) => {
    const { queueId = 0, changes } = event;
    if (!changes || !isOfItem(event)) return event;
    return { ...event, changes: maskedChanges(attributes.get(queueId) ?? [], changes) };
  });
}

/**
 * The members of changes with the address and the program of a user, for users who see all events: managers of queues or pools see users,
 * but need not know where they live and work.
 */
const originMembers: readonly (keyof Client)[] = ['address', 'userAgent'];
