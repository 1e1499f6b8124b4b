import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { sql } from '../engine/db.ts';
import type { Context } from '../engine/operation.ts';

// As many as a server and a few others have at a time.
const most = 100;

/** The progress of files that are being stored after their answers, in queues that the caller may see, oldest first. */
export function uploadsUnderWay(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  queueIds: readonly Id[] | undefined,
): Promise<Schemas['UploadProgress'][]> {
  return db.rows(sql`
    select u.id as "uploadId", u.queue_id as "queueId", q.name as "queueName", u.file_name as "fileName",
      u.read_rows as rows, u.read_bytes as "bytesRead", u.file_bytes as "fileBytes", u.created_by as "createdBy"
    from uploads u join queues q on q.id = u.queue_id
    where u.state = 'READING' and (${queueIds}::bigint[] is null or u.queue_id = any (${queueIds}::bigint[])) and ${seenBy(actor)}
    order by u.id limit ${most}`);
}
