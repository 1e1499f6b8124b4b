import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { Attribute, ModelDefinition } from './rules.ts';

const modelColumns = raw(`m.id, m.name, m.version, m.tenant_id as "tenantId", t.uuid as "tenantUuid",
  (select json_agg(json_build_object('id', a.id, 'name', a.name, 'type', a.type, 'isRequired', a.is_required)
                   order by a.position)
     from work_item_attributes a where a.model_id = m.id) as attributes,
  m.created_by as "createdBy", m.created_on as "createdOn", m.updated_by as "updatedBy", m.updated_on as "updatedOn"`);

/** What models can be filtered and sorted by. */
export const modelFields: Record<string, Field> = {
  id: { column: raw('m.id'), type: 'id' },
  name: { column: raw('m.name'), type: 'text' },
  createdOn: { column: raw('m.created_on'), type: 'time' },
  updatedOn: { column: raw('m.updated_on'), type: 'time' },
};

export const modelId: Sql = raw('m.id');

/** Stores a model with its attributes in their order; answers its id. */
export async function insertModel(
  db: Db,
  { name, attributes }: ModelDefinition,
  { tenantId, actorId, now }: { tenantId: Id; actorId: Id; now: Date },
): Promise<Id> {
  const list = stringifyJson(attributes.map((attribute, position) => ({ ...attribute, position })));
  const [model] = await db.rows<{ id: Id }>(sql`
    with m as (
      insert into work_item_models (tenant_id, name, created_by, created_on, updated_by, updated_on)
      values (${tenantId}, ${name}, ${actorId}, ${now}, ${actorId}, ${now}) returning id),
    a as (
      insert into work_item_attributes (model_id, position, name, type, is_required)
      select m.id, a.position, a.name, a.type, a."isRequired"
      from m, json_to_recordset(${list}::json) as a (position int, name text, type text, "isRequired" boolean)
      order by a.position)
    select id from m`);
  return (model as { id: Id }).id;
}

/** A model as stored: each attribute is complete. */
export type StoredModel = Omit<Schemas['WorkItemModel'], 'attributes'> & {
  attributes: (Attribute & { id: Id })[];
};

export function selectModel(db: Db, tenantId: Id, id: Id): Promise<StoredModel | undefined> {
  return db.row(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where m.tenant_id = ${tenantId} and m.id = ${id}`);
}

/** Models of the tenant: all, and those that match a condition. */
export async function countModels(
  db: Db,
  tenantId: Id,
  where: Sql,
): Promise<{ total: number; totalFilter: number }> {
  const [counts] = await db.rows<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from work_item_models m where m.tenant_id = ${tenantId}`);
  return counts ?? { total: 0, totalFilter: 0 };
}

export function selectModels(db: Db, tenantId: Id, query: ListQuery): Promise<Schemas['WorkItemModel'][]> {
  const { where, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where m.tenant_id = ${tenantId} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}
