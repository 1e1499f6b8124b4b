import { Refusal } from '../errors.ts';
import { insertTenantEvents } from '../events/sql.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { queuesUsingModel } from '../queues/of-model.ts';
import { readModel } from './find.ts';
import { refuseStrangers } from './owners.ts';
import { deleteModelRow, setModelArchived, type StoredModel } from './sql.ts';

export const archiveWorkItemModel: PlainOperation<'archiveWorkItemModel'> = (context, { path }) =>
  shelve(context, path.id, { archived: true, operation: 'archiveWorkItemModel' });

export const restoreWorkItemModel: PlainOperation<'restoreWorkItemModel'> = (context, { path }) =>
  shelve(context, path.id, { archived: false, operation: 'restoreWorkItemModel' });

async function shelve(
  context: Context,
  id: StoredModel['id'],
  { archived, operation }: { archived: boolean; operation: string },
): Promise<StoredModel> {
  const { db, actor, now } = context;
  const model = await readModel(context, id, 'changed');
  await refuseStrangers(context, model);
  if (model.archived === archived) return model;
  await setModelArchived(db, id, archived, { actorId: actor.id, now });
  await record(context, operation, model);
  return readModel(context, id);
}

export const deleteWorkItemModel: PlainOperation<'deleteWorkItemModel'> = async (context, { path }) => {
  const model = await readModel(context, path.id, 'changed');
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
    { details: queues.slice(0, 100).map((queue) => ({ queueId: queue.id, message: queue.name })) },
  );
}

async function record({ db, actor, now }: Context, operation: string, model: StoredModel): Promise<void> {
  const changes = { workItemModelId: model.id, name: model.name };
  await insertTenantEvents(db, actor.tenantId, [{ operation, actorId: actor.id, changes }], now);
}
