import type { Id } from '@millrace/api';
import { join, sql, type Db, type Sql } from '../db.ts';
import type { Doubt } from '../models/change.rules.ts';
import { recordText, type VersionedRecord } from './names.sql.ts';
import { bytesBefore, portionBytes, recordBytes } from './size.sql.ts';

/** Open items that may not fit any more for one of the reasons, in the order of their ids: some, as far as they may be held at once. */
export function selectDoubtful(
  db: Db,
  queueId: Id,
  doubts: readonly Doubt[],
  { after, limit }: { after: Id; limit: number },
): Promise<(VersionedRecord & { id: Id })[]> {
  return db.rows(sql`
    select id, json, "modelVersion" from (
      select i.id, d.json, coalesce(i.model_version, 0) as "modelVersion",
        ${bytesBefore(recordBytes, sql`i.id`)} as bytes_before
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id > ${after} and i.status in ('NEW', 'IN_PROGRESS', 'DEFERRED')
      and (${join(doubts.map(isDoubtful), ' or ')})
    order by i.id limit ${limit}) r
    where bytes_before < ${portionBytes} order by id`);
}

/** Whether the record has what would not be allowed, or lacks what would be required. */
function isDoubtful({ before, reason }: Doubt): Sql {
  if (!before) return sql`true`;
  const text = recordText(before);
  return reason === 'required' ? sql`${text} is null` : sql`${text} is not null`;
}
