/**
 * Uploads from before an attribute became sensitive: their rows to correct, and the problems of those, may reveal its values. From the mark
 * on these are shown to nobody, and a job removes them.
 */
import { stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import type { Attribute } from '../engine/operation.ts';
import { isMarked, namesEver, unshown } from '../records/sensitive.rules.ts';
import type { RowProblem } from './rows.rules.ts';
import type { ListedUpload, StoredUpload } from './sql.ts';

/** A queue, with the members that marks concern. */
interface Marked {
  readonly attributes: readonly Attribute[];
}

export function markedIds({ attributes }: Marked): Id[] {
  return attributes.filter(isMarked).flatMap(({ id }) => id ?? []);
}

/** Whether attributes have become sensitive since the file was read. */
export function isFromBefore(queue: Marked, { marked }: Pick<StoredUpload, 'marked'>): boolean {
  const known = new Set(marked.map(String));
  return markedIds(queue).some((id) => !known.has(String(id)));
}

/** The upload as shown: without texts that may reveal values of attributes that have become sensitive since. */
export function concealedUpload(queue: Marked, upload: ListedUpload): ListedUpload {
  if (!isFromBefore(queue, upload)) return upload;
  const errors = upload.errors.map((problem) => withoutValue(queue, problem));
  return { ...upload, errors, keptRows: 0, ...(upload.state === 'REFUSED' && { refusal: hiddenRefusal }) };
}

const hiddenRefusal = {
  code: 'INVALID_REQUEST' as const,
  message:
    'What was wrong with the file is not shown any more, as attributes were marked as sensitive since. Send it again to see it.',
};

/**
 * The problem of a row without sensitive values: complete for an attribute that is not sensitive, and without the value for the row as a
 * whole.
 */
function withoutValue({ attributes }: Marked, problem: RowProblem): RowProblem {
  const named = attributes.filter(
    (one) => problem.field !== undefined && namesEver(one).includes(problem.field),
  );
  if (named.length > 0 && !named.some(isMarked)) return problem;
  const { value: _, ...rest } = problem;
  return problem.field === undefined ? rest : { ...rest, reason: `does not fit; ${unshown}` };
}

const pauseMs = 5000;
const uploadsAtOnce = 200;

/** Removes the kept rows and problems of such uploads, once all writers use the new marks. */
export const forgetUploadRows: Job = {
  name: 'forgetUploadRows',
  run: async ({ db }) => {
    const queue = await lockForgetful(db);
    if (!queue) return pauseMs;
    const uploads = await selectFromBefore(db, queue.id, markedIds(queue));
    for (const { id, errors } of uploads) {
      const problems = errors.map((problem) => withoutValue(queue, problem));
      await forget(db, queue.id, { id, problems });
    }
    if (uploads.length < uploadsAtOnce) await endForgetting(db, queue.id);
    return 0;
  },
};

function lockForgetful(db: Db): Promise<(Marked & { readonly id: Id }) | undefined> {
  return db.row(sql`
    select id, attributes from queues where forgets_rows and rekey_after is null order by id limit 1
    for no key update skip locked`);
}

/** Uploads that still have kept data, including the hash of the file, against which a guess of its whole contents could be tested. */
function selectFromBefore(db: Db, queueId: Id, marked: readonly Id[]) {
  return db.rows<{ id: Id; errors: RowProblem[] }>(sql`
    select id, problems as errors from uploads
    where queue_id = ${queueId} and state <> 'READING' and file_hash <> ''::bytea and not marked @> ${marked}::bigint[]
    order by id limit ${uploadsAtOnce}`);
}

interface Left {
  readonly id: Id;
  readonly problems: readonly RowProblem[];
}

async function forget(db: Db, queueId: Id, { id, problems }: Left): Promise<void> {
  await db.rows(sql`delete from upload_rows where queue_id = ${queueId} and upload_id = ${id}`);
  await db.rows(sql`
    update uploads set kept_rows = 0, problems = ${stringifyJson(problems)}, refusal = null, file_hash = ''::bytea, bytes_hash = null
    where queue_id = ${queueId} and id = ${id}`);
}

async function endForgetting(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`update queues set forgets_rows = false where id = ${queueId}`);
}
