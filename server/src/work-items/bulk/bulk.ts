import type { Id, Schemas } from '@millrace/api';
import { goOnWith, openBulkBatch, watchBulkBatch } from '../../batches/adding.ts';
import { walksOfBatch } from '../../batches/items.ts';
import { holdsKey } from '../../duplicates/rules.ts';
import { reserveKeys, tryKeys, type Trial } from '../../duplicates/unique-keys.ts';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { readFilter } from '../../engine/lists/filter.ts';
import type {
  QueueContext,
  QueueDefinition,
  QueueStepsOperation,
  StepsContext,
} from '../../engine/operation.ts';
import { bytesBefore, portionBytes } from '../../engine/portions.ts';
import { findOtherQueue } from '../../queues/find.ts';
import { inPresentNames, type JsonRecord } from '../../records/record.ts';
import { sealed } from '../../records/sealed.ts';
import { saveRecords, type VersionedRecord } from '../../records/stored.ts';
import { noteRemedies } from '../failures/remedies.ts';
import { unknownItem, type Item } from '../item/rules.ts';
import { changeOf, save, type Change } from '../item/save.ts';
import { itemBytes, lockItems, readItems } from '../item/sql.ts';
import { itemFields } from '../read/fields.ts';
import { batchIdIn, dataOf } from '../read/source.ts';
import {
  decideAction,
  editProblem,
  eventChanges,
  readAction,
  transferProblem,
  wantsKey,
  type BulkAction,
  type BulkCircumstances,
  type Decided,
  type Found,
} from './rules.ts';
import { transfer } from './transfer.ts';

const shownRefusals = 1000;

type Count = Pick<Schemas['BulkOutcome'], 'selected' | 'changed' | 'refused' | 'refusals'>;

/** @param mostItems the number of items after which a call ends, with a cursor to go on from. */
export const updateUpTo =
  (mostItems: number): QueueStepsOperation<'updateWorkItemStatus'> =>
  async (steps, { body }) => {
    const { dryRun = false, filter, ids } = body;
    const task = { action: readAction(body), ids: ids && ascending(ids), filter, trial: trialIf(dryRun) };
    const { sum, batchId, cursor } = await changeMany(steps, { ...task, batchId: body.batchId }, mostItems);
    const { selected, changed, refused, refusals } = sum;
    const counts = { dryRun, selected, changed, unchanged: selected - changed - refused, refused, refusals };
    const rest = { isMore: cursor !== undefined, ...(cursor && { lastId: cursor.after }) };
    return { ...counts, ...(batchId !== undefined && { batchId }), ...rest };
  };

export const updateWorkItemStatus = updateUpTo(100_000);

/** The record of unique keys for a dry run; undefined for a real one. */
export const trialIf = (dryRun: boolean): Trial | undefined => (dryRun ? new Map() : undefined);

/** The outcome of many items, and the cursor when there are more. */
interface Changed {
  readonly sum: Count;
  readonly batchId: Id | undefined;
  readonly cursor: Cursor | undefined;
}

/**
 * Does a task portion by portion, each in a transaction of its own, until all its items are done or the limit is reached.
 * @param note is called after each portion.
 */
export async function changeMany(
  { transact, signal }: Pick<StepsContext<QueueContext>, 'transact' | 'signal'>,
  task: Task,
  mostItems: number,
  note?: (done: Done) => void,
): Promise<Changed> {
  let sum: Count = { selected: 0, changed: 0, refused: 0, refusals: [] };
  let { batchId } = task;
  if (batchId !== undefined) await transact((context) => goOnWith(context, batchId as Id));
  let cursor: Cursor | undefined = { after: 0 };
  while (cursor && sum.selected < mostItems && !signal.aborted) {
    const here: Cursor = cursor;
    const known = { ...task, batchId };
    const done = await transact((context) => doPortion(context, known, here)).catch(afterSome(sum));
    note?.(done);
    sum = withPortion(sum, done);
    batchId = done.batchId;
    cursor = done.next;
  }
  return { sum, batchId, cursor };
}

/** The ids in ascending order, each once: items are locked in that order. */
export function ascending(ids: readonly Id[]): Id[] {
  return [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
}

function withPortion(
  { selected, changed, refused, refusals }: Count,
  portion: { selected: number; changed: number; refusals: ReadonlyMap<Id, Refusal> },
): Count {
  const more = [...portion.refusals].slice(0, shownRefusals - refusals.length);
  return {
    selected: selected + portion.selected,
    changed: changed + portion.changed,
    refused: refused + portion.refusals.size,
    refusals: [...refusals, ...more.map(([id, { code, message }]) => ({ id, code, message }))],
  };
}

/** A refusal of the whole call, such as of a right lost meanwhile, states how many items were changed before it. */
function afterSome({ changed }: Count): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Refusal) || changed === 0) throw error;
    throw new Refusal(error.code, `${error.message} Before that, ${changed} items were changed.`);
  };
}

// Few enough that no other call waits long for them; fewer at a time where items are large.
const itemsAtOnce = 500;

/** An action, and its items: those with the ids, in order, or those selected by the filter. */
interface Task {
  readonly action: BulkAction;
  readonly ids: readonly Id[] | undefined;
  readonly filter?: unknown;
  /** The unique keys that a dry run would have taken and freed; undefined for a real run. */
  readonly trial: Trial | undefined;
  /** The batch of the changed items, as soon as there is one. */
  readonly batchId?: Id | undefined;
}

/** The last item done, and the last one to do: later items are not included. */
interface Cursor {
  readonly after: Id;
  readonly upTo?: Id;
}

/** The outcome of a portion, and the cursor. */
export interface Done {
  readonly selected: number;
  readonly changed: number;
  readonly refusals: ReadonlyMap<Id, Refusal>;
  /** The items before the action; `decided` are those that were changed. */
  readonly found: readonly Found[];
  readonly decided: readonly Decided[];
  readonly batchId: Id | undefined;
  readonly next: Cursor | undefined;
}

/** Lock, decide, save, record: one portion of the items. */
async function doPortion(context: QueueContext, task: Task, cursor: Cursor): Promise<Done> {
  const { queue } = context;
  const target = await targetOf(context, task.action);
  const { found, missing, next } = await findPortion(context, task, cursor);
  const { decided, refusals } = await decideAll(context, target, task, found);
  for (const id of missing) refusals.set(id, unknownItem(queue, id));
  const isDone = task.trial === undefined && decided.length > 0;
  const batchId = isDone ? await saveAll(context, target, task, decided) : task.batchId;
  if (batchId !== undefined && !next) await watchBulkBatch(context.db, queue.id, batchId);
  const selected = found.length + missing.length;
  return { selected, changed: decided.length, refusals, found, decided, batchId, next };
}

/** The queue of the items afterwards. @throws Refusal when the action makes no sense for any of them */
async function targetOf(context: QueueContext, action: BulkAction): Promise<QueueDefinition> {
  const { queue } = context;
  const target = action.name === 'MOVE' ? await findOtherQueue(context, action.queueId, 'add') : queue;
  const problem =
    action.name === 'MOVE' ? transferProblem(queue, target) : editProblem(action, queue.attributes);
  if (problem) throw problem;
  return target;
}

interface Portion {
  readonly found: readonly Found[];
  readonly missing: readonly Id[];
  readonly next: Cursor | undefined;
}

async function findPortion(context: QueueContext, task: Task, cursor: Cursor): Promise<Portion> {
  const { db, queue } = context;
  const where = task.ids ? sql`true` : conditionOf(queue, task.filter);
  const wanted = task.ids ?? { where, batchId: batchIdIn(task.filter) };
  const { candidates, next } = await lookAhead(context, wanted, cursor);
  const items = await (task.trial ? readItems : lockItems)(db, queue.id, candidates);
  // Until it was locked, an item could still change: one that no longer matches is left alone.
  const matching = await selectMatchingData(db, queue.id, candidates, where);
  const records = new Map(matching.map((record) => [record.id, record]));
  const found = items.flatMap((item) => {
    const record = records.get(item.id);
    return record ? [{ item, json: inPresentNames(queue, record.json, record.modelVersion) }] : [];
  });
  const known = new Set(items.map(({ id }) => id));
  const missing = task.ids ? candidates.filter((id) => !known.has(id)) : [];
  return { found, missing, next };
}

/** The items selected by a filter. */
interface Wanted {
  readonly where: Sql;
  /** The batch required by the filter. */
  readonly batchId: Sql | undefined;
}

/** The ids of the items to examine now, and the cursor when there are more after them. */
async function lookAhead(
  { db, queue }: QueueContext,
  wanted: readonly Id[] | Wanted,
  { after, upTo }: Cursor,
): Promise<{ candidates: readonly Id[]; next: Cursor | undefined }> {
  const last = !('where' in wanted) ? 0 : (upTo ?? (await selectLastId(db, queue.id)));
  // One more than the portion shows whether there are more.
  const limit = itemsAtOnce + 1;
  const ahead =
    'where' in wanted
      ? await selectMatchingIds(db, queue.id, wanted, { after, upTo: last, limit })
      : wanted.filter((id) => id > after).slice(0, limit);
  const beyond = await selectFirstBeyond(db, queue, ahead);
  const candidates = ahead.slice(0, itemsAtOnce).filter((id) => beyond === undefined || id < beyond);
  const end = candidates.at(-1);
  const isDone = end === undefined || candidates.length === ahead.length;
  return { candidates, next: isDone ? undefined : { after: end, upTo: last } };
}

function conditionOf(queue: QueueDefinition, filter: unknown): Sql {
  const condition = readFilter(filter, itemFields(queue));
  if (condition) return condition;
  const message = 'restricts nothing. For all items of the queue, ask for those whose id is greater than 0';
  throw new Refusal('INVALID_REQUEST', `The filter ${message}.`, { details: [{ field: 'filter', message }] });
}

async function decideAll(
  context: QueueContext,
  target: QueueDefinition,
  { action, trial }: Task,
  found: readonly Found[],
): Promise<{ decided: Decided[]; refusals: Map<Id, Refusal> }> {
  const { queue, actor, now } = context;
  // Otherwise trials would tell, of one guess after the other, which items have the value.
  const isGuess = !actor.permissions.has('revealSensitive');
  const seal = (id: Id, json: JsonRecord, before: JsonRecord) => sealed(queue, { id, isGuess }, json, before);
  const circumstances: BulkCircumstances = { actorId: actor.id, queue, target, now, seal };
  const refusals = new Map<Id, Refusal>();
  const decided: Decided[] = [];
  for (const candidate of found) {
    const verdict = decideAction(candidate, sealedAction(action, candidate, circumstances), circumstances);
    if (verdict instanceof Refusal) refusals.set(candidate.item.id, verdict);
    else if (verdict !== 'unchanged') decided.push(verdict);
  }
  const wanting = decided.filter((one) => wantsKey(action, one, circumstances));
  for (const [id, refusal] of await keysFor(context, target, wanting, trial)) refusals.set(id, refusal);
  return { decided: decided.filter(({ move }) => !refusals.has(move.item.id)), refusals };
}

/** An edit with its sensitive values in the item's stored form. Corrections differ by item: they are checked before that. */
function sealedAction(
  action: BulkAction,
  { item, json }: Found,
  { queue, seal }: BulkCircumstances,
): BulkAction {
  if (!queue.sealer || action.name !== 'EDIT') return action;
  return { ...action, json: seal(item.id, action.json, json) };
}

/** Reserves unique keys in the target; returns the refusals by item id. */
async function keysFor(
  { db, queue }: QueueContext,
  target: QueueDefinition,
  wanting: readonly Decided[],
  trial: Trial | undefined,
): Promise<Map<Id, Refusal>> {
  const items = wanting.map(({ found, move, json }) => {
    const had = target.id === queue.id && holdsKey(queue, found.item.status);
    return { id: move.item.id, json, former: had ? found.json : undefined };
  });
  return trial ? tryKeys(db, target, items, trial) : reserveKeys(db, target, items);
}

/** Saves the decided changes as one batch; returns its id. */
async function saveAll(
  context: QueueContext,
  target: QueueDefinition,
  { action, batchId: known }: Task,
  decided: readonly Decided[],
): Promise<Id> {
  const batchId = known ?? (await openBulkBatch(context, action.reason ?? action.name));
  if (action.name === 'MOVE') await transfer(context, target, decided, batchId);
  else await saveHere(context, action, decided, batchId);
  return batchId;
}

async function saveHere(
  context: QueueContext,
  action: BulkAction,
  decided: readonly Decided[],
  batchId: Id,
): Promise<void> {
  const { db, queue, actor } = context;
  const records = decided.map(({ move, json }) => ({ id: move.item.id, json }));
  const isEdit = action.name === 'EDIT' || action.name === 'CORRECT';
  if (isEdit) await saveRecords(db, queue, records, queue.modelVersion);
  const restarted = decided.filter(({ move }) => move.transition === 'restart');
  const remedies = await noteRemedies(context, batchId, restarted.map(itemOf));
  const by = { operation: operationOf(action), actorId: actor.id, batchId };
  const changes = decided.map(({ found: { item, json }, move, json: stored }): Change => {
    const change = { ...changeOf(item, move), ...by };
    if (action.name === 'DELETE')
      return { ...change, after: undefined, reason: action.reason, changes: { json } };
    const remedyId = remedies.get(item.id) ?? move.item.remedyId;
    return { ...change, after: { ...move.item, remedyId }, changes: eventChanges(action, item.id, stored) };
  });
  await save(context, queue.id, changes);
}

const itemOf = ({ found }: Decided): Item => found.item;

const operationOf = ({ name }: BulkAction) =>
  name === 'CORRECT' ? 'updateWorkItems' : 'updateWorkItemStatus';

/** The range of items to examine: after one id up to another, with a limit. */
interface Stretch {
  readonly after: Id;
  readonly upTo: Id;
  readonly limit: number;
}

/** The greatest id of an item in the queue; 0 when there is none. */
async function selectLastId(db: Db, queueId: Id): Promise<Id> {
  const row = await db.row<{ id: Id }>(sql`
    select coalesce(max(id), 0) as id from work_items where queue_id = ${queueId}`);
  return row?.id ?? 0;
}

/** The ids of items that match a condition on the item `i` and its data `d`, in their order. */
async function selectMatchingIds(
  db: Db,
  queueId: Id,
  { where, batchId }: Wanted,
  stretch: Stretch,
): Promise<Id[]> {
  const { after, upTo, limit } = stretch;
  const walks = batchId
    ? await walksOfBatch(db, queueId, batchId, stretch)
    : [
        sql`(select w.*, w.id as turn from work_items w where w.queue_id = ${queueId} and w.id > ${after} and w.id <= ${upTo})`,
      ];
  const first = walks.map(
    (walk) => sql`(
      select i.turn from ${walk} i ${dataOf(queueId)} where ${where} order by i.turn limit ${limit})`,
  );
  const rows = await db.rows<{ id: Id }>(sql`
    select turn as id from (${join(first, ' union all ')}) i order by turn limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** The first of the items that is too large to be read together with those before it, if any. */
async function selectFirstBeyond(
  db: Db,
  queue: QueueDefinition,
  ids: readonly Id[],
): Promise<Id | undefined> {
  const row = await db.row<{ id?: Id }>(sql`
    select min(id) as id from (
      select i.id, ${bytesBefore(itemBytes(queue), raw('i.id'))} as before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queue.id} and i.id = any(${ids}::bigint[])) sized
    where before >= ${portionBytes}`);
  return row?.id;
}

/** The data of the items that match a condition. */
function selectMatchingData(db: Db, queueId: Id, ids: readonly Id[], where: Sql) {
  return db.rows<VersionedRecord & { id: Id }>(sql`
    select i.id, d.json, coalesce(i.model_version, 0) as "modelVersion" from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id = any(${ids}::bigint[]) and ${where}`);
}
