import { stringifyJson, type Id, type Input, type Output } from '@millrace/api';
import { nameProblems } from '../engine/checks.ts';
import { sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext, QueueStepsOperation } from '../engine/operation.ts';
import { storeLater } from './later.ts';
import { expectedOf, optionsFor, optionsOf } from './options.rules.ts';
import { inTurn } from './reading.ts';
import { answerRepeated, knownUpload } from './repeated.ts';
import type { FileHash, NewUpload } from './sql.ts';
import {
  hashOf,
  keepingAlive,
  lockFile,
  refuseClosed,
  storeFile,
  tryFile,
  undoing,
  type File,
  type Upload,
} from './store.ts';

type Answer = Output<'createWorkItemsFromFile'>;

/** @param beatMs milliseconds between progress notes of a file that is stored after the answer */
export const takingFiles =
  ({ beatMs }: { readonly beatMs: number }): QueueStepsOperation<'createWorkItemsFromFile'> =>
  async (steps, { query, body }) => {
    const { transact, transactLong, signal } = steps;
    const asked = uploadIn(query, body as File);
    const { userId, options } = await transact((context) => {
      refuseClosed(context);
      const { actor, queue } = context;
      return Promise.resolve({ userId: actor.id, options: optionsFor(queue, asked.options) });
    });
    const upload = { ...asked, options };
    if (query.async) return storeLater(steps, upload, beatMs);
    return inTurn(String(userId), () => {
      if (signal.aborted) throw new Refusal('UNAVAILABLE', 'The caller did not wait for the answer.');
      return transactLong((context) => keepingAlive(context.db, () => storeOnce(context, upload)));
    });
  };

export const createWorkItemsFromFile = takingFiles({ beatMs: 2000 });

function uploadIn(query: Input<'createWorkItemsFromFile'>['query'], file: File): Upload {
  const { again = false, dryRun = false, onError = 'dataError', batchName = file.name, ...others } = query;
  const { async: isAsync = false, ...rest } = others;
  if (isAsync && dryRun)
    throw new Refusal(
      'INVALID_REQUEST',
      'dryRun goes without async: it stores nothing that could be read later.',
    );
  refuseName(query.batchName);
  const { expectedItems: _, expectedSums: __, ...reading } = rest;
  const batch = { name: batchName, expected: expectedOf(rest) };
  return { file, options: optionsOf(reading), batch, again, dryRun, onError };
}

/** Refuses a batch name that people cannot tell apart from others. Without one, a batch is named after its file, whatever that name is. */
function refuseName(batchName: string | undefined): void {
  const [problem] = batchName === undefined ? [] : nameProblems(batchName);
  if (!problem) return;
  const { message } = problem;
  throw new Refusal('INVALID_REQUEST', `batchName ${message}.`, {
    details: [{ field: 'batchName', message }],
  });
}

/** Stores the file, unless it was stored before: then the answer is the outcome of that. */
async function storeOnce(context: QueueContext, upload: Upload): Promise<Answer> {
  const { db, queue } = context;
  refuseClosed(context);
  const file = await hashOf(context, upload);
  if (upload.dryRun) return undoing(db, () => tryOnce(context, upload, file));
  await lockFile(db, queue.id, file);
  const known = await knownUpload(context, upload, file);
  if (known) return answerRepeated(context, known, upload);
  return storeFile(context, upload, file.bytes, (stored) => insertUpload(context, file, stored));
}

/** The answer that sending the file would give. */
async function tryOnce(context: QueueContext, upload: Upload, file: FileHash): Promise<Answer> {
  const known = await knownUpload(context, upload, file);
  const answer = await (known ? answerRepeated(context, known, upload) : tryFile(context, upload));
  return { ...answer, dryRun: true };
}

/** Stores the upload; returns its id. */
async function insertUpload(
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
