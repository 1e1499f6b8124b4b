import type { Job } from '../../engine/job-loop.ts';
import { selectEndOfItems } from '../../journal/rewrite.ts';
import { lockBehind, saveBehind } from '../../queues/deleted.ts';
import { itemsAtOnce, resealEvents } from '../item/reseal.ts';

const pauseMs = 2000;

/** Adapts the events of deleted queues to the marks of their model, a portion at a time. */
export const resealDeletedQueues: Job = {
  name: 'rekeyDeletedQueues',
  run: async (context) => {
    const { db } = context;
    const queue = await lockBehind(context);
    if (!queue) return pauseMs;
    const { id, after = 0 } = queue;
    const upTo = await selectEndOfItems(db, id, { after, limit: itemsAtOnce });
    if (upTo !== undefined) await resealEvents(context, queue, { after, upTo });
    await saveBehind(db, id, upTo);
    return 0;
  },
};
