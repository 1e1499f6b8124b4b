import type { Id } from '@millrace/api';
import { sql, type Sql } from '../db.ts';
import { placeItems, tryPlaces, type Trial } from '../duplicates/operations.ts';
import { keepsOthersOut } from '../duplicates/rules.ts';
import { Refusal } from '../errors.ts';
import { readFilter } from '../lists/filter.ts';
import { inPresentNames } from '../models/names.ts';
import type { QueueContext } from '../operation.ts';
import { findOtherQueue } from '../queues/find.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { editProblem, toldOf, type BulkAction } from './bulk-request.rules.ts';
import { decideAction, transferProblem, wantsPlace, type Decided, type Found } from './bulk.rules.ts';
import {
  readItems,
  selectFirstBeyond,
  selectLastId,
  selectMatchingData,
  selectMatchingIds,
} from './bulk.sql.ts';
import { saveChanges } from './changes.ts';
import { unknownItem } from './consume.ts';
import { itemFields } from './fields.ts';
import { saveRecords } from './names.sql.ts';
import { removeItems } from './remove.ts';
import { lockItems } from './sql.ts';
import { transferItems } from './transfer.ts';

// Few enough that nobody waits long for them; fewer still when they are large.
const itemsAtOnce = 500;

/** What is to be done, and to which items: those with the ids, in their order, or those that the filter selects. */
export interface Task {
  readonly action: BulkAction;
  readonly ids: readonly Id[] | undefined;
  readonly filter: unknown;
  /** The places that a trial would have taken and freed; undefined when it is none. */
  readonly trial: Trial | undefined;
}

/** Where a call has come to, and up to which item it goes: those that come later are not meant. */
export interface Cursor {
  readonly after: Id;
  readonly upTo?: Id;
}

/** What was done, and where to go on. */
interface Done {
  readonly selected: number;
  readonly changed: number;
  readonly refusals: ReadonlyMap<Id, Refusal>;
  readonly next: Cursor | undefined;
}

/** Lock, decide, save, record: does the action to the next of the items. */
export async function doPortion(context: QueueContext, task: Task, cursor: Cursor): Promise<Done> {
  const { queue } = context;
  const target = await targetOf(context, task.action);
  const { found, missing, next } = await findPortion(context, task, cursor);
  const { decided, refusals } = await decideAll(context, target, task, found);
  for (const id of missing) refusals.set(id, unknownItem(queue, id));
  if (!task.trial && decided.length > 0) await save(context, target, task.action, decided);
  return { selected: found.length + missing.length, changed: decided.length, refusals, next };
}

/** The queue where the items are afterwards. @throws Refusal when the action makes no sense for any of them */
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
  const { candidates, next } = await lookAhead(context, task.ids ?? where, cursor);
  const items = await (task.trial ? readItems : lockItems)(db, queue.id, candidates);
  // Until it was locked, an item could still change: what does not match any more is left alone.
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

/** The ids of the items to look at now, and where to go on when there are others behind them. */
async function lookAhead(
  { db, queue }: QueueContext,
  wanted: readonly Id[] | Sql,
  { after, upTo }: Cursor,
): Promise<{ candidates: readonly Id[]; next: Cursor | undefined }> {
  const isList = Array.isArray(wanted);
  const last = isList ? 0 : (upTo ?? (await selectLastId(db, queue.id)));
  // One more than is done tells whether there are more.
  const limit = itemsAtOnce + 1;
  const ahead: readonly Id[] = isList
    ? (wanted as Id[]).filter((id) => id > after).slice(0, limit)
    : await selectMatchingIds(db, queue.id, wanted as Sql, { after, upTo: last, limit });
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
  const circumstances = { actorId: actor.id, queue, target, now };
  const refusals = new Map<Id, Refusal>();
  const decided: Decided[] = [];
  for (const one of found) {
    const verdict = decideAction(one, action, circumstances);
    if (verdict instanceof Refusal) refusals.set(one.item.id, verdict);
    else if (verdict !== 'unchanged') decided.push(verdict);
  }
  const wanting = decided.filter((one) => wantsPlace(action, one, circumstances));
  for (const [id, refusal] of await placesFor(context, target, wanting, trial)) refusals.set(id, refusal);
  return { decided: decided.filter(({ move }) => !refusals.has(move.item.id)), refusals };
}

/** Takes places in a queue without duplicates; answers who gets none, and why. */
async function placesFor(
  { db, queue }: QueueContext,
  target: QueueDefinition,
  wanting: readonly Decided[],
  trial: Trial | undefined,
): Promise<Map<Id, Refusal>> {
  const items = wanting.map(({ found, move, json }) => {
    const had = target.id === queue.id && keepsOthersOut(queue, found.item.status);
    return { id: move.item.id, json, former: had ? found.json : undefined };
  });
  return trial ? tryPlaces(db, target, items, trial) : placeItems(db, target, items);
}

async function save(
  context: QueueContext,
  target: QueueDefinition,
  action: BulkAction,
  decided: readonly Decided[],
): Promise<void> {
  const { db, queue, actor } = context;
  const operation = 'updateWorkItemStatus';
  if (action.name === 'MOVE') return transferItems(context, target, decided);
  if (action.name === 'DELETE') {
    const removed = decided.map(({ found }) => found);
    return removeItems(context, removed, { operation, reason: action.reason });
  }
  const records = decided.map(({ move, json }) => ({ id: move.item.id, json }));
  if (action.name === 'EDIT') await saveRecords(db, queue.id, records, queue.modelVersion);
  const changes = toldOf(action);
  const saved = decided.map(({ found, move }) => {
    return { before: found.item, move, operation, actorId: actor.id, changes };
  });
  await saveChanges(context, queue.id, saved);
}
