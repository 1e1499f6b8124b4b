import { toId, type Id } from '@millrace/api';
import { raw, sql, type Db } from '../engine/db.ts';
import type { Context, StreamOperation } from '../engine/operation.ts';
import { statsOfMany } from '../queues/statistics.ts';
import { selectVisible } from '../queues/visible.ts';
import { positionOf, refuseFuture, type Position } from './rules.ts';

// Messages hold no more queues than a person can look through.
const mostQueues = 1000;
const restMs = 1000;
// After more events than this, every queue may have changed: finding out which would cost more than to read the figures of all.
const scanLimit = 10_000;

/** Answers the figures of the queues with events since the cursor; of all queues, at the beginning. */
export const streamQueueStats: StreamOperation<'streamQueueStats'> = async (context, { query }) => {
  const asked = query.queueIds?.split(',').map(toId);
  const since = query.after === undefined ? undefined : positionOf(query.after);
  const { horizon, isBehind, queueIds } = await selectChanged(context, since);
  if (since) refuseFuture(since, horizon);
  const wanted = queueIds && asked ? queueIds.filter((id) => asked.includes(id)) : (queueIds ?? asked);
  const queues =
    wanted?.length === 0
      ? []
      : await selectVisible(context.db, context.actor, { queueIds: wanted, limit: mostQueues });
  const list = await statsOfMany(context, queues);
  const cursor = `${horizon}-0`;
  const message = { cursor, operation: 'streamQueueStats', list };
  return { list: list.length > 0 ? [message] : [], cursor, isMore: false, isBehind, restMs };
};

/** The changes in the feed after a position. */
interface Changed {
  /** Queues with events; undefined when it may be all. */
  readonly queueIds: readonly Id[] | undefined;
  /** The oldest transaction under way: no event can appear before it any more. */
  readonly horizon: string;
  readonly isBehind: boolean;
}

async function selectChanged({ db, actor }: Context, since: Position | undefined): Promise<Changed> {
  const { looked, queueIds, ...rest } = await selectQueueIds(db, actor.tenantId, since);
  return { ...rest, queueIds: since && looked < scanLimit ? queueIds : undefined };
}

const horizon = raw('pg_snapshot_xmin(pg_current_snapshot())');

interface Row extends Changed {
  readonly queueIds: readonly Id[];
  /** Events that were examined. */
  readonly looked: number;
}

async function selectQueueIds(db: Db, tenantId: Id, since: Position | undefined): Promise<Row> {
  const row = await db.row<Row>(sql`
    with behind as materialized (
      select e.queue_id from events e
      where e.tenant_id = ${tenantId} and (e.tx, e.id) > (${since?.tx}::xid8, ${since?.id}::bigint) and e.tx < ${horizon}
      order by e.tx, e.id limit ${scanLimit})
    select ${horizon}::text as horizon, (select count(*) from behind)::int as looked,
      array(select distinct queue_id from behind where queue_id <> 0) as "queueIds",
      exists (select from events e where e.tenant_id = ${tenantId} and e.tx >= ${horizon}) as "isBehind"`);
  if (!row) throw new Error('a statement without conditions answers one row');
  return row;
}
