import type { Schemas } from '@millrace/api';
import { comparedItems, replaceAll } from '../duplicates/compare.ts';
import { Refusal } from '../errors.ts';
import { changedMembers } from '../events/rules.ts';
import { listQuery, namesField } from '../lists.ts';
import { makeOwner } from '../members/owner.ts';
import { findModel } from '../models/find.ts';
import type { PlainOperation, QueueContext, QueueOperation } from '../operation.ts';
import { wakeConsumers } from './pause.ts';
import { readQueue, record } from './read.ts';
import { comparesAnew } from './settings/duplicates.ts';
import { changedSettings, changesExpiry, isReordered, newSettings } from './settings/rules.ts';
import type { QueueSettings } from './settings/settings.ts';
import {
  countQueues,
  insertQueue,
  lockOutWriters,
  queueFields,
  queueId,
  queueShelves,
  selectQueues,
  updateQueueSettings,
  type StoredQueue,
} from './sql.ts';

export const createQueue: PlainOperation<'createQueue'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const modelId = body.workItemModelId;
  const model = await findModel(context, modelId);
  if (!model) throw noModel(`names no work item model: there is none with the id ${modelId}`);
  if (model.archived)
    throw noModel(`names model ${modelId}, which is archived: restore it first, or choose another`);
  const settings = newSettings(body, { attributes: model.attributes, now });
  const place = { tenantId: actor.tenantId, model };
  const id = await insertQueue(db, place, settings, { actorId: actor.id, now });
  await makeOwner(context, id);
  const changes = { name: settings.name, workItemModelId: modelId };
  await record(context, id, { operation: 'createQueue', changes });
  return readQueue(context, id);
};

function noModel(message: string): Refusal {
  const field = 'workItemModelId';
  const remedy = 'POST /v4/wlm/workitemmodels/list lists all.';
  return new Refusal('INVALID_REQUEST', `${field} ${message}. ${remedy}`, { details: [{ field, message }] });
}

export const getQueue: QueueOperation<'getQueue'> = async (context) => readQueue(context, context.queue.id);

export const listQueues: PlainOperation<'listQueues'> = async ({ db, actor }, { body }) => {
  const { where, ...rest } = listQuery(body, queueFields, queueId);
  const shelf = namesField(body?.filter, 'archived') ? queueShelves.all : queueShelves.current;
  const query = { ...rest, where, shelf };
  const counts = await countQueues(db, actor, query);
  const list = await selectQueues(db, actor, query);
  return { page: { offset: query.offset, ...counts }, list };
};

/** Members whose change may let somebody begin items that wait. */
const startMembers = ['status', 'reactivationThreshold', 'reactivationUnit'];

export const updateQueue: QueueOperation<'updateQueue'> = async (context, { body }) => {
  const { db, queue, actor, now } = context;
  const current = await readQueue(context, queue.id);
  refuseOtherQueue(current, body);
  const settings = changedSettings(current, body, { attributes: queue.attributes, now });
  const isCompared = comparesAnew(current, settings);
  if (isCompared) await compareAnew(context, settings);
  const renewsExpiry = changesExpiry(current, settings);
  const isRekeying = renewsExpiry || isReordered(current, settings);
  const change = { settings, isRekeying, renewsExpiry };
  await updateQueueSettings(db, queue.id, change, { actorId: actor.id, now });
  const changes = changedMembers(current, settings);
  await record(context, queue.id, { operation: 'updateQueue', changes });
  // While items were compared, devices that asked got none.
  const mayStart = isCompared || startMembers.some((member) => member in changes);
  if (settings.status === 'ACTIVE' && mayStart) await wakeConsumers(context, queue.id);
  return readQueue(context, queue.id);
};

function refuseOtherQueue(
  current: StoredQueue,
  { id, version, workItemModelId }: Schemas['QueueUpdate'],
): void {
  if (id !== undefined && id !== current.id) {
    throw new Refusal(
      'INVALID_REQUEST',
      `The body is about queue ${id}, the path about queue ${current.id}.`,
    );
  }
  if (workItemModelId !== undefined && workItemModelId !== current.workItemModelId) {
    throw new Refusal(
      'INVALID_REQUEST',
      `workItemModelId cannot change: queue ${current.id} is for items of model ${current.workItemModelId}. Create another queue.`,
    );
  }
  if (version !== current.version) {
    throw new Refusal(
      'VERSION_CONFLICT',
      `Queue ${current.id} is at version ${current.version} by now, not ${version}. Read it again, then repeat the change.`,
    );
  }
}

/** Compares the items of the queue by the settings to come, and gives each its place among them. */
async function compareAnew({ db, queue }: QueueContext, settings: QueueSettings): Promise<void> {
  const { disallowDuplicate, uniqueBy, duplicateScope } = settings;
  const wanted = { ...queue, disallowDuplicate, uniqueBy, duplicateScope };
  // First without keeping writers out: a busy queue would be held up, and the change refused nevertheless.
  await comparedItems(db, wanted);
  await lockOutWriters(db, queue.id);
  await replaceAll(db, wanted, await comparedItems(db, wanted));
}
