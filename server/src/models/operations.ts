import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertTenantEvents } from '../events/sql.ts';
import { listQuery, namesField } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { readModel } from './find.ts';
import { defineModel, type Attribute } from './rules.ts';
import {
  countModels,
  insertModel,
  modelFields,
  modelId,
  modelShelves,
  reserveAttributeIds,
  selectModels,
  selectModelVersion,
  type StoredAttribute,
} from './sql.ts';

export const createWorkItemModel: PlainOperation<'createWorkItemModel'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const { tenantId, id: actorId } = actor;
  const { name, attributes } = defineModel(body);
  const complete = { name, attributes: await withIds(context, attributes) };
  const id = await insertModel(db, tenantId, complete, { actorId, now });
  const changes = { workItemModelId: id, name };
  await insertTenantEvents(db, tenantId, [{ operation: 'createWorkItemModel', actorId, changes }], now);
  return readModel(context, id);
};

/** The attributes, those that are new with ids of their own. */
export async function withIds(
  { db }: Pick<Context, 'db'>,
  attributes: readonly Attribute[],
): Promise<StoredAttribute[]> {
  const ids = await reserveAttributeIds(db, attributes.filter(({ id }) => id === undefined).length);
  return attributes.map(({ id, ...attribute }) => ({ id: id ?? (ids.shift() as Id), ...attribute }));
}

export const getWorkItemModel: PlainOperation<'getWorkItemModel'> = async (context, { path, query }) => {
  const model = await readModel(context, path.id);
  return query.modelVersion === undefined ? model : readVersion(context, model, query.modelVersion);
};

async function readVersion(
  { db }: Context,
  model: Schemas['WorkItemModel'],
  version: number,
): Promise<Schemas['WorkItemModel']> {
  const former = await selectModelVersion(db, model.id as Id, version);
  if (former) return { ...model, ...former };
  throw new Refusal(
    'NOT_FOUND',
    `Work item model ${model.id} has no version ${version}: it is at version ${model.version}.`,
  );
}

export const listWorkItemModels: PlainOperation<'listWorkItemModels'> = async ({ db, actor }, { body }) => {
  const { where, ...rest } = listQuery(body, modelFields, modelId);
  const shelf = namesField(body?.filter, 'archived') ? modelShelves.all : modelShelves.current;
  const counts = await countModels(db, actor.tenantId, { where, shelf });
  const list = await selectModels(db, actor.tenantId, { ...rest, where, shelf });
  return { page: { offset: rest.offset, ...counts }, list };
};
