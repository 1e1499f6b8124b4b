import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { permissionsForAllModels } from '../access/users/permissions.ts';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal, registerConstraints } from '../engine/errors.ts';
import { namesField } from '../engine/lists/filter.ts';
import { listQuery, pageOf, type ListQuery } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import {
  authorOf,
  type Actor,
  type Attribute,
  type Author,
  type Context,
  type PlainOperation,
} from '../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../engine/quotas.ts';
import { recordOfTenant, recordOfAccess } from '../journal/journal.ts';
import { reorderDeletedQueues } from '../queues/deleted.ts';
import { modelsOfUser, reorderSensitiveQueues } from '../queues/of-model.ts';
import { isMarked } from '../records/sensitive.rules.ts';
import { modelColumns, readModel, type StoredAttribute, type StoredModel } from '../records/model.ts';
import { mayChangeModel } from './archive.ts';
import { defineModel } from './rules.ts';

export const createWorkItemModel: PlainOperation<'createWorkItemModel'> = async (context, { body }) => {
  const { db, actor } = context;
  const { name, attributes } = defineModel(body);
  if (attributes.some(isMarked)) await context.vault.ensureSealer(db, actor.tenantId, context.now);
  const complete = { name, attributes: await withIds(context, attributes) };
  const id = await insertModel(db, actor.tenantId, complete, authorOf(context));
  await refuseExcess(db, modelsOfTenant(actor.tenantId));
  await refuseNamesake(context, name);
  const changes = { workItemModelId: id, name };
  await recordOfTenant(context, { operation: 'createWorkItemModel', changes });
  return readModel(context, id);
};

const modelsOfTenant = (tenantId: Id): Kind => ({
  things: 'work item models in this tenant, archived ones among them',
  rows: sql`work_item_models where tenant_id = ${tenantId}`,
  quota: 10_000,
  wayOut: 'Delete those that no queue uses first.',
});

/** @throws Refusal NAME_TAKEN when another model has the name in another form of its characters */
export function refuseNamesake({ db, actor }: Context, name: string): Promise<void> {
  return refuseLookalike(db, modelsOfTenant(actor.tenantId).rows, raw('name'), name);
}

/** The attributes; new ones get ids. */
export async function withIds(
  { db }: Pick<Context, 'db'>,
  attributes: readonly Attribute[],
): Promise<StoredAttribute[]> {
  const ids = await reserveAttributeIds(db, attributes.filter(({ id }) => id === undefined).length);
  return attributes.map(({ id, ...attribute }) => ({ id: id ?? (ids.shift() as Id), ...attribute }));
}

export const getWorkItemModel: PlainOperation<'getWorkItemModel'> = async (context, { path, query }) => {
  const stored = await readModel(context, path.id, { scope: seenBy(context.actor) });
  const unsealedItems = await countUnsealed(context.db, stored);
  const mayEdit = context.actor.permissions.has('createQueues') && (await mayChangeModel(context, stored));
  const capabilities: ('view' | 'edit')[] = mayEdit ? ['view', 'edit'] : ['view'];
  const model = { ...stored, ...(unsealedItems > 0 && { unsealedItems }), capabilities };
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
  const query = listQuery(body, modelFields, modelTieBreak);
  const archiveFilter = namesField(body?.filter, 'archived') ? archiveFilters.all : archiveFilters.current;
  const scope = sql`m.tenant_id = ${actor.tenantId} and ${seenBy(actor)} and ${archiveFilter}`;
  const page = await pageOf(db, query, sql`work_item_models m where ${scope}`);
  return { page, list: await selectModels(db, scope, query) };
};

/** The models that a user may see: those of the user's queues, unless a permission shows all. */
function seenBy({ id, permissions }: Actor): Sql {
  const seesAll = permissionsForAllModels.some((permission) => permissions.has(permission));
  return seesAll ? raw('true') : sql`m.id in (${modelsOfUser(id)})`;
}

/** The fields by which models can be filtered and sorted. */
const modelFields: Record<string, Field> = {
  id: { column: raw('m.id'), type: 'id' },
  name: { column: raw('m.name'), type: 'text' },
  archived: { column: raw('(m.archived_on is not null)'), type: 'boolean' },
  createdOn: { column: raw('m.created_on'), type: 'time' },
  updatedOn: { column: raw('m.updated_on'), type: 'time' },
};

const modelTieBreak: Sql = raw('m.id');

export const rotateTenantKey: PlainOperation<'rotateTenantKey'> = async (context) => {
  const { db, actor, now, vault } = context;
  const version = await vault.addDataKey(db, actor.tenantId, now);
  const queues = await reorderSensitiveQueues(db, actor.tenantId);
  await reorderDeletedQueues(db, actor.tenantId);
  await recordOfAccess(context, { operation: 'rotateTenantKey', changes: { version, queues } });
  return { version, queues };
};

const mostCounted = 10_000;

/** Number of items that the job has not yet adapted to the marks of the model. */
async function countUnsealed(db: Db, { id, attributes }: StoredModel): Promise<number> {
  if (attributes.every(({ sensitivity }) => sensitivity === undefined)) return 0;
  const behind = await selectBehind(db, id);
  let total = 0;
  for (const { queueId, after } of behind) total += await countItems(db, queueId, after);
  return total;
}

/** The queues of a model whose items are being adapted to it, each with the last adapted item. */
function selectBehind(db: Db, modelId: Id): Promise<{ queueId: Id; after: Id }[]> {
  return db.rows(sql`
    select id as "queueId", rekey_after as after from queues where model_id = ${modelId} and rekey_after is not null`);
}

async function countItems(db: Db, queueId: Id, after: Id): Promise<number> {
  const row = await db.row<{ count: number }>(sql`
    select count(*)::int as count from (
      select from work_items where queue_id = ${queueId} and id > ${after} limit ${mostCounted}) i`);
  return row?.count ?? 0;
}

/** The models in a list: archived ones only where it asks for them. */
const archiveFilters = { current: raw('m.archived_on is null'), all: raw('true') };

/** Ids for new attributes. */
async function reserveAttributeIds(db: Db, count: number): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select nextval('work_item_attribute_ids') as id from generate_series(1, ${count})`,
  );
  return rows.map(({ id }) => id);
}

registerConstraints({
  work_item_models_name_unique: {
    code: 'NAME_TAKEN',
    message: 'A work item model of this name exists already. Choose another name.',
  },
});

/** Stores a model with its first version; returns its id. */
async function insertModel(
  db: Db,
  tenantId: Id,
  { name, attributes }: { name: string; attributes: readonly StoredAttribute[] },
  { actorId, now }: Author,
): Promise<Id> {
  const [model] = await db.rows<{ id: Id }>(sql`
    with m as (
      insert into work_item_models (tenant_id, name, attributes, created_by, created_on, updated_by, updated_on)
      values (${tenantId}, ${name}, ${stringifyJson(attributes)}, ${actorId}, ${now}, ${actorId}, ${now})
      returning *),
    v as (${versionOf(raw('m'))})
    select id from m`);
  return (model as { id: Id }).id;
}

/** A former version of a model, as it was while it was the present one. */
function selectModelVersion(
  db: Db,
  id: Id,
  version: number,
): Promise<Pick<StoredModel, 'name' | 'version' | 'attributes' | 'updatedBy' | 'updatedOn'> | undefined> {
  return db.row(sql`
    select name, version, attributes, updated_by as "updatedBy", updated_on as "updatedOn"
    from work_item_model_versions where model_id = ${id} and version = ${version}`);
}

function selectModels(
  db: Db,
  scope: Sql,
  { where, orderBy, limit, offset }: ListQuery,
): Promise<Schemas['WorkItemModel'][]> {
  return db.rows(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where ${scope} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** Keeps the present version of a model for good. */
export const versionOf = (source: Sql): Sql => sql`
  insert into work_item_model_versions (model_id, version, name, attributes, updated_by, updated_on)
  select id, version, name, attributes, updated_by, updated_on from ${source}`;
