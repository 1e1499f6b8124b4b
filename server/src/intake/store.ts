import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringifyJson, type Id, type Output, type Schemas } from '@millrace/api';
import { addSums, countUpload, openUploadBatch } from '../batches/adding.ts';
import {
  addFileKeys,
  openFileKeys,
  readFileKeys,
  takeFileKeys,
  type KeyedRow,
} from '../duplicates/file-keys.ts';
import { inWhat } from '../duplicates/rules.ts';
import { momentOf, sql, type Db } from '../engine/db.ts';
import { Refusal, shownProblems } from '../engine/errors.ts';
import type { QueueContext, QueueDefinition } from '../engine/operation.ts';
import { recordOfQueue } from '../journal/journal.ts';
import { defaultPriority, storeRows } from '../work-items/create/create.ts';
import { decideIntake } from '../work-items/item/rules.ts';
import type { KeptRow } from './kept.rules.ts';
import { markedIds } from './marks.ts';
import { formatOf, type OnError } from './options.rules.ts';
import {
  emptyFile,
  type FileOptions,
  type Job,
  type KeyColumn,
  type Portion,
  type Purpose,
} from './portions.ts';
import { readInThread } from './reading.ts';
import { shortened, type RowProblem } from './rows.rules.ts';
import type { FileHash, NewUpload, StoredUpload } from './sql.ts';
import { shownCell, type Cell } from './table/cells.rules.ts';
import { FileOutcome, type Duplicate } from './outcome.ts';
import { answerOf } from './uploads.ts';

/** The uploaded file on disk. */
export interface File {
  readonly path: string;
  readonly name: string;
}

type Answer = Output<'createWorkItemsFromFile'>;

/** A file, and what to do with it. */
export interface Upload {
  readonly file: File;
  readonly options: FileOptions;
  readonly batch: { readonly name: string; readonly expected: Schemas['ControlTotals'] | undefined };
  readonly again: boolean;
  readonly dryRun: boolean;
  readonly onError: OnError;
  /** Called with the number of rows read so far, and the part of the work that is done, from 0 to 1. */
  readonly onProgress?: (rows: number, share: number) => void;
}

export function refuseClosed({ queue, now }: QueueContext): void {
  const refusal = decideIntake(queue, now);
  if (refusal) throw refusal;
}

// Long enough for somebody else to store the same file, if it is small.
const looks = 20;
const betweenLooksMs = 250;

/**
 * Locks a file in the queue until the transaction ends, so that it is not stored twice.
 * @throws Refusal when somebody else stores it and takes longer than a few seconds
 */
export async function lockFile(db: Db, queueId: Id, { bytesHash }: FileHash): Promise<void> {
  for (let look = 0; look < looks; look += 1) {
    if (look > 0) await sleep(betweenLooksMs);
    if (await tryToLock(db, queueId, bytesHash)) return;
  }
  throw new Refusal(
    'STATUS_CONFLICT',
    'The same file is being put into this queue by another call. Send it again when that is done: the answer will say what became of it.',
  );
}

// A session that is silent for half a minute is cut off, and the beginning of a large workbook may take that long.
const signOfLifeMs = 5000;

export async function keepingAlive<T>(db: Db, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => void db.rows(sql`select 1`).catch(() => undefined), signOfLifeMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Stores the rows of a file, and their outcome. @param save stores the upload; returns its id */
export async function storeFile(
  context: QueueContext,
  upload: Upload,
  bytes: number,
  save: (stored: NewUpload) => Promise<Id>,
): Promise<Answer> {
  const { db, queue } = context;
  const { batchId, outcome, totals } = await readIntoBatch(context, upload);
  const stored = { ...uploadOf(queue, upload, outcome, bytes), batchId };
  const id = await save({ ...stored, header: outcome.header, keptRows: outcome.kept.list.length });
  await insertKeptRows(db, queue.id, id, outcome.kept.list);
  // The transaction began before the file was read.
  await recordUpload({ ...context, now: await momentOf(db) }, { ...stored, id });
  wakeConsumers(context, outcome);
  return { ...answerOf({ ...stored, id }), ...totals };
}

/** Does everything except store the upload, and undoes it. */
export async function tryFile(context: QueueContext, upload: Upload): Promise<Answer> {
  const { outcome, totals } = await readIntoBatch(context, upload);
  const { uploadId: _, ...answer } = answerOf({ ...uploadOf(context.queue, upload, outcome, 0), id: 0 });
  return { ...answer, ...totals };
}

/** Runs the work, and undoes its changes, such as batches and the keys of rows. */
export async function undoing<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await db.rows(sql`savepoint before_file`);
  const answer = await work();
  await db.rows(sql`rollback to before_file`);
  return answer;
}

/** Reads the rows into a batch of their own, and compares them with its control totals. */
async function readIntoBatch(context: QueueContext, upload: Upload) {
  const { db, queue } = context;
  const batchId = await openUploadBatch(context, upload.batch);
  const outcome = await readAll(context, upload, batchId);
  const failed = upload.onError === 'dataError' ? outcome.rejected : 0;
  const counts = { received: outcome.created + failed, failed, sums: outcome.sums };
  const totals = await countUpload(db, queue.id, batchId, counts);
  if (upload.onError === 'reject' && totals.matches === false)
    throw mismatch({ ...totals, items: counts.received }, 'Nothing was created.');
  return { batchId, outcome, totals };
}

interface Compared extends Pick<Answer, 'expected' | 'sums'> {
  readonly items: number;
}

/** The refusal of a file that does not match its control totals. @param outcome the fate of the file */
export function mismatch({ items, expected, sums }: Compared, outcome: string): Refusal {
  const has = stringifyJson({ items, ...(sums && { sums }) });
  const message = `does not match its control totals: expected ${stringifyJson(expected)}, the file has ${has}`;
  return new Refusal('INVALID_REQUEST', `The file ${message}. ${outcome}`, {
    details: [{ message }],
  });
}

/** Records the upload in its queue. */
async function recordUpload(context: QueueContext, upload: StoredUpload): Promise<void> {
  const { id: uploadId, batchId, fileName, rows, created, rejected, duplicates } = upload;
  const changes = { uploadId, fileName, rows, created, rejected, duplicates };
  await recordOfQueue(context, context.queue.id, { operation: 'createWorkItemsFromFile', batchId, changes });
}

/** The hashes that identify a file, and its length in bytes. */
export interface FileBytes extends FileHash {
  readonly bytes: number;
}

/**
 * Hashes the bytes of a file, by themselves and together with the way to read them: the same file with another mapping is another upload.
 */
export async function hashOf(context: QueueContext, upload: Upload): Promise<FileBytes> {
  // Sorted, so that the order in which a caller names them does not matter.
  const options = Object.entries(upload.options).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const how = stringifyJson([Object.fromEntries(options), upload.onError, context.queue.modelVersion]);
  const hash = createHash('sha256').update(how);
  const ofBytes = createHash('sha256');
  let bytes = 0;
  for await (const told of readInThread(jobOf(context, upload, 'hash'))) {
    if (told.kind !== 'hash') continue;
    hash.update(told.hash);
    ofBytes.update(told.hash);
    bytes += told.bytes;
  }
  const keyed = (plain: string) => context.queue.sealer?.keyed(plain) ?? plain;
  return { hash: keyed(hash.digest('hex')), bytesHash: keyed(ofBytes.digest('hex')), bytes };
}

/** A file to read, as passed to a thread. */
export function jobOf(
  { queue: { sealer, ...queue }, now }: QueueContext,
  { file, options, onError, dryRun, batch }: Upload,
  purpose: Purpose,
): Job {
  const keepsBad = onError === 'dataError';
  // Where nothing is stored because of bad rows, a person learns of duplicates among them at the same time.
  const comparesBad = onError === 'reject';
  const ofJob = { ...queue, keys: sealer?.keys };
  const isTried = dryRun && batch.expected?.sums === undefined;
  const how = { priority: defaultPriority, now, keepsBad, comparesBad, isTried };
  return { purpose, ...file, options, queue: ofJob, ...how };
}

/** Reads the file row by row and stores it in portions; the transaction keeps all of it, or nothing. */
async function readAll(context: QueueContext, upload: Upload, batchId: Id): Promise<FileOutcome> {
  const isRefused = context.queue.disallowDuplicate && (await reserveKeys(context, upload));
  const outcome = new FileOutcome(upload.onError, isRefused);
  for await (const told of readInThread(jobOf(context, upload, 'items'))) {
    if (told.kind === 'header') {
      const { layout, header, keyColumns } = told;
      Object.assign(outcome, { layout, header, keyColumns });
    }
    if (told.kind !== 'portion') continue;
    await takePortion(context, outcome, told, { ...upload, batchId });
    upload.onProgress?.(outcome.read, context.queue.disallowDuplicate ? (1 + told.share) / 2 : told.share);
  }
  if (outcome.read === 0) throw emptyFile(upload.file.name);
  outcome.refuse();
  return outcome;
}

/**
 * Takes the keys of all rows before the first is stored: taken portion by portion, two files would wait for each other.
 * @returns whether nothing is to be stored because of problems with rows; rows after those may have no keys then
 */
async function reserveKeys(context: QueueContext, upload: Upload): Promise<boolean> {
  const { db, queue } = context;
  let problems = 0;
  await openFileKeys(db);
  for await (const told of readInThread(jobOf(context, upload, 'keys'))) {
    if (told.kind !== 'portion') continue;
    if (told.compared.length > 0) await addFileKeys(db, told.compared, told.hashes);
    // The file is read a second time for its items.
    upload.onProgress?.(0, told.share / 2);
    problems += told.bad.length;
    // Together with duplicates, enough problems are known.
    if (upload.onError === 'reject' && problems >= shownProblems) break;
  }
  await takeFileKeys(db, queue.id);
  return problems > 0;
}

async function takePortion(
  context: QueueContext,
  outcome: FileOutcome,
  portion: Portion,
  { batch, batchId, dryRun }: Upload & { readonly batchId: Id },
): Promise<void> {
  const { db, queue } = context;
  const isKeyed = portion.compared.length > 0;
  const keyed = isKeyed ? await readFileKeys(db, queue.id, portion.compared) : [];
  const duplicates = duplicatesIn(queue, portion, keyed, outcome.keyColumns);
  outcome.read += portion.read;
  outcome.note(portion.bad, duplicates);
  outcome.created += portion.rows.length - duplicates.length;
  const rows = { items: portion.items, ids: idsByTurn(portion, keyed), batchId };
  const summed = Object.keys(batch.expected?.sums ?? {});
  if (summed.length > 0) outcome.sums = await addSums(db, summed, rows, outcome.sums);
  if (dryRun || outcome.isRefused) return;
  // Ids of items follow the order of their creation, even beside a file that takes long.
  const now = isKeyed ? context.now : await momentOf(db);
  outcome.noteStored(portion, await storeRows({ ...context, now }, rows));
}

/** The ids of a portion's items by their keys: -1 for an item that is left out, null for one without a key. */
function idsByTurn({ turns }: Portion, keyed: readonly KeyedRow[]): (Id | null)[] {
  if (keyed.length === 0) return [];
  const byRow = new Map(keyed.map((one) => [one.row, one.holderId === undefined ? one.id : -1]));
  return turns.map((row) => byRow.get(row) ?? null);
}

function wakeConsumers({ queue, wake }: QueueContext, { created, rejected, places }: FileOutcome): void {
  if (created + rejected > 0) wake('events');
  if (created === 0) return;
  wake(queue.id, created);
  wake(
    queue.id,
    places.map(({ id, key }) => placeOf(id, key)),
  );
}

function uploadOf(
  queue: QueueDefinition,
  { file, onError, options }: Upload,
  outcome: FileOutcome,
  fileBytes: number,
): Omit<StoredUpload, 'id' | 'batchId'> {
  const { read: rows, created, rejected, duplicates, problems: errors } = outcome;
  const intakeFormat = formatOf(options);
  const layout = { ...outcome.layout, ...(intakeFormat && { intakeFormat }) };
  const counts = { rows, created, rejected, duplicates };
  return { fileName: file.name, fileBytes, layout, onError, ...counts, errors, marked: markedIds(queue) };
}

/** The rows of a portion without a key of their own, because others hold it. */
function duplicatesIn(
  queue: QueueDefinition,
  { compared, cells }: Portion,
  keyed: readonly KeyedRow[],
  columns: readonly KeyColumn[],
): Duplicate[] {
  const cellsByRow = new Map(compared.map((row, index) => [row, cells[index]]));
  return keyed
    .filter(({ holderId }) => holderId !== undefined)
    .map((one) => {
      const own = cellsByRow.get(one.row);
      return {
        problem: { row: one.row, ...comparedCells(columns, own), ...equality(queue, one) },
        cells: own,
      };
    });
}

/** The item or row that a row equals. */
function equality(
  queue: QueueDefinition,
  { holderId, holderRow }: KeyedRow,
): Pick<RowProblem, 'reason' | 'itemId'> {
  if (holderRow !== undefined) return { reason: `equals row ${holderRow}${inWhat(queue)}` };
  return {
    reason: `equals item ${holderId}${inWhat(queue)}`,
    ...(holderId !== undefined && { itemId: holderId }),
  };
}

/** The compared columns, with their values. Sensitive cells are masked already. */
function comparedCells(columns: readonly KeyColumn[], cells: string | undefined): Partial<RowProblem> {
  const [first, second] = columns;
  if (!first || cells === undefined) return {};
  const all = JSON.parse(cells) as Cell[];
  const values = columns.map(({ index }) => shownCell(all[index] ?? ''));
  return {
    column: columns.map(({ name }) => name).join(', '),
    ...(!second && { field: first.attribute }),
    value: shortened(values.join(', ')),
  };
}

/** Takes the lock only if it is free: a waiting statement would be ended after a while, without a hint of the cause. */
async function tryToLock(db: Db, queueId: Id, hash: string): Promise<boolean> {
  const row = await db.row<{ taken: boolean }>(sql`
    select pg_try_advisory_xact_lock(hashtextextended(${`upload ${queueId} ${hash}`}, 0)) as taken`);
  return row?.taken === true;
}

const rowsAtOnce = 1000;

/** Keeps rows of a file that did not come in. */
async function insertKeptRows(db: Db, queueId: Id, uploadId: Id, rows: readonly KeptRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const some = rows.slice(from, from + rowsAtOnce);
    await db.rows(sql`
      insert into upload_rows (queue_id, upload_id, row, cells, reason)
      select ${queueId}, ${uploadId}, r, c::json, t
      from unnest(${some.map(({ row }) => row)}::int[], ${some.map(({ cells }) => cells)}::text[],
        ${some.map(({ reason }) => reason)}::text[]) as k (r, c, t)`);
  }
}

/** The place of an item with an id in the order of claims. */
const placeOf = (id: Id, key: string) => ({ sortKey: Buffer.from(key, 'hex'), id });
