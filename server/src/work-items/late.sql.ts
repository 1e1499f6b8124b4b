import type { Id } from '@millrace/api';
import { named, sql, type Db } from '../db.ts';

/** A report that did not come from the holder of the item, which has its turn among others. */
export interface Lateness {
  readonly itemId: Id;
  readonly actorId: Id;
  readonly version: number;
  readonly status: string;
}

/** What the timeline knows of a late report. */
export interface Known {
  /** Whether the reporter was granted the item once. */
  readonly held: boolean;
  /** Whether the same is on record already. */
  readonly told: boolean;
}

/** What the timelines of items know of late reports, in their order. Each is looked up by itself (`offset 0`). */
export function selectKnown(db: Db, queueId: Id, late: readonly Lateness[]): Promise<Known[]> {
  const statement = sql`
    select
      exists (select from events e where e.queue_id = ${queueId} and e.item_id = l.item_id and e.actor_id = l.actor_id
        and e.to_status = 'IN_PROGRESS' and e.from_status <> 'IN_PROGRESS' offset 0) as held,
      exists (select from events e where e.queue_id = ${queueId} and e.item_id = l.item_id and e.actor_id = l.actor_id
        and e.operation = 'lateReport' and e.changes ->> 'version' = l.version::text
        and e.changes ->> 'status' = l.status offset 0) as told
    from unnest(${late.map(({ itemId }) => itemId)}::bigint[], ${late.map(({ actorId }) => actorId)}::bigint[],
      ${late.map(({ version }) => version)}::int[], ${late.map(({ status }) => status)}::text[])
      with ordinality as l (item_id, actor_id, version, status, turn)
    order by l.turn`;
  return db.rows<Known>(named('selectKnown', statement));
}
