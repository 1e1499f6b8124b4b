import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import { endPasses } from './sql.ts';

/** To be called when waiting items of a queue have gone in other ways than to devices, and the tally says so. */
export function endPassIfDrained(db: Db, queueId: Id): Promise<void> {
  return endPasses(db, [queueId]);
}
