import type { Id } from '@millrace/api';
import type { Job } from '../job.ts';
import { readLapseLimit } from '../queues/read.ts';
import { saveChanges, type Change } from './changes.ts';
import { decideReturn, type Ending } from './end.rules.ts';
import { exhaustion, isExhausted, lapse } from './lapse.rules.ts';
import { moved, type Item } from './rules.ts';
import { lockItemsFor, portion, saveItems, selectQueuesFor, type Chore } from './sql.ts';
import { readAttempts, readStays } from './timeline.ts';

// Often enough that nothing waits two seconds for it.
const pauseMs = 500;
const millrace = 0;

type JobContext = Parameters<Job['run']>[0];
type Settle = (context: JobContext, queueId: Id, items: readonly Item[]) => Promise<void>;

/** Takes items from holders that have gone silent: their lease has run out. */
export const returnLapsedItems = itemJob('returnLapsedItems', 'lapsed', async (context, queueId, items) => {
  const lapseLimit = await readLapseLimit(context, queueId);
  const changes: Change[] = [];
  for (const before of items) {
    const isLast = isExhausted(before, lapseLimit);
    const ending = isLast ? exhaustion(before, await attemptsOf(context, queueId, before)) : lapse(before);
    changes.push(lapsed(before, ending, context.now));
  }
  await saveChanges(context, queueId, changes);
});

async function attemptsOf({ db }: JobContext, queueId: Id, { id }: Item) {
  return readAttempts(db, await readStays(db, queueId, id), id);
}

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

function lapsed(before: Item, ending: Ending, now: Date): Change {
  const { leaseExpiresOn } = before;
  const move = decideReturn(before, ending, now);
  const { failureKind, lapseCount } = move.item;
  const changes = { leaseExpiresOn, failureKind, lapseCount };
  return { before, move, operation: 'returnLapsedItems', actorId: millrace, changes };
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
