import type { Id, Input, Schemas } from '@millrace/api';
import { placeItems } from '../duplicates/operations.ts';
import { keepsOthersOut, needsPlace } from '../duplicates/rules.ts';
import { Refusal } from '../errors.ts';
import { attributesAt, inPresentNames } from '../models/names.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { saveChanges } from './changes.ts';
import { settleReports } from './consume.ts';
import { decideProgress } from './lease.rules.ts';
import { missingItem } from './missing.ts';
import { readItem } from './operations.ts';
import { decideCancel, decideResolve, decideSeenRepair, decideUpdate, type Update } from './repair.rules.ts';
import { isHolder, outputProblem, type Item, type Move } from './rules.ts';
import { arrivalIn, sortKey } from './sort-key.ts';
import { saveRecords } from './names.sql.ts';
import { readRecord } from './names.ts';
import { lockItems } from './sql.ts';

type Body = Input<'updateWorkItem'>['body'];

export const updateWorkItem: QueueOperation<'updateWorkItem'> = async (context, input) => {
  const { actor } = context;
  const { path, body } = input;
  refuseOtherIds(input);
  granted(outputProblem(body.output));
  const item = await lockItem(context, path.workItemId);
  const isReport = body.status !== undefined && body.status !== 'IN_PROGRESS';
  const holds = isHolder(item, actor.id) && item.version === body.version;
  if (isReport && (holds || !actor.capabilities.has('repair'))) {
    if (holds && body.json) await replaceData(context, item, body.json);
    const refusal = await report(context, input);
    // A late report stays on record; any other refusal undoes what this call has done.
    if (refusal && refusal.code !== 'LATE_REPORT') throw refusal;
    return refusal ?? readItem(context, item.id);
  }
  const move = holds ? decideProgress(item, body) : repairOf(context, item, body);
  await saveUpdate(context, item, move, input);
  return readItem(context, item.id);
};

async function lockItem(context: QueueContext, itemId: Id): Promise<Item> {
  const { db, queue } = context;
  const [item] = await lockItems(db, queue.id, [itemId]);
  if (!item) throw await missingItem(context, itemId);
  return item;
}

function refuseOtherIds({ path, body }: Input<'updateWorkItem'>): void {
  if (body.id === path.workItemId && body.queueId === path.id) return;
  throw new Refusal(
    'INVALID_REQUEST',
    `The body is about item ${body.id} of queue ${body.queueId}, the path about item ${path.workItemId} of queue ${path.id}.`,
  );
}

/** Settles the holder's report like those of finishWorkItems; answers the refusal, so that its record is kept. */
async function report(
  context: QueueContext,
  { body }: Input<'updateWorkItem'>,
): Promise<Refusal | undefined> {
  const sent = { actorId: context.actor.id, id: body.id, report: reportIn(body) };
  const [outcome] = await settleReports(context, [sent], 'updateWorkItem');
  return outcome && 'refusal' in outcome ? outcome.refusal : undefined;
}

function reportIn(body: Body): Schemas['WorkItemReport'] {
  const { id, version, status, result, resultText, output, comment, error } = body;
  const { failureKind, deferredUntil, reason, tags } = body;
  const said = { id, version, status, result, resultText, output, comment, error };
  return { ...said, failureKind, deferredUntil, reason, tags } as Schemas['WorkItemReport'];
}

function repairOf({ queue, actor, now }: QueueContext, item: Item, update: Update): Move {
  if (!actor.capabilities.has('repair')) {
    throw new Refusal(
      'STATUS_CONFLICT',
      `You do not hold item ${item.id} of queue ${queue.id}; claim it first.`,
    );
  }
  return granted(decideUpdate(item, update, { queue, now }));
}

function granted<T>(verdict: T | Refusal): T {
  if (verdict instanceof Refusal) throw verdict;
  return verdict;
}

async function saveUpdate(
  context: QueueContext,
  before: Item,
  move: Move,
  { body }: Input<'updateWorkItem'>,
) {
  const { db, queue, actor } = context;
  const json = body.json
    ? await replaceData(context, move.item, body.json)
    : await readRecord(db, queue, before.id);
  if (body.json === undefined && needsPlace(queue, before.status, move.item.status))
    await takePlace(context, before.id, json);
  const { priority = before.priority } = body;
  const place = sortKey(queue, priority, json, arrivalIn(move.item.sortKey));
  const after = { ...move, item: { ...move.item, priority, sortKey: place } };
  const change = { before, move: after, operation: 'updateWorkItem', actorId: actor.id };
  await saveChanges(context, queue.id, [{ ...change, changes: changesIn(body) }]);
}

// What else comes along is the item as it was read, sent back.
const toldMembers = [
  'status',
  'result',
  'resultText',
  'json',
  'output',
  'comment',
  'error',
  'progress',
  'priority',
  'deferredUntil',
  'tags',
] as const;

/** What an update says, for the timeline. */
function changesIn(body: Body): object {
  return Object.fromEntries(toldMembers.map((name) => [name, body[name]]));
}

/** Exchanges the record of an item; answers it under the names of now. */
async function replaceData(
  context: QueueContext,
  { id, status, modelVersion = 0 }: Pick<Item, 'id' | 'status' | 'modelVersion'>,
  json: JsonRecord,
): Promise<JsonRecord> {
  const { db, queue } = context;
  // Whoever holds the item goes on with the names that it was claimed with.
  const version = status === 'IN_PROGRESS' ? modelVersion : queue.modelVersion;
  const [problem, ...more] = recordProblems(attributesAt(queue.attributes, version), json);
  if (problem) {
    const details = [problem, ...more];
    throw new Refusal('INVALID_REQUEST', `json: ${problem.field} ${problem.message}. Nothing was changed.`, {
      details,
    });
  }
  const record = inPresentNames(queue, json, version);
  if (keepsOthersOut(queue, status)) await takePlace(context, id, record);
  await saveRecords(db, queue.id, [{ id, json }], version);
  return record;
}

/** @throws Refusal when another item has the only place for this data. */
async function takePlace({ db, queue }: QueueContext, id: Id, json: JsonRecord): Promise<void> {
  const refusals = await placeItems(db, queue, [{ id, json }]);
  const refusal = refusals.get(id);
  if (refusal) throw refusal;
}

export const releaseWorkItem: QueueOperation<'releaseWorkItem'> = (context, { path, body }) =>
  saveRepair(context, path.workItemId, 'releaseWorkItem', (item) =>
    decideSeenRepair(item, { ...body, repair: 'release' }, context),
  );

export const restartWorkItem: QueueOperation<'restartWorkItem'> = (context, { path, body }) =>
  saveRepair(context, path.workItemId, 'restartWorkItem', (item) =>
    decideSeenRepair(item, { ...body, repair: 'restart' }, context),
  );

export const resolveWorkItem: QueueOperation<'resolveWorkItem'> = (context, { path, body }) =>
  saveRepair(context, path.workItemId, 'resolveWorkItem', (item) => decideResolve(item, body, context));

export const cancelWorkItem: QueueOperation<'cancelWorkItem'> = (context, { path, body }) => {
  const { actor, now } = context;
  return saveRepair(context, path.workItemId, 'cancelWorkItem', (item) =>
    decideCancel(item, { actorId: actor.id, reason: body.reason }, now),
  );
};

/** Lock, decide, save, record: what a person does to one item. */
async function saveRepair(
  context: QueueContext,
  itemId: Id,
  operation: string,
  decide: (item: Item) => Move | 'repeated' | Refusal,
): Promise<Schemas['WorkItem']> {
  const { db, queue, actor } = context;
  const before = await lockItem(context, itemId);
  const move = granted(decide(before));
  if (move === 'repeated') return readItem(context, itemId);
  if (needsPlace(queue, before.status, move.item.status))
    await takePlace(context, itemId, await readRecord(db, queue, itemId));
  await saveChanges(context, queue.id, [{ before, move, operation, actorId: actor.id }]);
  return readItem(context, itemId);
}
