import { stringifyJson, type Id, type Output, type Schemas } from '@millrace/api';
import { expectAnew, totalsOf } from '../batches/adding.ts';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext } from '../engine/operation.ts';
import { recordOfQueue } from '../journal/journal.ts';
import { uploadColumns, type FileHash, type ListedUpload } from './sql.ts';
import { mismatch, type Upload } from './store.ts';
import { answerWithTotals, listed } from './uploads.ts';

type Answer = Output<'createWorkItemsFromFile'>;
type Expected = Schemas['ControlTotals'];

/**
 * The upload of the same file, read in the same way, that was stored before or is under way.
 * @throws Refusal where it was read in another way: its items would be there twice, and nobody would notice
 */
export async function knownUpload(
  context: QueueContext,
  { again }: Upload,
  file: FileHash,
): Promise<ListedUpload | undefined> {
  if (again) return undefined;
  const { db, queue } = context;
  const known = await selectSameFile(db, queue.id, file);
  if (known) return known;
  const other = await selectSameBytes(db, queue.id, file);
  if (other) throw readOtherwise(context, other);
  return undefined;
}

function readOtherwise({ queue, actor }: QueueContext, upload: ListedUpload): Refusal {
  const { id: uploadId, fileName, createdOn, createdBy, state } = upload;
  const when = `${createdOn.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const who = createdBy === actor.id ? 'you' : `user ${createdBy}`;
  const where = state === 'READING' ? 'is on its way into this queue' : 'is in this queue';
  const message = `The same file ${where} already, read in another way or by another version of the model, as upload ${uploadId}, ${JSON.stringify(fileName)} of ${when} by ${who}`;
  return new Refusal(
    'STATUS_CONFLICT',
    `${message}. Its items would be there twice. Undo upload ${uploadId} first, or send the file with again=true if that is meant.`,
    { details: [{ queueId: queue.id, uploadId, message }] },
  );
}

/**
 * The answer to a file that was sent before, or is under way. Control totals sent with it now replace the former ones.
 * @throws Refusal when they cannot: nothing is changed then
 */
export async function answerRepeated(
  context: QueueContext,
  known: ListedUpload,
  upload: Upload,
): Promise<Answer> {
  const { expected } = upload.batch;
  if (expected && known.state === 'READING') await refuseOthers(context, known, expected);
  if (expected && known.state === 'STORED') await replaceTotals(context, known, { ...upload, expected });
  const rest = known.state === 'READING' ? listed(known) : {};
  return { ...rest, ...(await answerWithTotals(context, known)), repeated: true };
}

/** @throws Refusal when the file is under way with other totals, which are compared at its end */
async function refuseOthers({ db, queue }: QueueContext, { id }: ListedUpload, expected: Expected) {
  const row = await db.row<{ expected?: Expected }>(sql`
    select expected from uploads where queue_id = ${queue.id} and id = ${id}`);
  const former = row?.expected;
  if (former && isSame(former, expected)) return;
  const what = former ? `other control totals, ${stringifyJson(former)}` : 'no control totals';
  throw new Refusal(
    'STATUS_CONFLICT',
    `The same file is on its way already, as upload ${id} with ${what}. Send it again when that is stored: these will take their place then.`,
  );
}

async function replaceTotals(
  context: QueueContext,
  { id, batchId }: ListedUpload,
  { expected, onError }: Pick<Upload, 'onError'> & { readonly expected: Expected },
): Promise<void> {
  const { db, queue } = context;
  if (batchId === undefined) return;
  const { expected: former } = await totalsOf(db, queue.id, batchId);
  if (former && isSame(former, expected)) return;
  const totals = await expectAnew(context, { batchId, expected, uploadId: id });
  if (onError === 'reject' && totals.matches === false)
    throw mismatch(totals, `It was stored before, as upload ${id}, which stays as it is.`);
  const changes = { uploadId: id, expected, matches: totals.matches };
  await recordOfQueue(context, queue.id, { operation: 'createWorkItemsFromFile', batchId, changes });
}

function isSame(one: Expected, other: Expected): boolean {
  const [first, second] = [one, other].map(({ items, sums = {} }) =>
    stringifyJson([items ?? null, Object.entries(sums).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
  );
  return first === second;
}

/** The upload of a file read in the same way, unless its items were withdrawn. */
function selectSameFile(db: Db, queueId: Id, { hash }: FileHash): Promise<ListedUpload | undefined> {
  return db.row(sql`
    select ${uploadColumns} from uploads
    where queue_id = ${queueId} and file_hash = ${`\\x${hash}`}::bytea and state in ('READING', 'STORED') and undone_on is null
    order by id limit 1`);
}

/** The last upload of the same bytes, however they were read, that brought items which were not withdrawn, or may still bring some. */
function selectSameBytes(db: Db, queueId: Id, { bytesHash }: FileHash): Promise<ListedUpload | undefined> {
  return db.row(sql`
    select ${uploadColumns} from uploads
    where queue_id = ${queueId} and bytes_hash = ${`\\x${bytesHash}`}::bytea and undone_on is null
      and (state = 'READING' or state = 'STORED' and (created > 0 or rejected > 0 and on_error = 'dataError'))
    order by id desc limit 1`);
}
