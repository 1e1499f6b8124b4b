import type { Id } from '@millrace/api';
import type { Job } from '../job.ts';
import { saveChanges, type Change } from './changes.ts';
import { decideReturn } from './end.rules.ts';
import { moved, type Item } from './rules.ts';
import { lockItemsFor, portion, saveItems, selectQueuesFor, type Chore } from './sql.ts';

// Often enough that nothing waits two seconds for it.
const pauseMs = 500;
const millrace = 0;

type JobContext = Parameters<Job['run']>[0];
type Settle = (context: JobContext, queueId: Id, items: readonly Item[]) => Promise<void>;

/** Returns the items of holders that have gone silent: their lease has run out. */
export const returnLapsedItems = itemJob('returnLapsedItems', 'lapsed', (context, queueId, items) =>
  saveChanges(
    context,
    queueId,
    items.map((item) => lapse(item, context.now)),
  ),
);

/** Lets items go on whose deferral or retry delay is over. */
export const promoteDueItems = itemJob('promoteDueItems', 'due', async (context, queueId, items) => {
  const deferred = items.filter(({ status }) => status === 'DEFERRED');
  await saveChanges(
    context,
    queueId,
    deferred.map((item) => due(item, context.now)),
  );
  await release(
    context,
    queueId,
    items.filter(({ status }) => status === 'NEW'),
  );
});

/** Fails items that nobody took before the expiry of their queue. */
export const expireItems = itemJob('expireItems', 'expired', (context, queueId, items) =>
  saveChanges(
    context,
    queueId,
    items.map((item) => expire(item, context.now)),
  ),
);

/** A job that works on one portion of each queue, and comes again at once where a portion was full. */
function itemJob(name: string, chore: Chore, settle: Settle): Job {
  const run = async (context: JobContext) => {
    const { db, now } = context;
    let isMore = false;
    for (const queueId of await selectQueuesFor(db, chore, now)) {
      const items = await lockItemsFor(db, chore, queueId, now);
      await settle(context, queueId, items);
      isMore ||= items.length === portion;
    }
    return isMore ? 0 : pauseMs;
  };
  return { name, run };
}

function lapse(before: Item, now: Date): Change {
  const { leaseExpiresOn } = before;
  const reason = `no sign of life until ${leaseExpiresOn?.toISOString()}`;
  const move = decideReturn(before, { transition: 'lapse', reason }, now);
  return { before, move, operation: 'returnLapsedItems', actorId: millrace, changes: { leaseExpiresOn } };
}

function due(before: Item, now: Date): Change {
  const move = { transition: 'due', item: moved(before, 'due', now) } as const;
  return { before, move, operation: 'promoteDueItems', actorId: millrace };
}

function expire(before: Item, now: Date): Change {
  const error = `expired on ${before.expiresOn?.toISOString()}`;
  const failure = { result: 'FAILURE', failureKind: 'EXPIRED', error } as const;
  const item = { ...moved(before, 'expire', now), ...failure };
  const move = { transition: 'expire', item, reason: error } as const;
  return { before, move, operation: 'expireItems', actorId: millrace };
}

/** An item that waits for its retry is NEW all along: it becomes claimable, which is no change of its life. */
async function release({ db, now, woken }: JobContext, queueId: Id, items: readonly Item[]): Promise<void> {
  const claimable = items.map((item) => ({ ...item, notBefore: undefined, updatedBy: millrace }));
  await saveItems(db, queueId, claimable, now);
  if (items.length > 0) woken.set(queueId, (woken.get(queueId) ?? 0) + items.length);
}
