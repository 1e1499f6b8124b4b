import {
  ApiError,
  toId,
  type DownloadedFile,
  type Id,
  type Input,
  type Output,
  type Schemas,
} from '@millrace/api';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call } from '../connection/client.ts';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { readAnew } from '../live/effects.ts';
import { saveFile } from '../page/save.ts';
import { optionsOf, type Reading } from './rules.ts';

export type Upload = Output<'getUpload'>;
export type OnError = NonNullable<Schemas['FileIntake']['onError']>;

// A large file takes long on a slow line.
const longSeconds = 1800;

/** Identifies a file in this tab. */
const nameOf = ({ name, size, lastModified }: File) => `${name} ${size} ${lastModified}`;

/** The beginning of a file, as it would be stored. */
export function previewQuery(id: Id, file: File, reading: Reading) {
  const options = optionsOf(reading);
  return queryOptions({
    queryKey: ['previewFile', id, nameOf(file), options],
    queryFn: ({ signal }) =>
      call(
        'previewFile',
        { path: { id }, query: options, body: { file } },
        { signal, timeoutSeconds: longSeconds },
      ),
    placeholderData: keepPreviousData,
    staleTime: 'static',
    retry: false,
  });
}

/** The trial of all rows. Rows that do not fit are counted alike, whatever becomes of them. */
export function trialQuery(id: Id, file: File, reading: Reading, again: boolean) {
  const options: Input<'createWorkItemsFromFile'>['query'] = {
    ...optionsOf(reading),
    dryRun: true,
    onError: 'skip',
    ...(again && { again }),
  };
  return queryOptions({
    queryKey: ['createWorkItemsFromFile', id, nameOf(file), options],
    queryFn: ({ signal }) =>
      call(
        'createWorkItemsFromFile',
        { path: { id }, query: options, body: { file } },
        { signal, timeoutSeconds: longSeconds },
      ),
    // A file is sent once, whatever else is asked for again.
    staleTime: 'static',
    retry: false,
    gcTime: 0,
  });
}

/** The earlier upload of the same file. */
export interface Known {
  readonly uploadId: Id;
  /** The server's message, where the file was read in another way. */
  readonly text?: string;
}

/** @param error the error of a call that sent the file */
export function knownIn(answer: Upload | undefined, error: unknown): Known | undefined {
  if (answer?.repeated && answer.uploadId !== undefined) return { uploadId: answer.uploadId };
  if (!(error instanceof ApiError)) return undefined;
  const { uploadId } = error.details.find((one) => one.uploadId !== undefined) ?? {};
  return uploadId === undefined ? undefined : { uploadId, text: error.message };
}

/** A file to upload, and its settings. */
export interface Sending {
  readonly file: File;
  readonly reading: Reading;
  readonly onError: OnError;
  readonly again: boolean;
}

/** Sends a file; the server stores it after its answer. */
export async function send(
  id: Id,
  { file, reading, onError, again }: Sending,
  signal: AbortSignal,
): Promise<Upload> {
  const options = { ...optionsOf(reading), onError, ...(again && { again }), async: true };
  const answer = await call(
    'createWorkItemsFromFile',
    { path: { id }, query: options, body: { file } },
    { signal, timeoutSeconds: longSeconds },
  );
  await readFilled();
  return answer;
}

/** Refreshes what an upload changes, whether it runs or has ended; not its trial, which would send the file again. */
export function readFilled(): Promise<void> {
  return readAnew(['listUploads', 'getQueueStats', 'listWorkItems']);
}

const lookMs = 700;

/** An upload; polled while it runs. */
export function uploadQuery(id: Id, uploadId: Id) {
  return queryOptions({
    ...query('getUpload', { path: { id, uploadId } }),
    refetchInterval: ({ state }: { state: { data?: unknown } }) =>
      (state.data as Upload | undefined)?.state === 'READING' ? lookMs : false,
  });
}

export function uploadsQuery(id: Id) {
  return query('listUploads', { path: { id } });
}

export function undoRequest(id: Id, uploadId: Id): Request {
  return requestFor('undoUpload', { path: { id, uploadId }, body: { dryRun: false } });
}

/** Withdraws the items of a file that nobody has worked on, or only counts them. */
export async function undo(id: Id, uploadId: Id, dryRun: boolean): Promise<Schemas['UndoOutcome']> {
  const outcome = await call('undoUpload', { path: { id, uploadId }, body: { dryRun } });
  if (!dryRun) await readAnew();
  return outcome;
}

/** Saves the rows that did not come in, as a file to correct. */
export async function saveErrors(id: Id, uploadId: Id): Promise<void> {
  // In the table of operations, files have no type of answer.
  const answer: unknown = await call('downloadUploadErrors', { path: { id, uploadId } });
  const { fileName = 'errors', body } = answer as DownloadedFile;
  saveFile(await new Response(body).blob(), fileName);
}

export function loadUploads(params: Params): Promise<unknown> {
  return read(uploadsQuery(toId(params['id'] ?? '')));
}
