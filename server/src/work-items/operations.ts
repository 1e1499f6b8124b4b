import type { Id, Schemas } from '@millrace/api';
import { sql } from '../db.ts';
import { Refusal } from '../errors.ts';
import { listQuery } from '../lists.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { selectTotals } from '../stats/sql.ts';
import { withLog } from './attempts.rules.ts';
import { unknownItem } from './consume.ts';
import { itemFields } from './fields.ts';
import { selectLog } from './logs.sql.ts';
import { missingItem } from './missing.ts';
import { shown } from './names.ts';
import { removeItems } from './remove.ts';
import { readPage } from './page.ts';
import { countItems, lockItems, selectData, selectItem } from './sql.ts';
import { readAttempts, readDoubt, readStays, readTimeline } from './timeline.ts';

export const getWorkItem: QueueOperation<'getWorkItem'> = async (context, { path }) => {
  const { db, queue } = context;
  const [item, stays, log] = await Promise.all([
    readItem(context, path.workItemId),
    readStays(db, queue.id, path.workItemId),
    selectLog(db, queue.id, path.workItemId),
  ]);
  const [known, doubt] = await Promise.all([
    readAttempts(db, stays, path.workItemId),
    readDoubt(db, stays, item),
  ]);
  const attempts = withLog(known, log);
  const logTail = attempts.at(-1)?.logTail;
  return {
    ...item,
    ...(attempts.length > 0 && { attempts }),
    ...(doubt && { doubt }),
    ...(logTail !== undefined && { logTail }),
  };
};

/** The item as the contract shows it, without what only its timeline tells. @throws Refusal NOT_FOUND. */
export async function readItem(context: QueueContext, itemId: Id): Promise<Schemas['WorkItem']> {
  const { db, queue } = context;
  const item = await selectItem(db, queue, itemId);
  if (!item) throw await missingItem(context, itemId);
  return shown(queue, item);
}

export const listWorkItems: QueueOperation<'listWorkItems'> = async ({ db, queue, now }, { body }) => {
  const { where, orderBy, limit, offset } = listQuery(body, itemFields(queue), sql`i.id`);
  const { counts } = await selectTotals(db, queue.id, now);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const totalFilter = body.filter ? await countItems(db, queue.id, where) : total;
  const list = await readPage(db, queue, { where, orderBy, limit, offset });
  return { page: { offset, total, totalFilter }, list: list.map((item) => shown(queue, item)) };
};

const usualEvents = 1000;

export const listWorkItemEvents: QueueOperation<'listWorkItemEvents'> = async (
  { db, queue },
  { path, query: { after = 0, limit = usualEvents } },
) => {
  const stays = await readStays(db, queue.id, path.workItemId);
  const [{ list, isMore }, attempts] = await Promise.all([
    readTimeline(db, stays, path.workItemId, { after, limit }),
    readAttempts(db, stays, path.workItemId),
  ]);
  if (list.length === 0 && after === 0) throw unknownItem(queue, path.workItemId);
  return { list: [...list], attempts, isMore };
};

export const deleteWorkItem: QueueOperation<'deleteWorkItem'> = async (context, { path }) => {
  const { db, queue } = context;
  const [item] = await lockItems(db, queue.id, [path.workItemId]);
  if (!item) throw await missingItem(context, path.workItemId);
  if (item.status === 'IN_PROGRESS') {
    throw new Refusal('STATUS_CONFLICT', `Item ${item.id} is being processed. Delete it when it is done.`);
  }
  const json = await selectData(db, queue.id, item.id);
  await removeItems(context, [{ item, json }], { operation: 'deleteWorkItem' });
};
