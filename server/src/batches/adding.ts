import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { momentOf, raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { QueueContext } from '../engine/operation.ts';
import { insertBatchCounters, sumsOf } from '../journal/journal.ts';
import { batchProblem, reportOf, type StoredBatch } from './rules.ts';
import { insertBatch, selectBatch } from './sql.ts';

const longestName = 200;

/** An open batch, with the attributes to sum. */
interface OpenBatch {
  readonly batchId: Id;
  readonly summed: readonly string[];
}

/** The batches with these ids, kept from being closed until the transaction ends, or the reasons why they take no items. */
export async function holdBatches(
  db: Db,
  queueId: Id,
  ids: readonly Id[],
): Promise<Map<Id, OpenBatch | Refusal>> {
  if (ids.length === 0) return new Map();
  const rows = await db.rows<Pick<StoredBatch, 'id' | 'source' | 'closedOn' | 'expectedSums'>>(sql`
    select id, source, closed_on as "closedOn", expected_sums as "expectedSums" from batches
    where queue_id = ${queueId} and id = any(${ids}::bigint[]) order by id for key share`);
  const known = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    ids.map((id) => {
      const open = { batchId: id, summed: Object.keys(known.get(id)?.expectedSums ?? {}) };
      return [id, decideAdding(id, known.get(id)) ?? open];
    }),
  );
}

/** The reason why a batch takes no items from callers. */
function decideAdding(
  batchId: Id,
  batch: Pick<StoredBatch, 'source' | 'closedOn'> | undefined,
): Refusal | undefined {
  if (!batch) return unknownBatch(batchId);
  const { source, closedOn } = batch;
  if (source !== 'CALLER')
    return new Refusal(
      'STATUS_CONFLICT',
      `Batch ${batchId} is one of ${source === 'UPLOAD' ? 'a file' : 'a bulk action'} and takes no other items. Make one by createBatch.`,
    );
  if (!closedOn) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    `Batch ${batchId} was closed at ${closedOn.toISOString()} and takes no more items. Make another by createBatch.`,
  );
}

export function unknownBatch(batchId: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no batch ${batchId} in this queue.`);
}

/** Counts stored items as received in their batch. */
export async function countReceived(
  db: Db,
  queueId: Id,
  { batchId, summed }: OpenBatch,
  itemIds: readonly Id[],
): Promise<void> {
  const sums = summed.length > 0 ? await sumStored(db, queueId, summed, itemIds) : undefined;
  await insertBatchCounters(db, queueId, [{ batchId, received: itemIds.length, sums }]);
}

async function sumStored(db: Db, queueId: Id, names: readonly string[], ids: readonly Id[]) {
  const row = await db.row<{ sums?: object }>(sql`
    select ${sumsOf(sql`
      select n.key, d.json ->> n.key as value from unnest(${ids}::bigint[]) as i (id)
        cross join lateral (
          select json from work_item_data where queue_id = ${queueId} and item_id = i.id offset 0) d
        cross join unnest(${names}::text[]) as n (key)`)} as sums`);
  return row?.sums && stringifyJson(row.sums);
}

/** A batch of the items that a bulk action changes; its events have its id. */
export function openBulkBatch({ db, queue, actor, now }: QueueContext, name: string): Promise<Id> {
  const batch = {
    name: name.slice(0, longestName),
    source: 'BULK',
    isClosed: true,
    createdBy: actor.id,
  } as const;
  return insertBatch(db, queue.id, batch, now);
}

/** Reopens the batch of a bulk action for more items. @throws Refusal when it is not the caller's */
export async function goOnWith({ db, queue, actor }: QueueContext, batchId: Id): Promise<void> {
  const own = await db.rows(sql`
    update batches set watched_from = null, completed_on = null
    where queue_id = ${queue.id} and id = ${batchId} and source = 'BULK' and created_by = ${actor.id} returning id`);
  if (own.length === 0)
    throw new Refusal('NOT_FOUND', `There is no batch ${batchId} of a bulk action of yours in this queue.`);
}

/** Marks a bulk action as finished: from now on, a job checks whether all changed items have ended. */
export async function watchBulkBatch(db: Db, queueId: Id, batchId: Id): Promise<void> {
  const now = await momentOf(db);
  await db.rows(sql`
    update batches set watched_from = 0, closed_on = ${now} where queue_id = ${queueId} and id = ${batchId}`);
}

/** The name of a batch, and its control totals. */
interface Announced {
  readonly name: string;
  readonly expected: Schemas['ControlTotals'] | undefined;
}

/** @throws Refusal when the batch of a file cannot have such control totals */
export function refuseTotals({ queue }: QueueContext, expected: Announced['expected']): void {
  const problem = batchProblem('file', expected, queue.attributes);
  if (problem) throw problem;
}

/** The batch of a file, closed to items other than its rows. @throws Refusal as above */
export async function openUploadBatch(context: QueueContext, { name, expected }: Announced): Promise<Id> {
  const { db, queue, actor } = context;
  refuseTotals(context, expected);
  const upload = { source: 'UPLOAD', isClosed: true, createdBy: actor.id } as const;
  // The transaction may have begun long before.
  const now = await momentOf(db);
  return insertBatch(db, queue.id, { name: name.slice(0, longestName), expected, ...upload }, now);
}

/** The counts and sums of the items from a file. */
interface Received {
  readonly received: number;
  readonly failed: number;
  readonly sums: string | undefined;
}

/** Counts the items from a file, which is complete; returns its control totals. */
export async function countUpload(db: Db, queueId: Id, batchId: Id, received: Received) {
  await insertBatchCounters(db, queueId, [{ batchId, ...received }]);
  await closeNow(db, queueId, batchId);
  return totalsOf(db, queueId, batchId);
}

async function closeNow(db: Db, queueId: Id, batchId: Id): Promise<void> {
  const now = await momentOf(db);
  await db.rows(sql`update batches set closed_on = ${now} where queue_id = ${queueId} and id = ${batchId}`);
}

/** Control totals that replace those of a file's batch. */
interface OtherTotals {
  readonly batchId: Id;
  readonly expected: Schemas['ControlTotals'];
  readonly uploadId: Id;
}

/** Compares the batch of a file with other control totals. @throws Refusal when the batch cannot have them, or their sums are not known */
export async function expectAnew(context: QueueContext, { batchId, expected, uploadId }: OtherTotals) {
  const { db, queue } = context;
  refuseTotals(context, expected);
  const former = await selectBatch(db, queue.id, batchId);
  const known = Object.keys({ ...former?.expectedSums, ...former?.sums });
  const unknown = Object.keys(expected.sums ?? {}).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw notSummed(uploadId, unknown);
  await db.rows(sql`
    update batches set expected_items = ${expected.items ?? null}, expected_sums = ${expected.sums ? stringifyJson(expected.sums) : null}
    where queue_id = ${queue.id} and id = ${batchId}`);
  return { ...(await totalsOf(db, queue.id, batchId)), items: former?.received ?? 0 };
}

function notSummed(uploadId: Id, names: readonly string[]): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `The same file was stored before, as upload ${uploadId}, without a sum of ${names.join(', ')}: it cannot be compared any more. ` +
      'Leave that out, or undo the upload (undoUpload) and send the file again.',
  );
}

/** The control totals of a batch, beside the received ones; undefined where it has none. */
export async function totalsOf(db: Db, queueId: Id, batchId: Id) {
  const batch = await selectBatch(db, queueId, batchId);
  const { expected, sums, matches } = batch ? reportOf(batch, true) : {};
  return { ...(expected && { expected }), ...(sums && { sums }), ...(matches !== undefined && { matches }) };
}

/** Rows of a file, as JSON with turn and json. */
interface SummedRows {
  readonly items: string;
  /** By turn; -1 for one that is left out. */
  readonly ids: readonly (Id | null)[];
}

/** The sums of attributes over rows of a file, added to those of the rows before. */
export async function addSums(
  db: Db,
  names: readonly string[],
  { items, ids }: SummedRows,
  before: string | undefined,
): Promise<string | undefined> {
  const row = await db.row<{ sums?: object }>(sql`
    select ${sumsOf(sql`
      select n.key, r.json ->> n.key as value from json_to_recordset(${items}::json) as r (turn int, json json)
        cross join unnest(${names}::text[]) as n (key) where (${ids}::bigint[])[r.turn + 1] is distinct from -1
      union all select j.* from json_each_text(${before ?? null}::json) j`)} as sums`);
  return row?.sums && stringifyJson(row.sums);
}

/** Removes the sums of attributes, both expected and received, from all batches of a queue: sums over few items reveal values. */
export async function forgetSums(db: Db, queueId: Id, names: readonly string[]): Promise<void> {
  const others = (column: Sql) => sql`(
    select json_object_agg(j.key, j.value) from json_each(${column}) j where j.key <> all(${names}::text[]))`;
  await db.rows(sql`
    update batches set expected_sums = ${others(raw('expected_sums'))}, sums = ${others(raw('sums'))}
    where queue_id = ${queueId} and (expected_sums is not null or sums is not null)`);
  await db.rows(sql`
    update batch_tallies set sums = ${others(raw('sums'))} where queue_id = ${queueId} and sums is not null`);
}
