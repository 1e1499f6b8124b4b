import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal, shownProblems } from '../engine/errors.ts';
import { authorOf, type Author, type Context, type PlainOperation } from '../engine/operation.ts';
import { recordOfTenant } from '../journal/journal.ts';
import { ownQueuesOfModel, queuesUsingModel } from '../queues/of-model.ts';
import { readModel, type StoredModel } from '../records/model.ts';

export const archiveWorkItemModel: PlainOperation<'archiveWorkItemModel'> = (context, { path }) =>
  setArchived(context, path.id, { archived: true, operation: 'archiveWorkItemModel' });

export const restoreWorkItemModel: PlainOperation<'restoreWorkItemModel'> = (context, { path }) =>
  setArchived(context, path.id, { archived: false, operation: 'restoreWorkItemModel' });

async function setArchived(
  context: Context,
  id: StoredModel['id'],
  { archived, operation }: { archived: boolean; operation: string },
): Promise<StoredModel> {
  const { db } = context;
  const model = await readModel(context, id, { hold: 'changed' });
  await refuseStrangers(context, model);
  if (model.archived === archived) return model;
  await setModelArchived(db, id, archived, authorOf(context));
  await record(context, operation, model);
  return readModel(context, id);
}

export const deleteWorkItemModel: PlainOperation<'deleteWorkItemModel'> = async (context, { path }) => {
  const model = await readModel(context, path.id, { hold: 'changed' });
  await refuseStrangers(context, model);
  await refuseWhileUsed(context, model);
  await deleteModelRow(context.db, model.id);
  await record(context, 'deleteWorkItemModel', model);
};

async function refuseWhileUsed({ db }: Context, { id }: StoredModel): Promise<void> {
  const queues = await queuesUsingModel(db, id);
  if (queues.length === 0) return;
  const names = queues.slice(0, 10).map((queue) => `${JSON.stringify(queue.name)} (${queue.id})`);
  const others = queues.length > names.length ? ` and ${queues.length - names.length} more` : '';
  throw new Refusal(
    'IN_USE',
    `Model ${id} is used by ${queues.length === 1 ? 'queue' : 'queues'} ${names.join(', ')}${others}. Delete them first, or archive the ` +
      `model, so that no new queue uses it: POST /v4/wlm/workitemmodels/${id}/archive.`,
    { details: queues.slice(0, shownProblems).map((queue) => ({ queueId: queue.id, message: queue.name })) },
  );
}

async function record(context: Context, operation: string, { id, name }: StoredModel): Promise<void> {
  await recordOfTenant(context, { operation, changes: { workItemModelId: id, name } });
}

/**
 * A change of a model changes its queues: it is for queue admins, for its maker, and for users who own a queue of it together with the
 * maker, the latter two only while they own all queues that use it. A user's own queue on another's model gives no right to it.
 * @throws Refusal FORBIDDEN for anybody else
 */
export async function refuseStrangers(context: Context, model: StoredModel): Promise<void> {
  const { isTrusted, ownsAll } = await relationTo(context, model);
  if (isTrusted && ownsAll) return;
  const message = isTrusted
    ? `Model ${model.id} is used by queues that you do not own.`
    : `Model ${model.id} was created by somebody else.`;
  throw new Refusal('FORBIDDEN', `${message} Ask an owner, or a queue admin.`);
}

/** Whether the caller may change a model, apart from others who hold it. */
export async function mayChangeModel(context: Context, model: StoredModel): Promise<boolean> {
  const { isTrusted, ownsAll } = await relationTo(context, model);
  return isTrusted && ownsAll;
}

async function relationTo(
  context: Context,
  model: StoredModel,
): Promise<{ readonly isTrusted: boolean; readonly ownsAll: boolean }> {
  const { actor } = context;
  if (actor.permissions.has('manageAllQueues')) return { isTrusted: true, ownsAll: true };
  const { all = true, withMaker = false } = await ownQueuesOfModel(context, model);
  return { isTrusted: model.createdBy === actor.id || withMaker, ownsAll: all };
}

async function setModelArchived(db: Db, id: Id, archived: boolean, { actorId, now }: Author) {
  await db.rows(sql`
    update work_item_models set archived_on = ${archived ? now : null}, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

async function deleteModelRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from work_item_models where id = ${id}`);
}
