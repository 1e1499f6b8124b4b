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

// A large file takes its time on a slow line.
const longSeconds = 1800;

/** What tells a file from another in this tab. */
const nameOf = ({ name, size, lastModified }: File) => `${name} ${size} ${lastModified}`;

/** The beginning of a file as it would be stored. */
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
    staleTime: Infinity,
    retry: false,
  });
}

/** What would become of all rows. Those that do not fit are counted alike, whatever becomes of them. */
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
    retry: false,
    gcTime: 0,
  });
}

/** The upload by which the same file came in before. */
export interface Known {
  readonly uploadId: Id;
  /** What the server says of it, where it was read in another way. */
  readonly text?: string;
}

/** @param error of a call that sent the file */
export function knownIn(answer: Upload | undefined, error: unknown): Known | undefined {
  if (answer?.repeated && answer.uploadId !== undefined) return { uploadId: answer.uploadId };
  if (!(error instanceof ApiError)) return undefined;
  const { uploadId } = error.details.find((one) => one.uploadId !== undefined) ?? {};
  return uploadId === undefined ? undefined : { uploadId, text: error.message };
}

/** How a file goes in. */
export interface Sending {
  readonly file: File;
  readonly reading: Reading;
  readonly onError: OnError;
  readonly again: boolean;
}

/** Sends a file, which is stored behind the answer. */
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

/** Reads anew what a file changes, whether it is on its way or has ended; not its trial, which would send it again. */
export function readFilled(): Promise<void> {
  return readAnew(['listUploads', 'getQueueStats', 'listWorkItems']);
}

const lookMs = 700;

/** An upload; looked at again and again while it is on its way. */
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

/** Has the browser save the rows that did not come in, as a file to correct. */
export async function saveErrors(id: Id, uploadId: Id): Promise<void> {
  // The table of operations says of files that they answer nothing.
  const answer: unknown = await call('downloadUploadErrors', { path: { id, uploadId } });
  const { fileName = 'errors', body } = answer as DownloadedFile;
  saveFile(await new Response(body).blob(), fileName);
}

export function loadUploads(params: Params): Promise<unknown> {
  return read(uploadsQuery(toId(params['id'] ?? '')));
}
