import type { Id } from '@millrace/api';
import { Readable } from 'node:stream';
import { sql, type Reader } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import {
  Download,
  type QueueContext,
  type QueueDefinition,
  type QueueDownloadOperation,
} from '../engine/operation.ts';
import { recordOfQueueAccess } from '../journal/journal.ts';
import { isReason, reasonColumn } from './header.rules.ts';
import { isFromBefore } from './marks.ts';
import type { Cell } from './table/cells.rules.ts';
import { csvOf } from './table/write-csv.ts';
import { workbookWith } from './table/write-excel.ts';
import { readUpload } from './uploads.ts';
import type { ListedUpload } from './sql.ts';

const csvType = 'text/csv';
const excelType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

export const downloadUploadErrors: QueueDownloadOperation<'downloadUploadErrors'> = async (
  { transact },
  { path },
) => {
  const { parts, mediaType, fileName } = await transact((context) => fileOf(context, path.uploadId));
  return new Download({ mediaType, fileName, bytes: Readable.from(parts), done: Promise.resolve() });
};

async function fileOf(context: QueueContext, uploadId: Id) {
  const { db, queue } = context;
  const upload = await readUpload(context, uploadId);
  if (upload.keptRows === 0) throw nothingKept(queue, upload);
  const rows = withReasons(
    (await selectHeader(db, queue.id, upload.id)) ?? [],
    await selectKeptRows(db, queue.id, upload.id),
  );
  const changes = { uploadId: upload.id, rows: rows.length - 1 };
  await recordOfQueueAccess(context, queue.id, { operation: 'downloadUploadErrors', changes });
  const { format, delimiter = ',', encoding = 'utf-8', sheet = '' } = upload.layout;
  const [parts, mediaType, ending] =
    format === 'CSV'
      ? ([[await csvOf(rows, { delimiter, encoding })], csvType, 'csv'] as const)
      : ([workbookWith(rows, sheet), excelType, 'xlsx'] as const);
  return { parts, mediaType, fileName: `${baseOf(upload)}.errors.${ending}` };
}

function nothingKept(queue: QueueDefinition, upload: ListedUpload): Refusal {
  const { id, state, rejected, duplicates } = upload;
  const why =
    state !== 'STORED'
      ? 'nothing of it was stored'
      : rejected + duplicates === 0
        ? 'all of its rows came in'
        : isFromBefore(queue, upload)
          ? 'attributes were marked as sensitive since, and they might tell values of them. Send the file again'
          : 'it is from before such rows were kept';
  return new Refusal('NOT_FOUND', `Upload ${id} has no rows to correct: ${why}.`);
}

function baseOf({ fileName }: ListedUpload): string {
  return fileName.replace(/(\.errors)?(\.(csv|tsv|txt|xlsx|xlsm))?(\.gz)?$/i, '') || 'upload';
}

/** A kept row. */
interface Kept {
  readonly cells: readonly Cell[];
  readonly reason: string;
}

/** The rows below their header, with a column of reasons in place of one that the file already has. */
function withReasons(header: readonly string[], kept: readonly Kept[]): (readonly Cell[])[] {
  const former = header.findIndex(isReason);
  const width = header.length - (former < 0 ? 0 : 1);
  const own = <C extends Cell>(cells: readonly C[]) => cells.filter((_, index) => index !== former);
  const rows = kept.map(({ cells, reason }) => {
    const mine: readonly Cell[] = own(cells);
    const missing = Array.from({ length: Math.max(0, width - mine.length) }, () => '');
    // Surplus cells of a row stay after the reason.
    return [...mine.slice(0, width), ...missing, reason, ...mine.slice(width)];
  });
  return [[...own(header), reasonColumn], ...rows];
}

async function selectHeader(db: Reader, queueId: Id, id: Id): Promise<readonly string[] | undefined> {
  const row = await db.row<{ header?: string[] }>(sql`
    select header from uploads where queue_id = ${queueId} and id = ${id}`);
  return row?.header;
}

/** Cells are selected as text: as JSON of a statement their numbers would be read with all digits, which no cell has. */
async function selectKeptRows(db: Reader, queueId: Id, id: Id): Promise<Kept[]> {
  const rows = await db.rows<{ cells: string; reason: string }>(sql`
    select cells::text as cells, reason from upload_rows where queue_id = ${queueId} and upload_id = ${id} order by row`);
  return rows.map(({ cells, reason }) => ({ cells: JSON.parse(cells) as Cell[], reason }));
}
