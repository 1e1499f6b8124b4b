import type { Id, Schemas } from '@millrace/api';
import { raw, sql } from '../db.ts';
import { freePlaces } from '../duplicates/operations.ts';
import { Refusal } from '../errors.ts';
import { insertEvents, selectItemEvents } from '../events/sql.ts';
import { listQuery, type Field } from '../lists.ts';
import type { Attribute } from '../models/rules.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { insertTally, selectTotals } from '../stats/sql.ts';
import { attemptsOf, doubtOf } from './attempts.rules.ts';
import { unknownItem } from './consume.ts';
import { selectLogTail } from './logs.sql.ts';
import { countItems, deleteItem, lockItems, selectData, selectItem, selectItems } from './sql.ts';
import { tallyOf } from './tally.rules.ts';

export const getWorkItem: QueueOperation<'getWorkItem'> = async (context, { path }) => {
  const { db, queue } = context;
  const [item, events, logTail] = await Promise.all([
    readItem(context, path.workItemId),
    selectItemEvents(db, queue.id, path.workItemId),
    selectLogTail(db, queue.id, path.workItemId),
  ]);
  const [attempts, doubt] = [attemptsOf(events), doubtOf(item, events)];
  return {
    ...item,
    ...(attempts.length > 0 && { attempts }),
    ...(doubt && { doubt }),
    ...(logTail !== undefined && { logTail }),
  };
};

/** The item as the contract shows it, without what only its timeline tells. @throws Refusal NOT_FOUND. */
export async function readItem({ db, queue }: QueueContext, itemId: Id): Promise<Schemas['WorkItem']> {
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
  resultText: { column: raw('i.result_text'), type: 'text' },
  tags: { column: raw('i.tags'), type: 'texts' },
};

export const listWorkItemEvents: QueueOperation<'listWorkItemEvents'> = async ({ db, queue }, { path }) => {
  const list = await selectItemEvents(db, queue.id, path.workItemId);
  if (list.length === 0) throw unknownItem(queue, path.workItemId);
  return { list, attempts: attemptsOf(list) };
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
