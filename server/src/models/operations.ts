import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertTenantEvents } from '../events/sql.ts';
import { listQuery } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { findModel } from './find.ts';
import { defineModel } from './rules.ts';
import { countModels, insertModel, modelFields, modelId, selectModels } from './sql.ts';

export const createWorkItemModel: PlainOperation<'createWorkItemModel'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { tenantId, id: actorId } = actor;
  const model = await readModel(
    context,
    await insertModel(db, defineModel(body), { tenantId, actorId, now }),
  );
  const changes = { workItemModelId: model.id, name: model.name };
  await insertTenantEvents(db, tenantId, [{ operation: 'createWorkItemModel', actorId, changes }], now);
  return model;
};

export const getWorkItemModel: PlainOperation<'getWorkItemModel'> = async (context, { path }) =>
  readModel(context, path.id);

async function readModel(context: Context, id: Id): Promise<Schemas['WorkItemModel']> {
  const model = await findModel(context, id);
  if (!model)
    throw new Refusal(
      'NOT_FOUND',
      `There is no work item model ${id}. POST /v4/wlm/workitemmodels/list lists all.`,
    );
  return model;
}

export const listWorkItemModels: PlainOperation<'listWorkItemModels'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, modelFields, modelId);
  const counts = await countModels(db, actor.tenantId, query.where);
  const list = await selectModels(db, actor.tenantId, query);
  return { page: { offset: query.offset, ...counts }, list };
};
