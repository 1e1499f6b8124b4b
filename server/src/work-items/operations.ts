import type { Id, Input, Schemas } from '@millrace/api';
import { raw, sql } from '../db.ts';
import { freePlaces, placeItems } from '../duplicates/operations.ts';
import { keepsOthersOut, needsPlace } from '../duplicates/rules.ts';
import { Refusal } from '../errors.ts';
import { insertEvents, selectItemEvents } from '../events/sql.ts';
import { listQuery, type Field } from '../lists.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { insertTally, selectTotals } from '../stats/sql.ts';
import { saveChanges } from './changes.ts';
import { settleReports, unknownItem } from './consume.ts';
import {
  decideProgress,
  decideRepair,
  isHolder,
  tallyOf,
  type Item,
  type Move,
  type Update,
} from './rules.ts';
import { arrivalIn, sortKey } from './sort-key.ts';
import { countItems, deleteItem, lockItems, selectData, selectItem, selectItems, updateData } from './sql.ts';

export const getWorkItem: QueueOperation<'getWorkItem'> = async (context, { path }) =>
  readItem(context, path.workItemId);

async function readItem({ db, queue }: QueueContext, itemId: Id): Promise<Schemas['WorkItem']> {
  const item = await selectItem(db, queue, itemId);
  if (!item) throw unknownItem(queue, itemId);
  return item;
}

export const listWorkItems: QueueOperation<'listWorkItems'> = async ({ db, queue, now }, { body }) => {
  const { where, orderBy, limit, offset } = listQuery(body, listFields(queue), sql`i.id`);
  const { counts } = await selectTotals(db, queue.id, now);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const totalFilter = body.filter ? await countItems(db, queue.id, where) : total;
  const list = await selectItems(db, queue, { where, orderBy, limit, offset });
  return { page: { offset, total, totalFilter }, list };
};

/** The members to filter and sort on; a column has the type of its attribute. */
function listFields({ displayColumns, attributes }: QueueDefinition): Record<string, Field> {
  const columns = displayColumns.map((name, index): [string, Field] => {
    const type = attributes.find((attribute) => attribute.name === name)?.type ?? 'TEXT';
    return [`col${index + 1}`, columnFields[type](name)];
  });
  return { ...itemFields, ...Object.fromEntries(columns) };
}

const columnFields: Record<Attribute['type'], (name: string) => Field> = {
  TEXT: (name) => ({ column: sql`(d.json ->> ${name}::text)`, type: 'text' }),
  NUMBER: (name) => ({ column: sql`(d.json ->> ${name}::text)::numeric`, type: 'number' }),
  DATE: (name) => ({ column: sql`(d.json ->> ${name}::text)::timestamptz`, type: 'time' }),
  BOOLEAN: (name) => ({ column: sql`(d.json ->> ${name}::text)::boolean`, type: 'boolean' }),
};

const itemFields: Record<string, Field> = {
  id: { column: raw('i.id'), type: 'id' },
  status: { column: raw('i.status'), type: ['NEW', 'IN_PROGRESS', 'FAILED', 'COMPLETE', 'DEFERRED'] },
  result: { column: raw('i.result'), type: ['SUCCESS', 'FAILURE'] },
  failureKind: {
    column: raw('i.failure_kind'),
    type: ['BUSINESS', 'SYSTEM', 'DATA_ERROR', 'EXPIRED', 'IN_DOUBT'],
  },
  priority: { column: raw('i.priority'), type: 'integer' },
  retryCount: { column: raw('i.retry_count'), type: 'integer' },
  version: { column: raw('i.version'), type: 'integer' },
  deviceId: { column: raw('i.device_id'), type: 'id' },
  startTime: { column: raw('i.started_on'), type: 'time' },
  endTime: { column: raw('i.ended_on'), type: 'time' },
  createdOn: { column: raw('i.created_on'), type: 'time' },
  updatedOn: { column: raw('i.updated_on'), type: 'time' },
  leaseExpiresOn: { column: raw('i.lease_expires_on'), type: 'time' },
  deferredUntil: { column: raw("(case when i.status = 'DEFERRED' then i.not_before end)"), type: 'time' },
  comment: { column: raw('i.comment'), type: 'text' },
  error: { column: raw('i.error'), type: 'text' },
};

export const listWorkItemEvents: QueueOperation<'listWorkItemEvents'> = async ({ db, queue }, { path }) => {
  const list = await selectItemEvents(db, queue.id, path.workItemId);
  if (list.length === 0) throw unknownItem(queue, path.workItemId);
  return { list };
};

export const deleteWorkItem: QueueOperation<'deleteWorkItem'> = async (
  { db, queue, actor, now },
  { path },
) => {
  const [item] = await lockItems(db, queue.id, [path.workItemId]);
  if (!item) throw unknownItem(queue, path.workItemId);
  if (item.status === 'IN_PROGRESS') {
    throw new Refusal('STATUS_CONFLICT', `Item ${item.id} is being processed. Delete it when it is done.`);
  }
  const json = await selectData(db, queue.id, item.id);
  await freePlaces(db, queue.id, [item.id]);
  await deleteItem(db, queue.id, item.id);
  const event = { itemId: item.id, operation: 'deleteWorkItem', actorId: actor.id, from: item.status };
  await insertEvents(db, queue.id, [{ ...event, changes: { json } }], now);
  await insertTally(db, queue.id, tallyOf([{ before: item }]), now);
};

type Body = Input<'updateWorkItem'>['body'];

export const updateWorkItem: QueueOperation<'updateWorkItem'> = async (context, input) => {
  const { db, queue, actor } = context;
  const { path, body } = input;
  refuseOtherIds(input);
  const [item] = await lockItems(db, queue.id, [path.workItemId]);
  if (!item) throw unknownItem(queue, path.workItemId);
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
  const { version, status, result, output, comment, error, failureKind, deferredUntil } = body;
  const said = { version, status, result, output, comment, error, failureKind, deferredUntil };
  const sent = { actorId: context.actor.id, id: body.id, report: said as Schemas['WorkItemReport'] };
  const [outcome] = await settleReports(context, [sent], 'updateWorkItem');
  return outcome && 'refusal' in outcome ? outcome.refusal : undefined;
}

function repairOf({ queue, actor, now }: QueueContext, item: Item, update: Update): Move {
  if (!actor.capabilities.has('repair')) {
    throw new Refusal(
      'STATUS_CONFLICT',
      `You do not hold item ${item.id} of queue ${queue.id}; claim it first.`,
    );
  }
  const verdict = decideRepair(item, update, now);
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
  const json = body.json ?? (await selectData(db, queue.id, before.id));
  if (body.json) await replaceData(context, move.item, json);
  else if (needsPlace(queue, before.status, move.item.status)) await takePlace(context, before.id, json);
  const { priority = before.priority } = body;
  const place = sortKey(queue, priority, json, arrivalIn(before.sortKey));
  const after = { ...move.item, priority, sortKey: place };
  const change = { before, after, operation: 'updateWorkItem', actorId: actor.id, changes: changesIn(body) };
  await saveChanges(context, queue.id, [change]);
}

/** What an update says; what else came along is the item as it was read, sent back. */
function changesIn({
  status,
  result,
  json,
  output,
  comment,
  error,
  progress,
  priority,
  deferredUntil,
}: Body) {
  return { status, result, json, output, comment, error, progress, priority, deferredUntil };
}

async function replaceData(
  context: QueueContext,
  { id, status }: Pick<Item, 'id' | 'status'>,
  json: JsonRecord,
): Promise<void> {
  const { db, queue } = context;
  const [problem, ...more] = recordProblems(queue.attributes, json);
  if (problem) {
    const details = [problem, ...more];
    throw new Refusal('INVALID_REQUEST', `json: ${problem.field} ${problem.message}. Nothing was changed.`, {
      details,
    });
  }
  if (keepsOthersOut(queue, status)) await takePlace(context, id, json);
  await updateData(db, queue.id, id, json);
}

/** @throws Refusal when another item has the only place for this data. */
async function takePlace({ db, queue }: QueueContext, id: Id, json: JsonRecord): Promise<void> {
  const refusals = await placeItems(db, queue, [{ id, json }]);
  const refusal = refusals.get(id);
  if (refusal) throw refusal;
}
