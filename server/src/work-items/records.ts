import type { Id, Status } from '@millrace/api';
import type { Db } from '../db.ts';
import { inPresentNames } from '../models/names.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { selectRecords } from './sql.ts';

// Few enough that large ones do not keep the database busy that are not read in the end.
const recordsAtOnce = 200;

/** The data of all items of a queue under the names of now, oldest first, without holding more than some of them. */
export async function* readRecords(
  db: Db,
  queue: QueueDefinition,
): AsyncGenerator<{ id: Id; status: Status; json: JsonRecord }> {
  let after: Id = 0;
  for (;;) {
    const records = await selectRecords(db, queue.id, after, recordsAtOnce);
    for (const { json, modelVersion, ...record } of records)
      yield { ...record, json: inPresentNames(queue, json, modelVersion) };
    const last = records.at(-1);
    if (!last) return;
    after = last.id;
  }
}
