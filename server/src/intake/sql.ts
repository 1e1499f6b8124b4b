import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Db, type Reader } from '../engine/db.ts';
import type { QueueContext } from '../engine/operation.ts';
import type { KeptRow } from './kept.rules.ts';
import type { RowProblem } from './rows.rules.ts';
import type { Layout } from './table/cells.rules.ts';

/** The stored outcome of a file. */
export interface StoredUpload {
  readonly id: Id;
  /** Undefined for uploads from before there were batches. */
  readonly batchId?: Id | undefined;
  readonly fileName: string;
  readonly fileBytes: Id;
  readonly layout: Layout & { readonly intakeFormat?: Schemas['IntakeFormat'] };
  readonly onError: 'dataError' | 'skip' | 'reject';
  readonly rows: number;
  readonly created: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly errors: readonly RowProblem[];
  /** The attributes that were sensitive when the file was read. */
  readonly marked: readonly Id[];
}

/** An upload as listed. */
export interface ListedUpload extends StoredUpload {
  readonly state: 'READING' | 'STORED' | 'REFUSED' | 'CUT';
  readonly keptRows: number;
  readonly bytesRead?: Id | undefined;
  readonly refusal?: Schemas['Error'] | undefined;
  readonly endedOn?: Date | undefined;
  readonly undoneOn?: Date | undefined;
  readonly undoneBy?: Id | undefined;
  readonly createdBy: Id;
  readonly createdOn: Date;
}

/** The hashes that identify a file. */
export interface FileHash {
  /** Of its bytes and of the way in which they are read. */
  readonly hash: string;
  /** Of its bytes alone. */
  readonly bytesHash: string;
}

/** Takes the lock only if it is free: a waiting statement would be ended after a while, without a hint of the cause. */
export async function tryToLock(db: Db, queueId: Id, hash: string): Promise<boolean> {
  const row = await db.row<{ taken: boolean }>(sql`
    select pg_try_advisory_xact_lock(hashtextextended(${`upload ${queueId} ${hash}`}, 0)) as taken`);
  return row?.taken === true;
}

const columns =
  raw(`id, batch_id as "batchId", file_name as "fileName", file_bytes as "fileBytes", layout, on_error as "onError", marked,
  read_rows as rows, created, rejected, duplicates, problems as errors, state, kept_rows as "keptRows",
  read_bytes as "bytesRead", refusal, ended_on as "endedOn",
  undone_on as "undoneOn", undone_by as "undoneBy", created_by as "createdBy", created_on as "createdOn"`);

/** The upload of a file read in the same way, unless its items were withdrawn. */
export function selectSameFile(db: Db, queueId: Id, { hash }: FileHash): Promise<ListedUpload | undefined> {
  return db.row(sql`
    select ${columns} from uploads
    where queue_id = ${queueId} and file_hash = ${`\\x${hash}`}::bytea and state in ('READING', 'STORED') and undone_on is null
    order by id limit 1`);
}

/** The last upload of the same bytes, however they were read, that brought items which were not withdrawn, or may still bring some. */
export function selectSameBytes(
  db: Db,
  queueId: Id,
  { bytesHash }: FileHash,
): Promise<ListedUpload | undefined> {
  return db.row(sql`
    select ${columns} from uploads
    where queue_id = ${queueId} and bytes_hash = ${`\\x${bytesHash}`}::bytea and undone_on is null
      and (state = 'READING' or state = 'STORED' and (created > 0 or rejected > 0 and on_error = 'dataError'))
    order by id desc limit 1`);
}

export function selectUpload(db: Reader, queueId: Id, id: Id): Promise<ListedUpload | undefined> {
  return db.row(sql`select ${columns} from uploads where queue_id = ${queueId} and id = ${id}`);
}

/** The uploads of a queue with smaller ids than one, newest first. */
export function selectUploads(
  db: Reader,
  queueId: Id,
  before: Id | undefined,
  limit: number,
): Promise<ListedUpload[]> {
  return db.rows(sql`
    select ${columns} from uploads where queue_id = ${queueId} and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
}

/** The outcome of a file, with its kept header and the number of kept rows. */
export interface NewUpload extends Omit<StoredUpload, 'id'> {
  readonly header: readonly string[];
  readonly keptRows: number;
}

/** Stores the upload; returns its id. */
export async function insertUpload(
  { db, queue, actor, now }: QueueContext,
  { hash, bytesHash }: FileHash,
  upload: NewUpload,
): Promise<Id> {
  const { fileName, fileBytes, layout, onError, rows, created, rejected, duplicates, errors } = upload;
  const { batchId, header, keptRows } = upload;
  const row = await db.row<{ id: Id }>(sql`
    insert into uploads (queue_id, batch_id, file_name, file_bytes, file_hash, bytes_hash, layout, header, on_error, read_rows, created,
      rejected, duplicates, problems, kept_rows, marked, created_by, created_on)
    values (${queue.id}, ${batchId}, ${fileName}, ${fileBytes}, ${`\\x${hash}`}::bytea, ${`\\x${bytesHash}`}::bytea, ${stringifyJson(layout)},
      ${JSON.stringify(header)}, ${onError}, ${rows}, ${created}, ${rejected}, ${duplicates}, ${stringifyJson(errors)},
      ${keptRows}, ${upload.marked}::bigint[], ${actor.id}, ${now})
    returning id`);
  return row?.id ?? 0;
}

const rowsAtOnce = 1000;

/** Keeps rows of a file that did not come in. */
export async function insertKeptRows(
  db: Db,
  queueId: Id,
  uploadId: Id,
  rows: readonly KeptRow[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const some = rows.slice(from, from + rowsAtOnce);
    await db.rows(sql`
      insert into upload_rows (queue_id, upload_id, row, cells, reason)
      select ${queueId}, ${uploadId}, r, c::json, t
      from unnest(${some.map(({ row }) => row)}::int[], ${some.map(({ cells }) => cells)}::text[],
        ${some.map(({ reason }) => reason)}::text[]) as k (r, c, t)`);
  }
}
