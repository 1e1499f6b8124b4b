import { isDeepStrictEqual } from 'node:util';
import type { Id, Input, Schemas, Status } from '@millrace/api';
import { needsKey } from '../../duplicates/rules.ts';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { QueueContext, QueueOperation } from '../../engine/operation.ts';
import { refusalsOf } from '../../fleet/devices/runs.ts';
import type { JsonRecord } from '../../records/record.ts';
import { exchangeData } from '../../records/stored.ts';
import { takeItem } from '../claim/claim.ts';
import { notHeld, applyReports } from '../finish/finish.ts';
import {
  arrivalIn,
  decideData,
  goesOn,
  isHolder,
  leaseFrom,
  outputProblem,
  resultProblem,
  sortKey,
  type Item,
  type Move,
} from '../item/rules.ts';
import { changeOf, save } from '../item/save.ts';
import { lockItems, saveLeases } from '../item/sql.ts';
import { missingItem, readItem } from '../read/read.ts';
import {
  decideCancel,
  decideProgress,
  decideResolve,
  decideSeenRepair,
  decideTake,
  decideUpdate,
} from './rules.ts';

type Body = Input<'updateWorkItem'>['body'];

export const updateWorkItem: QueueOperation<'updateWorkItem'> = async (context, input) => {
  const { actor } = context;
  const { path, body } = input;
  refuseOtherIds(input);
  orThrow(outputProblem(body.output));
  const device = await lockNamedDevice(context, body);
  const item = await lockItem(context, path.workItemId);
  const isReport = body.status !== undefined && body.status !== 'IN_PROGRESS';
  const holds = isHolder(item, actor.id) && item.version === body.version;
  if (isReport && holds) return reportByHolder(context, item, body);
  if (isReport && !actor.capabilities.has('repair')) return applyReport(context, body);
  if (holds) await keepByHolder(context, item, body);
  else await updateUnheld(context, item, { body, device });
  return readItem(context, item.id);
};

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

export const deleteWorkItem: QueueOperation<'deleteWorkItem'> = async (context, { path }) => {
  const { db, queue, actor } = context;
  const item = await lockItem(context, path.workItemId);
  if (item.status === 'IN_PROGRESS') {
    throw new Refusal('STATUS_CONFLICT', `Item ${item.id} is being processed. Delete it when it is done.`);
  }
  const changes = { json: await selectData(db, queue.id, item.id) };
  const removal = {
    before: item,
    transition: 'delete',
    operation: 'deleteWorkItem',
    actorId: actor.id,
  } as const;
  await save(context, queue.id, [{ ...removal, changes }]);
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

function orThrow<T>(verdict: T | Refusal): T {
  if (verdict instanceof Refusal) throw verdict;
  return verdict;
}

/** The holder ends the work, and may replace the record at the same time. */
async function reportByHolder(
  context: QueueContext,
  item: Item,
  body: Body,
): Promise<Schemas['WorkItem'] | Refusal> {
  const { queue, actor } = context;
  if (body.json) {
    const { record } = await exchange(context, item, item.status, { json: body.json });
    // The report itself is recorded as the event.
    const change = { before: item, after: item, transition: 'progress', actorId: actor.id, record } as const;
    await save(context, queue.id, [change]);
  }
  return applyReport(context, body);
}

/** An update by a user who does not hold the item: a consumer takes it, or a person corrects it. */
async function updateUnheld(context: QueueContext, item: Item, taking: Taking): Promise<void> {
  const { queue, actor } = context;
  const isTaken = taking.body.status === 'IN_PROGRESS';
  const isConsumer = isTaken && actor.capabilities.has('process');
  if (!isConsumer && !actor.capabilities.has('repair')) throw notHeld(queue, item.id);
  await (isTaken ? takeByConsumer(context, item, taking) : repairByPerson(context, item, taking.body));
}

/** A device named by an update, and the reason why its sender may not have items for it, if any. */
interface NamedDevice {
  readonly deviceId: Id | undefined;
  readonly refusal: Refusal | undefined;
}

/** Calls that take devices out of use lock them before their items: so do calls that take items for them. */
async function lockNamedDevice({ db, actor }: QueueContext, body: Body): Promise<NamedDevice> {
  const deviceId = body.status === 'IN_PROGRESS' ? body.deviceId : undefined;
  const [refusal] = await refusalsOf(db, [{ userId: actor.id, deviceId }]);
  return { deviceId, refusal };
}

/** An update that may be a request to take the item, for the named device. */
interface Taking {
  readonly body: Body;
  readonly device: NamedDevice;
}

/** A consumer takes a waiting item: it is leased as by a claim. */
async function takeByConsumer(context: QueueContext, item: Item, { body, device }: Taking): Promise<void> {
  const { db, queue, actor, now } = context;
  const holder = item.status === 'IN_PROGRESS' ? await selectHolder(db, item) : undefined;
  orThrow(decideTake(item, body, { queue, actor, holder, now }));
  const { deviceId, refusal } = device;
  // The device of an earlier attempt is part of the item as it was read, and not meant as a request.
  if (refusal && deviceId !== item.deviceId) throw refusal;
  const slot = { actorId: actor.id, deviceId: refusal ? undefined : deviceId };
  await takeItem(context, item.id, slot, 'updateWorkItem');
  if (isNews(body, await readItem(context, item.id)))
    await noteByHolder(context, await lockItem(context, item.id), body);
}

/** The holder keeps the item, as by a heartbeat, if the status is IN_PROGRESS; the version rises only if there is something to note. */
async function keepByHolder(context: QueueContext, item: Item, body: Body): Promise<void> {
  const { db, queue, now } = context;
  orThrow(resultProblem(item.status, body.result));
  if (body.status === undefined) return noteByHolder(context, item, body);
  const kept = { ...item, ...leaseFrom(now, item.leaseSeconds) };
  if (isNews(body, await readItem(context, item.id))) await noteByHolder(context, kept, body);
  else await saveLeases(db, queue.id, [kept]);
}

// The members that a holder may change while the work goes on.
const notedMembers = ['json', 'output', 'comment', 'progress', 'resultText', 'tags', 'priority'] as const;

/** Whether an update contains anything new: an item is often sent back whole, as it was read. */
function isNews(update: Body, known: Schemas['WorkItem']): boolean {
  return notedMembers.some(
    (name) => update[name] !== undefined && !isDeepStrictEqual(update[name], known[name]),
  );
}

/** The holder notes progress while the work goes on. */
async function noteByHolder(context: QueueContext, item: Item, body: Body): Promise<void> {
  await saveUpdate(context, item, decideProgress(item, body), body);
}

/** A person changes an item that nobody holds. */
async function repairByPerson(context: QueueContext, item: Item, body: Body): Promise<void> {
  await saveUpdate(context, item, orThrow(decideUpdate(item, body, context)), body);
}

/**
 * Applies a report like finishWorkItems. The refusal of a late one is returned, so that the report stays recorded; any other refusal undoes
 * the call.
 */
async function applyReport(context: QueueContext, body: Body): Promise<Schemas['WorkItem'] | Refusal> {
  const sent = { actorId: context.actor.id, id: body.id, report: reportIn(body) };
  const [outcome] = await applyReports(context, [sent], 'updateWorkItem');
  if (!outcome || !('refusal' in outcome)) return readItem(context, body.id);
  if (outcome.refusal.code !== 'LATE_REPORT') throw outcome.refusal;
  return outcome.refusal;
}

function reportIn(body: Body): Schemas['WorkItemReport'] {
  const { id, version, status, result, resultText, output, comment, error } = body;
  const { failureKind, deferredUntil, reason, tags } = body;
  const members = { id, version, status, result, resultText, output, comment, error };
  return { ...members, failureKind, deferredUntil, reason, tags } as Schemas['WorkItemReport'];
}

async function saveUpdate(context: QueueContext, before: Item, move: Move, body: Body): Promise<void> {
  const { queue, actor } = context;
  const { record, stored, output, rank } = await exchange(context, before, move.item.status, body);
  const { priority = before.priority } = body;
  const key = sortKey(priority, rank, arrivalIn(move.item.sortKey));
  const after = { ...move.item, output, priority, sortKey: key };
  const changes = eventChanges({ ...body, json: stored, output });
  const by = { operation: 'updateWorkItem', actorId: actor.id };
  await save(context, queue.id, [{ ...changeOf(before, move), after, ...by, record, changes }]);
}

// The other members of an update are the item as it was read, sent back.
const eventMembers = [
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

/** The members of an update that the timeline keeps. */
function eventChanges(body: { readonly [member in keyof Body]?: Body[member] | undefined }): object {
  return Object.fromEntries(eventMembers.map((name) => [name, body[name]]));
}

/** Lock, decide, save, record: a repair of one item by a person. */
async function saveRepair(
  context: QueueContext,
  itemId: Id,
  operation: string,
  decide: (item: Item) => Move | 'repeated' | Refusal,
): Promise<Schemas['WorkItem']> {
  const { queue, actor } = context;
  const before = await lockItem(context, itemId);
  const move = orThrow(decide(before));
  if (move === 'repeated') return readItem(context, itemId);
  const { status } = move.item;
  const isComing = needsKey(queue, before.status, status) || goesOn(before, status);
  const record = isComing ? (await exchange(context, before, status, {})).record : undefined;
  await save(context, queue.id, [{ ...changeOf(before, move), operation, actorId: actor.id, record }]);
  return readItem(context, itemId);
}

/** Replaces the data of an item by the sent ones; returns them with the record for its unique key, where it needs one. */
async function exchange(
  { db, queue }: QueueContext,
  item: Item,
  to: Status,
  sent: Pick<Body, 'json' | 'output'>,
) {
  const { id, modelVersion = 0 } = item;
  // The holder goes on with the names with which the item was claimed.
  const version = to === 'IN_PROGRESS' ? modelVersion : queue.modelVersion;
  const { json, ...next } = await exchangeData(db, queue, { id, version }, sent);
  orThrow(decideData(item, to, queue.attributes, json));
  // An item whose data do not fit has no key.
  return { ...next, record: { json, isNew: sent.json !== undefined || goesOn(item, to) } };
}

/** The name of the user who holds the item. */
async function selectHolder(db: Db, { claimedBy }: Item): Promise<string | undefined> {
  const user = sql`select username from users where id = ${claimedBy}`;
  return (await db.row<{ username: string }>(user))?.username;
}

async function selectData(db: Db, queueId: Id, itemId: Id): Promise<JsonRecord> {
  const data = sql`select json from work_item_data where queue_id = ${queueId} and item_id = ${itemId}`;
  return (await db.row<{ json: JsonRecord }>(data))?.json ?? {};
}
