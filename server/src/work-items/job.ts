import type { Id } from '@millrace/api';
import type { Job } from '../job.ts';
import { saveChanges, type Change } from './changes.ts';
import { moved, type Item } from './rules.ts';
import { lockDueItems, lockExpiredItems, lockLapsedItems, saveItems, selectQueuesWith } from './sql.ts';

// Often enough that nothing waits two seconds for it; one portion is small enough to hold nobody up.
const pause = 500;
const portion = 500;
const millrace = 0;

type JobContext = Parameters<Job['run']>[0];

/** Returns the items of holders that have gone silent: their lease has run out. */
export const returnLapsedItems: Job = {
  name: 'returnLapsedItems',
  run: (context) =>
    forEachQueue(context, 'lapsed', async (queueId) => {
      const items = await lockLapsedItems(context.db, queueId, context.now, portion);
      await saveChanges(
        context,
        queueId,
        items.map((item) => lapse(item, context.now)),
      );
      return items.length;
    }),
};

function lapse(before: Item, now: Date): Change {
  const until = before.leaseExpiresOn?.toISOString();
  const after = { ...moved(before, 'lapse', now), startedOn: undefined };
  return {
    before,
    after,
    operation: 'returnLapsedItems',
    actorId: millrace,
    reason: `no sign of life until ${until}`,
  };
}

/** Lets items go on whose deferral or retry delay is over. */
export const promoteDueItems: Job = {
  name: 'promoteDueItems',
  run: (context) =>
    forEachQueue(context, 'due', async (queueId) => {
      const items = await lockDueItems(context.db, queueId, context.now, portion);
      await saveChanges(
        context,
        queueId,
        items.filter(({ status }) => status === 'DEFERRED').map((item) => due(item, context.now)),
      );
      await release(
        context,
        queueId,
        items.filter(({ status }) => status === 'NEW'),
      );
      return items.length;
    }),
};

function due(before: Item, now: Date): Change {
  return { before, after: moved(before, 'due', now), operation: 'promoteDueItems', actorId: millrace };
}

/** An item that waits for its retry is NEW all along: it becomes claimable, which is no change of its life. */
async function release({ db, now, woken }: JobContext, queueId: Id, items: readonly Item[]): Promise<void> {
  await saveItems(
    db,
    queueId,
    items.map((item) => ({ ...item, notBefore: undefined, updatedBy: millrace })),
    now,
  );
  if (items.length > 0) woken.set(queueId, (woken.get(queueId) ?? 0) + items.length);
}

/** Fails items that nobody took before the expiry of their queue. */
export const expireItems: Job = {
  name: 'expireItems',
  run: (context) =>
    forEachQueue(context, 'expired', async (queueId) => {
      const items = await lockExpiredItems(context.db, queueId, context.now, portion);
      await saveChanges(
        context,
        queueId,
        items.map((item) => expire(item, context.now)),
      );
      return items.length;
    }),
};

function expire(before: Item, now: Date): Change {
  const error = `expired on ${before.expiresOn?.toISOString()}`;
  const after = {
    ...moved(before, 'expire', now),
    result: 'FAILURE',
    failureKind: 'EXPIRED',
    error,
  } as const;
  return { before, after, operation: 'expireItems', actorId: millrace, reason: error };
}

/** Works on one portion of each queue; comes again at once where a portion was full. */
async function forEachQueue(
  { db, now }: JobContext,
  what: 'lapsed' | 'due' | 'expired',
  work: (queueId: Id) => Promise<number>,
): Promise<number> {
  let isMore = false;
  for (const queueId of await selectQueuesWith(db, what, now)) {
    const isFull = (await work(queueId)) === portion;
    isMore ||= isFull;
  }
  return isMore ? 0 : pause;
}
