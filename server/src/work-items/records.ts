import type { Id, Status } from '@millrace/api';
import type { Db } from '../db.ts';
import { inPresentNames } from '../models/names.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { selectRecords } from './sql.ts';

const recordsAtOnce = 2000;

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
    if (!last || records.length < recordsAtOnce) return;
    after = last.id;
  }
}
