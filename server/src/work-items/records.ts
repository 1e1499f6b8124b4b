import type { Id, Status } from '@millrace/api';
import type { Db } from '../db.ts';
import type { JsonRecord } from '../models/record.ts';
import { selectRecords } from './sql.ts';

const recordsAtOnce = 2000;

/** The data of all items of a queue, oldest first, without holding more than some of them. */
export async function* readRecords(
  db: Db,
  queueId: Id,
): AsyncGenerator<{ id: Id; status: Status; json: JsonRecord }> {
  let after: Id = 0;
  for (;;) {
    const records = await selectRecords(db, queueId, after, recordsAtOnce);
    yield* records;
    const last = records.at(-1);
    if (!last || records.length < recordsAtOnce) return;
    after = last.id;
  }
}
