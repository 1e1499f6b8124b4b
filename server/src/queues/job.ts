import { insertEvents } from '../events/sql.ts';
import type { Job } from '../job.ts';
import { lockQueuesToResume, resumeQueueRow } from './pause.sql.ts';
import { wakeConsumers } from './pause.ts';

// Often enough that no queue waits two seconds for it.
const pauseMs = 500;
const millrace = 0;

/** Lets queues go on that were paused until a time. */
export const resumeQueues: Job = {
  name: 'resumeQueues',
  run: async (context) => {
    const { db, now } = context;
    const event = { operation: 'resumeQueues', actorId: millrace, reason: 'the pause is over' };
    for (const id of await lockQueuesToResume(db, now)) {
      await resumeQueueRow(db, id, { actorId: millrace, now });
      await insertEvents(db, id, [event], now);
      await wakeConsumers(context, id);
    }
    return pauseMs;
  },
};
