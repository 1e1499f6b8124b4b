import { insertEvents } from '../events/sql.ts';
import type { Job } from '../job.ts';
import { lastItem, rekeyItems } from '../work-items/rekey.ts';
import { endRekeying, lockQueuesToRekey, markWriters, saveRekeyed, type Rekeying } from './rekey.sql.ts';
import { selectQueueDefinition } from './sql.ts';

type JobContext = Parameters<Job['run']>[0];

const pauseMs = 500;
const shortPauseMs = 20;
const millrace = 0;

/**
 * Brings the items of queues whose order or expiry has changed to the present one, a portion at a time while claims go on. All it
 * knows is in the database, so any server can go on where another has stopped.
 */
export const rekeyQueues: Job = {
  name: 'rekeyQueues',
  run: async (context) => {
    const queues = await lockQueuesToRekey(context.db);
    for (const { id } of queues.filter(({ isMarked }) => !isMarked)) await markWriters(context.db, id);
    const next = queues.find(({ isClear }) => isClear);
    if (next) await rekeyPortion(context, next);
    // While transactions are waited for there is nothing to do, but not for long.
    return next ? 0 : queues.length > 0 ? shortPauseMs : pauseMs;
  },
};

async function rekeyPortion(
  context: JobContext,
  { id, after, until, renewsExpiry }: Rekeying,
): Promise<void> {
  const { db, now } = context;
  const queue = await selectQueueDefinition(db, id, 'none');
  if (!queue) return;
  // What comes from now on has its place: there is an end, however many items come meanwhile.
  const last = until ?? (await lastItem(db, id));
  const done = await rekeyItems(context, queue, { after, until: last, renewsExpiry });
  if (done !== undefined) return saveRekeyed(db, id, { after: done, until: last });
  await endRekeying(db, id);
  await insertEvents(db, id, [{ operation: 'rekeyQueues', actorId: millrace }], now);
}
