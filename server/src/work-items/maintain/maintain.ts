import type { Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import { millrace } from '../../journal/journal.ts';
import { moved, type Item } from '../item/rules.ts';
import { changeOf, save, type Change } from '../item/save.ts';
import { itemState, portion } from '../item/sql.ts';
import { pauseMs } from './leases.ts';

type JobContext = Parameters<Job['run']>[0];
type Handle = (context: JobContext, queueId: Id, items: readonly Item[]) => Promise<void>;

/** Lets items go on whose deferral or retry delay is over. */
export const promoteDueItems = itemJob('promoteDueItems', 'due', (context, queueId, items) =>
  save(
    context,
    queueId,
    items.map((item) => due(item, context.now)),
  ),
);

/** Fails items that nobody took before the expiry of their queue. */
export const expireItems = itemJob('expireItems', 'expired', (context, queueId, items) =>
  save(
    context,
    queueId,
    items.map((item) => expire(item, context.now)),
  ),
);

/** A job that works on one portion of each queue, and comes again at once where a portion was full. */
function itemJob(name: string, chore: Chore, handle: Handle): Job {
  const run = async (context: JobContext) => {
    const { db, now } = context;
    let isMore = false;
    for (const queueId of await selectQueuesFor(db, chore, now)) {
      const items = await lockItemsFor(db, chore, queueId, now);
      await handle(context, queueId, items);
      isMore ||= items.length === portion;
    }
    return isMore ? 0 : pauseMs;
  };
  return { name, run };
}

/** An item that waits for its retry is NEW all along: it becomes claimable, which is no change in its life. */
function due(before: Item, now: Date): Change {
  if (before.status === 'NEW')
    return { before, after: { ...before, notBefore: undefined }, transition: 'due', actorId: millrace };
  const move = { transition: 'due', item: moved(before, 'due', now) } as const;
  return { ...changeOf(before, move), operation: 'promoteDueItems', actorId: millrace };
}

function expire(before: Item, now: Date): Change {
  const error = `expired on ${before.expiresOn?.toISOString()}`;
  const failure = { result: 'FAILURE', failureKind: 'EXPIRED', error } as const;
  const item = { ...moved(before, 'expire', now), ...failure };
  const move = { transition: 'expire', item, reason: error } as const;
  return { ...changeOf(before, move), operation: 'expireItems', actorId: millrace };
}

/** A chore of Millrace itself: to end deferrals and waits for a retry, or to fail expired items. */
type Chore = 'due' | 'expired';

const isTimeFor: Record<Chore, (now: Date) => Sql> = {
  due: (now) => sql`not_before <= ${now}`,
  expired: (now) => sql`expires_on <= ${now} and status in ('NEW', 'DEFERRED')`,
};

/** The queues in which a chore is due. */
async function selectQueuesFor(db: Db, chore: Chore, now: Date): Promise<Id[]> {
  const condition = isTimeFor[chore](now);
  const rows = await db.rows<{ id: Id }>(
    sql`select distinct queue_id as id from work_items where ${condition}`,
  );
  return rows.map(({ id }) => id);
}

/** A portion of the items for which a chore is due, locked; items locked by others are skipped. */
function lockItemsFor(db: Db, chore: Chore, queueId: Id, now: Date): Promise<Item[]> {
  return db.rows<Item>(sql`
    select ${itemState} from work_items where queue_id = ${queueId} and ${isTimeFor[chore](now)}
    order by id limit ${portion} for no key update skip locked`);
}
