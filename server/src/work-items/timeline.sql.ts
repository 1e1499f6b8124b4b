import type { Id, Schemas } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../db.ts';

type Event = Schemas['WorkItemEvent'];

/** Which part of the timeline of an item lies in a queue: what happened there before an event. */
export interface Stay {
  readonly queueId: Id;
  readonly before?: Id | undefined;
}

const columns =
  raw(`e.id, e.operation, e.actor_id as "actorId", u.username as "actorName", e.device_id as "deviceId",
  e.from_status as "from", e.to_status as "to", e.reason, e.changes, e.at as "on"`);

function isIn({ queueId, before }: Stay, itemId: Id): Sql {
  return sql`e.queue_id = ${queueId} and e.item_id = ${itemId} and (${before}::bigint is null or e.id < ${before}::bigint)`;
}

/** The queues that an item came from into a queue, and the event of its last arrival from there. */
export function selectStays(db: Db, stay: Stay, itemId: Id): Promise<{ queueId: Id; before: Id }[]> {
  return db.rows(sql`
    select (e.changes ->> 'movedFrom')::bigint as "queueId", max(e.id) as before
    from events e where ${isIn(stay, itemId)} and e.operation = 'updateWorkItemStatus' and e.changes ->> 'movedFrom' is not null
    group by 1`);
}

/** The ids of what happened to an item after an event, oldest first, and about how many bytes each takes. */
export function selectEventSizes(
  db: Db,
  stay: Stay,
  itemId: Id,
  { after, limit }: { after: Id; limit: number },
): Promise<{ id: Id; bytes: number }[]> {
  return db.rows(sql`
    select e.id, coalesce(octet_length(e.changes::text), 0) + coalesce(octet_length(e.reason), 0) as bytes
    from events e where ${isIn(stay, itemId)} and e.id > ${after} order by e.id limit ${limit}`);
}

export function selectEvents(db: Db, stay: Stay, itemId: Id, ids: readonly Id[]): Promise<Event[]> {
  return db.rows(sql`
    select ${columns} from events e left join users u on u.id = e.actor_id
    where ${isIn(stay, itemId)} and e.id = any(${ids}::bigint[]) order by e.id`);
}

export function selectLastEvent(db: Db, stay: Stay, itemId: Id): Promise<Event | undefined> {
  return db.row(sql`
    select ${columns} from events e left join users u on u.id = e.actor_id where ${isIn(stay, itemId)}
    order by e.id desc limit 1`);
}

/** The newest events at which an item began or ceased to be processed, newest first, and of what else changed the transition only. */
export function selectTurns(db: Db, stay: Stay, itemId: Id, limit: number): Promise<Event[]> {
  return db.rows(sql`
    select e.id, e.operation, e.actor_id as "actorId", e.device_id as "deviceId", e.from_status as "from",
      e.to_status as "to", e.reason, e.at as "on",
      case when e.from_status = 'IN_PROGRESS' then json_build_object('transition', e.changes ->> 'transition') end as changes
    from events e where ${isIn(stay, itemId)} and ${isTurn} order by e.id desc limit ${limit}`);
}

const isTurn = sql`'IN_PROGRESS' in (e.from_status, e.to_status) and e.from_status is distinct from e.to_status`;

/** How often the item was begun. */
export async function countStarts(db: Db, stay: Stay, itemId: Id): Promise<number> {
  const row = await db.row<{ count: number }>(sql`
    select count(*)::int as count from events e where ${isIn(stay, itemId)} and ${isTurn} and e.to_status = 'IN_PROGRESS'`);
  return row?.count ?? 0;
}

/** The newest events by which an item came into doubt, and the newest reports that came too late, newest first. */
export function selectDoubts(db: Db, stay: Stay, itemId: Id, limit: number): Promise<Event[]> {
  const kinds = [sql`e.changes ->> 'transition' = 'doubt'`, sql`e.operation = 'lateReport'`];
  const parts = kinds.map(
    (kind) => sql`
    (select ${columns} from events e left join users u on u.id = e.actor_id
     where ${isIn(stay, itemId)} and ${kind} order by e.id desc limit ${limit})`,
  );
  return db.rows(join(parts, ' union all '));
}
