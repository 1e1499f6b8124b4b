import type { Status } from '@millrace/api';
import type { Item } from './rules.ts';

/** How the counts of a queue change, and what was finished. */
export interface Tally {
  readonly counts: Readonly<Record<Status, number>>;
  readonly finishedComplete: number;
  readonly finishedFailed: number;
  readonly handlingMilliseconds: number;
}

/** Adds up changes of status; an item before it exists, and after it is deleted, is undefined. */
export function tallyOf(changes: readonly { before?: Item | undefined; after?: Item | undefined }[]): Tally {
  const counts = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
  const finished = { COMPLETE: 0, FAILED: 0 };
  let handlingMilliseconds = 0;
  for (const { before, after } of changes) {
    if (before) counts[before.status] -= 1;
    if (after) counts[after.status] += 1;
    if (before?.status !== 'IN_PROGRESS' || !after?.endedOn || !before.startedOn) continue;
    finished[after.status === 'COMPLETE' ? 'COMPLETE' : 'FAILED'] += 1;
    handlingMilliseconds += after.endedOn.getTime() - before.startedOn.getTime();
  }
  return {
    counts,
    finishedComplete: finished.COMPLETE,
    finishedFailed: finished.FAILED,
    handlingMilliseconds,
  };
}
