import type { Id, Schemas } from '@millrace/api';
import { raw } from '../engine/db.ts';
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

export const uploadColumns =
  raw(`id, batch_id as "batchId", file_name as "fileName", file_bytes as "fileBytes", layout, on_error as "onError", marked,
  read_rows as rows, created, rejected, duplicates, problems as errors, state, kept_rows as "keptRows",
  read_bytes as "bytesRead", refusal, ended_on as "endedOn",
  undone_on as "undoneOn", undone_by as "undoneBy", created_by as "createdBy", created_on as "createdOn"`);

/** The outcome of a file, with its kept header and the number of kept rows. */
export interface NewUpload extends Omit<StoredUpload, 'id'> {
  readonly header: readonly string[];
  readonly keptRows: number;
}
