import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import { insertEvents } from '../events/sql.ts';
import { changedMembers } from '../events/rules.ts';
import type { Context } from '../operation.ts';
import {
  lockQueuesOfModel,
  renameSettings,
  saveModelOfQueue,
  selectOwnQueues,
  selectQueuesOfModel,
  type ModelledQueue,
  type OwnQueues,
  type TakenFromModel,
} from './model.sql.ts';
import { startRekeying } from './rekey.sql.ts';
import { renamedSettings } from './settings/renaming.ts';
import { lockOutWriters } from './sql.ts';

export type { ModelledQueue, TakenFromModel };

/** The queues of a model, held against other changes. */
export function holdQueuesOfModel(db: Db, modelId: Id): Promise<ModelledQueue[]> {
  return lockQueuesOfModel(db, modelId);
}

export function ownQueuesOfModel(
  { db, actor }: Context,
  model: { id: Id; createdBy: Id },
): Promise<OwnQueues> {
  return selectOwnQueues(db, actor.id, model);
}

export function queuesUsingModel(db: Db, modelId: Id): Promise<{ id: Id; name: string }[]> {
  return selectQueuesOfModel(db, modelId);
}

/** Waits until nobody writes items of these queues, and keeps it so until the transaction ends. */
export async function lockOutWritersOf(db: Db, queues: readonly ModelledQueue[]): Promise<void> {
  for (const { id } of queues) await lockOutWriters(db, id);
}

/** @throws Refusal IN_USE when a setting of one of the queues names an attribute that there will not be */
export function refuseLostNames(queues: readonly ModelledQueue[], after: TakenFromModel['attributes']): void {
  for (const queue of queues) renamedSettings(queue.id, queue, queue.attributes, after);
}

/** Gives a queue the next version of its model: its settings follow, and so do its items in the background. */
export async function takeModel(
  { db, actor, now }: Context,
  queue: ModelledQueue,
  { model, isRekeying }: { model: TakenFromModel; isRekeying: boolean },
): Promise<void> {
  const { displayColumns, workItemProcessingOrders, uniqueBy } = queue;
  const before = { displayColumns, workItemProcessingOrders, uniqueBy };
  const after = renamedSettings(queue.id, queue, queue.attributes, model.attributes);
  const changes = changedMembers(before, after);
  await saveModelOfQueue(db, queue.id, model);
  if (Object.keys(changes).length > 0) {
    const author = { actorId: actor.id, now };
    await renameSettings(db, queue.id, after, author);
  }
  if (isRekeying) await startRekeying(db, queue.id);
  const told = { modelVersion: model.modelVersion, ...changes };
  const event = { operation: 'updateWorkItemModel', actorId: actor.id, changes: told };
  await insertEvents(db, queue.id, [event], now);
}
