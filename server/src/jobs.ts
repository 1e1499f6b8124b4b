import { forgetRevokedSessions } from './access/auth/job.ts';
import { sealEvents, type Sealing } from './audit/sealing.ts';
import { completeBatches } from './batches/complete.ts';
import { completeBulkBatches } from './batches/complete-bulk.ts';
import { forgetIdempotencyKeys } from './engine/forget-keys.ts';
import type { Job } from './engine/job-loop.ts';
import { disconnectSilentDevices } from './fleet/devices/presence.ts';
import { cutUploads } from './intake/later.ts';
import { forgetUploadRows } from './intake/marks.ts';
import { compactCounters } from './journal/counters.ts';
import { watchQueueLevels } from './levels/forecast.ts';
import { addUpSavings } from './levels/savings.ts';
import { createLookAtOldest, rollUpHistory } from './queues/history.ts';
import { resumeQueues } from './queues/pause.ts';
import { signFailures } from './work-items/failures/sign.ts';
import { resealDeletedQueues } from './work-items/maintain/deleted-queues.ts';
import { reclaimExpiredLeases } from './work-items/maintain/leases.ts';
import { expireItems, promoteDueItems } from './work-items/maintain/maintain.ts';
import { reorderQueues } from './work-items/maintain/reorder.ts';

/** The chores of a server. Each may run on several servers at once: they skip rows on which another works. */
export const createJobs = (sealing: Sealing): readonly Job[] => [
  reclaimExpiredLeases(),
  promoteDueItems,
  expireItems,
  resumeQueues,
  disconnectSilentDevices,
  reorderQueues,
  resealDeletedQueues,
  compactCounters,
  rollUpHistory,
  createLookAtOldest(),
  watchQueueLevels,
  addUpSavings,
  completeBatches,
  completeBulkBatches(),
  signFailures(),
  cutUploads,
  forgetUploadRows,
  forgetRevokedSessions,
  forgetIdempotencyKeys,
  sealEvents(sealing),
];
