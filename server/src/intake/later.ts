import { rename, rm } from 'node:fs/promises';
import { stringifyJson, type Id, type Output } from '@millrace/api';
import { refuseTotals } from '../batches/adding.ts';
import { sql, type Db } from '../engine/db.ts';
import { Refusal, toRefusal } from '../engine/errors.ts';
import type { Job } from '../engine/job-loop.ts';
import {
  Accepted,
  type Actor,
  type BehindAnswer,
  type QueueContext,
  type StepsContext,
  type TenantContext,
} from '../engine/operation.ts';
import { sleep } from '../engine/sleep.ts';
import { millrace, recordEvents, recordOfQueue } from '../journal/journal.ts';
import { sensitiveAttributes } from '../queues/sensitive.ts';
import { markedIds } from './marks.ts';
import {
  hashOf,
  jobOf,
  keepingAlive,
  lockFile,
  refuseClosed,
  storeFile,
  type FileBytes,
  type Upload,
} from './store.ts';
import { inTurn, lookInTurn, readInThread } from './reading.ts';
import type { NewUpload } from './sql.ts';
import { answerRepeated, knownUpload } from './repeated.ts';
import { listed, readUpload } from './uploads.ts';

type Answer = Output<'createWorkItemsFromFile'>;
type Steps = StepsContext<QueueContext>;

const operation = 'createWorkItemsFromFile';

// Each has its file on the disk of this server until it is stored.
const kind = { name: 'files to store', ofAll: 20, ofUser: 20 };

/** Records a received file, and stores it after the answer. @param beatMs milliseconds between its signs of life */
export async function storeLater(
  steps: Steps,
  upload: Upload,
  beatMs: number,
): Promise<Answer | Accepted<Answer>> {
  await refuseAtOnce(steps, upload);
  const { kept, release } = await keepFile(steps, upload);
  let isBegun = false;
  try {
    const { answer, begun } = await steps.transact((context) => begin(context, kept));
    if (!begun) return answer;
    isBegun = true;
    const work = { ...begun, upload: kept, beatMs, log: steps.log };
    steps.begin(async (means) => {
      await store(means, work);
      await release();
    });
    return new Accepted(answer);
  } finally {
    if (!isBegun) await release();
  }
}

/** @throws Refusal for problems at the beginning of the file: its sender is still there to read it */
async function refuseAtOnce(steps: Steps, upload: Upload): Promise<void> {
  const { job, actor } = await steps.transact((context) => {
    refuseTotals(context, upload.batch.expected);
    return Promise.resolve({ job: jobOf(context, upload, 'head'), actor: context.actor });
  });
  await lookInTurn(String(actor.id), async () => {
    for await (const _ of readInThread(job));
  });
}

/** The file of a request is removed with its answer: this one is kept until it is released. */
async function keepFile({ takePlace }: Steps, upload: Upload) {
  const place = await takePlace(kind);
  if (place.full) throw tooMany();
  const path = `${upload.file.path}.later`;
  const release = async () => {
    place.release();
    await rm(path, { force: true });
  };
  await rename(upload.file.path, path).catch((error: unknown) => {
    place.release();
    throw error;
  });
  return { kept: { ...upload, file: { ...upload.file, path } }, release };
}

function tooMany(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    `This server has ${kind.ofAll} files to store already. Send this one again later, or without async.`,
    { retryAfter: 10 },
  );
}

interface Begun {
  readonly queueId: Id;
  readonly uploadId: Id;
  readonly bytes: number;
  /** The user who was allowed to send the file. */
  readonly actor: Actor;
}

/** Records the upload, unless the same file is there. */
async function begin(
  context: QueueContext,
  upload: Upload,
): Promise<{ answer: Answer; begun: Begun | undefined }> {
  const { db, queue, actor } = context;
  refuseClosed(context);
  const file = await hashOf(context, upload);
  await lockFile(db, queue.id, file);
  const known = await knownUpload(context, upload, file);
  if (known)
    return {
      answer: { ...listed(known), ...(await answerRepeated(context, known, upload)) },
      begun: undefined,
    };
  const uploadId = await insertReading(context, file, upload);
  const { bytes } = file;
  const changes = { uploadId, fileName: upload.file.name, fileBytes: bytes, state: 'READING' };
  await recordOfQueue(context, queue.id, { operation, changes });
  const answer = listed(await readUpload(context, uploadId));
  return { answer, begun: { queueId: queue.id, uploadId, bytes, actor } };
}

interface Work extends Begun, Pick<Steps, 'log'> {
  readonly upload: Upload;
  readonly beatMs: number;
}

/** Stores a file, records its progress meanwhile, and its failure in the end, if it fails. */
async function store(means: BehindAnswer<QueueContext>, work: Work): Promise<void> {
  const progress: Progress = { rows: 0, share: 0, isSaved: false };
  const endBeats = beginBeats(means, work, progress);
  try {
    await inTurn(String(work.actor.id), () =>
      means.transactFor(work.actor, (context) =>
        keepingAlive(context.db, () => storeBegun(context, work, progress, means.stopping)),
      ),
    );
  } catch (error) {
    progress.isSaved = false;
    await tellFailure(means, work, error);
  } finally {
    endBeats();
  }
}

interface Progress {
  rows: number;
  share: number;
  /** From then on the row of the upload belongs to the transaction that stores the file. */
  isSaved: boolean;
}

/** Records now and then that the upload is under way, with its progress, until the returned function is called. */
function beginBeats({ note }: Pick<BehindAnswer, 'note'>, work: Work, progress: Progress): () => void {
  let isBeating = false;
  let told: number | undefined;
  const beat = async () => {
    isBeating = true;
    const { rows, share } = progress;
    await note(async (context) => {
      await noteProgress(context, work, { rows, share });
      if (told !== rows + share) context.wake('events');
      told = rows + share;
    }).catch(() => undefined);
    isBeating = false;
  };
  const timer = setInterval(() => {
    if (!isBeating && !progress.isSaved) void beat();
  }, work.beatMs);
  return () => clearInterval(timer);
}

async function storeBegun(
  context: QueueContext,
  { upload, uploadId, bytes }: Work,
  progress: Progress,
  stopping: AbortSignal,
): Promise<void> {
  // A transaction interrupted by the database begins again.
  Object.assign(progress, { rows: 0, share: 0, isSaved: false });
  refuseClosed(context);
  const onProgress = (rows: number, share: number) => {
    stopping.throwIfAborted();
    Object.assign(progress, { rows, share });
  };
  stopping.throwIfAborted();
  await storeFile(context, { ...upload, onProgress }, bytes, async (stored) => {
    progress.isSaved = true;
    await saveStored(context, uploadId, stored);
    return uploadId;
  });
  // Only the commit is left.
  stopping.throwIfAborted();
}

// A database that is full or away accepts it a little later. If it never does, the job marks the upload as cut.
const tries = 30;
const betweenTriesMs = 2000;

/**
 * Records why a file was not stored, in the sentence that would have been the answer. When the server stops, records only that the upload
 * was cut.
 */
async function tellFailure(
  { note, stopping }: BehindAnswer<QueueContext>,
  work: Work,
  error: unknown,
): Promise<void> {
  // The files of a server that stops go away under the threads that read them: only a refusal of what is in the file counts then.
  const isOfFile = error instanceof Refusal && error.code !== 'UNAVAILABLE';
  const isCut = stopping.aborted && !isOfFile;
  const refusal = isCut ? undefined : toRefusal(error);
  if (refusal && refusal !== error)
    work.log.error({ err: error, uploadId: work.uploadId }, 'a file could not be stored');
  for (let turn = 1; turn <= tries; turn += 1) {
    const isTold = await note((context) => noteEnd(context, work, refusal)).then(
      () => true,
      () => false,
    );
    if (isTold || stopping.aborted) return;
    await sleep(betweenTriesMs, stopping);
  }
}

async function noteEnd(
  context: TenantContext,
  { queueId, uploadId, upload, actor }: Work,
  refusal: Refusal | undefined,
): Promise<void> {
  const { db, now } = context;
  const state = refusal ? 'REFUSED' : 'CUT';
  const attributes = (await sensitiveAttributes(db, [queueId])).get(queueId) ?? [];
  const marked = markedIds({ attributes });
  const ended = { queueId, uploadId, state, refusal: refusal?.toJSON(), marked } as const;
  if (!(await endReading(db, ended, now))) return;
  // The reason for its refusal may show values that become sensitive one day; only the upload contains it.
  const changes = { uploadId, fileName: upload.file.name, state };
  await recordEvents(context, queueId, [{ operation, actorId: actor.id, changes }]);
}

/** Longer than the silence of a server at work. */
const silenceSeconds = 30;
const pauseMs = 2000;

/** Marks uploads as cut when the server that stored them has died. */
export const cutUploads: Job = {
  name: 'cutUploads',
  run: async (context) => {
    const { db, now } = context;
    for (const { queueId, uploadId, fileName } of await selectSilent(db, now)) {
      const state = 'CUT' as const;
      if (!(await endReading(db, { queueId, uploadId, state, refusal: undefined, marked: [] }, now)))
        continue;
      const changes = { uploadId, fileName, state };
      await recordEvents(context, queueId, [{ operation: 'cutUploads', actorId: millrace, changes }]);
    }
    return pauseMs;
  },
};

/** Stores an upload under way. */
async function insertReading(
  { db, queue, actor, now }: QueueContext,
  { hash, bytesHash, bytes }: FileBytes,
  upload: Upload,
): Promise<Id> {
  const { expected } = upload.batch;
  const row = await db.row<{ id: Id }>(sql`
    insert into uploads (queue_id, file_name, file_bytes, file_hash, bytes_hash, layout, on_error, read_rows, created, rejected, duplicates,
      problems, expected, state, read_bytes, seen_on, marked, created_by, created_on)
    values (${queue.id}, ${upload.file.name}, ${bytes}, ${`\\x${hash}`}::bytea, ${`\\x${bytesHash}`}::bytea, '{}', ${upload.onError}, 0, 0, 0, 0, '[]',
      ${expected ? stringifyJson(expected) : null}, 'READING', 0, ${now}, ${markedIds(queue)}::bigint[], ${actor.id}, ${now})
    returning id`);
  return row?.id ?? 0;
}

async function noteProgress(
  { db, now }: TenantContext,
  { queueId, uploadId, bytes }: Work,
  { rows, share }: Pick<Progress, 'rows' | 'share'>,
): Promise<void> {
  await db.rows(sql`
    update uploads set read_rows = ${rows}, read_bytes = ${Math.round(bytes * share)}, seen_on = ${now}
    where queue_id = ${queueId} and id = ${uploadId} and state = 'READING'`);
}

/** @throws Refusal when the upload was given up meanwhile: then none of its rows may stay */
async function saveStored({ db, queue }: QueueContext, uploadId: Id, upload: NewUpload): Promise<void> {
  const { batchId, fileBytes, layout, header, rows, created, rejected, duplicates, errors, keptRows } =
    upload;
  const saved = await db.rows(sql`
    update uploads set state = 'STORED', batch_id = ${batchId}, layout = ${stringifyJson(layout)},
      header = ${JSON.stringify(header)}, read_rows = ${rows}, created = ${created}, rejected = ${rejected},
      duplicates = ${duplicates}, problems = ${stringifyJson(errors)}, kept_rows = ${keptRows}, marked = ${upload.marked}::bigint[], read_bytes = ${fileBytes},
      ended_on = clock_timestamp()
    where queue_id = ${queue.id} and id = ${uploadId} and state = 'READING' returning id`);
  if (saved.length === 0) throw new Error('The upload was given up while it was stored.');
}

interface Ended {
  readonly queueId: Id;
  readonly uploadId: Id;
  readonly state: 'REFUSED' | 'CUT';
  readonly refusal: object | undefined;
  /** Kept only if these attributes, which are sensitive now, already were so at the beginning of the upload. */
  readonly marked: readonly Id[];
}

/** @returns whether it was under way until now */
async function endReading(
  db: Db,
  { queueId, uploadId, state, refusal, marked }: Ended,
  now: Date,
): Promise<boolean> {
  const ended = await db.rows(sql`
    update uploads set state = ${state}, ended_on = ${now},
      refusal = case when marked @> ${marked}::bigint[] then ${refusal ? stringifyJson(refusal) : null}::json end
    where queue_id = ${queueId} and id = ${uploadId} and state = 'READING' returning id`);
  return ended.length > 0;
}

interface Silent {
  readonly queueId: Id;
  readonly uploadId: Id;
  readonly fileName: string;
}

function selectSilent(db: Db, now: Date): Promise<Silent[]> {
  return db.rows(sql`
    select queue_id as "queueId", id as "uploadId", file_name as "fileName" from uploads
    where state = 'READING' and seen_on < ${now}::timestamptz - make_interval(secs => ${silenceSeconds})
    order by queue_id, id for update skip locked`);
}
