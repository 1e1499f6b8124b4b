import type { Id, Output } from '@millrace/api';
import { totalsOf } from '../batches/adding.ts';
import { sql, type Reader } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext, QueueOperation } from '../engine/operation.ts';
import { concealedUpload } from './marks.ts';
import { delimiterName } from './options.rules.ts';
import { uploadColumns, type ListedUpload, type StoredUpload } from './sql.ts';

type Answer = Output<'getUpload'>;

const uploadsAtOnce = 100;

export const listUploads: QueueOperation<'listUploads'> = async ({ db, queue }, { query }) => {
  const uploads = await selectUploads(db, queue.id, query.before, uploadsAtOnce + 1);
  return {
    list: uploads.slice(0, uploadsAtOnce).map((one) => listed(concealedUpload(queue, one))),
    isMore: uploads.length > uploadsAtOnce,
  };
};

export const getUpload: QueueOperation<'getUpload'> = async (context, { path }) => {
  const upload = await readUpload(context, path.uploadId);
  return { ...listed(upload), ...(await answerWithTotals(context, upload)) };
};

/** @throws Refusal when the queue has no such upload */
export async function readUpload({ db, queue }: QueueContext, uploadId: Id): Promise<ListedUpload> {
  const upload = await selectUpload(db, queue.id, uploadId);
  if (upload) return concealedUpload(queue, upload);
  throw new Refusal('NOT_FOUND', `There is no upload ${uploadId} in this queue.`);
}

/** An upload in the form of the contract, with its control totals. */
export async function answerWithTotals({ db, queue }: QueueContext, upload: StoredUpload): Promise<Answer> {
  const { batchId } = upload;
  const totals = batchId === undefined ? {} : await totalsOf(db, queue.id, batchId);
  return { ...answerOf(upload), ...totals };
}

export function listed(upload: ListedUpload): Answer {
  const { bytesRead, refusal, endedOn } = upload;
  const { state, keptRows: errorRows, fileName, fileBytes, undoneOn, undoneBy, createdBy } = upload;
  return {
    ...answerOf(upload),
    ...{ state, errorRows, fileName, fileBytes, createdBy },
    createdOn: upload.createdOn.toISOString(),
    ...(bytesRead !== undefined && { bytesRead }),
    ...(refusal && { refusal }),
    ...(endedOn && { endedOn: endedOn.toISOString() }),
    ...(undoneOn && { undoneOn: undoneOn.toISOString() }),
    ...(undoneBy !== undefined && { undoneBy }),
  };
}

/** An upload in the form of the contract. */
export function answerOf(upload: StoredUpload): Answer {
  const { id: uploadId, batchId, layout, onError, rows, created, rejected, duplicates, errors } = upload;
  const { format, encoding, sheet, intakeFormat } = layout;
  const counts = { created, rows, rejected, duplicates, errors: [...errors] };
  const delimiter = delimiterName(layout.delimiter);
  const how = {
    ...(delimiter && { delimiter }),
    ...(encoding && { encoding }),
    ...(sheet !== undefined && { sheet }),
    ...(intakeFormat && { intakeFormat }),
  };
  // Not known yet for an upload under way.
  const kind = format && { format };
  return { uploadId, ...(batchId !== undefined && { batchId }), ...counts, onError, ...kind, ...how };
}

function selectUpload(db: Reader, queueId: Id, id: Id): Promise<ListedUpload | undefined> {
  return db.row(sql`select ${uploadColumns} from uploads where queue_id = ${queueId} and id = ${id}`);
}

/** The uploads of a queue with smaller ids than one, newest first. */
function selectUploads(
  db: Reader,
  queueId: Id,
  before: Id | undefined,
  limit: number,
): Promise<ListedUpload[]> {
  return db.rows(sql`
    select ${uploadColumns} from uploads where queue_id = ${queueId} and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
}
