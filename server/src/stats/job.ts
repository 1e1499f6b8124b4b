import type { Job } from '../job.ts';
import { foldQueueTallies, selectQueuesToFold } from './sql.ts';

/** Adds up the counts that each transaction left, so that reading them stays cheap. */
export const foldTallies: Job = {
  name: 'foldTallies',
  run: async ({ db, now }) => {
    for (const queueId of await selectQueuesToFold(db)) await foldQueueTallies(db, queueId, now);
    return 1000;
  },
};
