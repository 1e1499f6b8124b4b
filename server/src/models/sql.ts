import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { Attribute } from './rules.ts';

const modelColumns =
  raw(`m.id, m.name, m.version, m.tenant_id as "tenantId", t.uuid as "tenantUuid", m.attributes,
  m.archived_on is not null as archived, m.created_by as "createdBy", m.created_on as "createdOn",
  m.updated_by as "updatedBy", m.updated_on as "updatedOn"`);

/** What models can be filtered and sorted by. */
export const modelFields: Record<string, Field> = {
  id: { column: raw('m.id'), type: 'id' },
  name: { column: raw('m.name'), type: 'text' },
  archived: { column: raw('(m.archived_on is not null)'), type: 'boolean' },
  createdOn: { column: raw('m.created_on'), type: 'time' },
  updatedOn: { column: raw('m.updated_on'), type: 'time' },
};

export const modelId: Sql = raw('m.id');

/** Which models a list is about; those in the archive only where it asks for them. */
export const modelShelves = { current: raw('m.archived_on is null'), all: raw('true') };

/** A model as stored: complete, and each of its attributes as well. */
export type StoredModel = Omit<Schemas['WorkItemModel'], 'attributes'> &
  Required<Pick<Schemas['WorkItemModel'], 'id' | 'name' | 'version' | 'createdBy' | 'archived'>> & {
    attributes: StoredAttribute[];
  };

export type StoredAttribute = Attribute & { id: Id };

/** Who writes, and when. */
interface Author {
  readonly actorId: Id;
  readonly now: Date;
}

/** Ids for new attributes. */
export async function reserveAttributeIds(db: Db, count: number): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select nextval('work_item_attribute_ids') as id from generate_series(1, ${count})`,
  );
  return rows.map(({ id }) => id);
}

/** Stores a model with its first version; answers its id. */
export async function insertModel(
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

/** Keeps the present version of a model for good. */
const versionOf = (source: Sql): Sql => sql`
  insert into work_item_model_versions (model_id, version, name, attributes, updated_by, updated_on)
  select id, version, name, attributes, updated_by, updated_on from ${source}`;

/** Changes a model, one version up. */
export async function updateModel(
  db: Db,
  id: Id,
  { name, attributes }: { name: string; attributes: readonly StoredAttribute[] },
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    with m as (
      update work_item_models set name = ${name}, attributes = ${stringifyJson(attributes)}, version = version + 1,
        updated_by = ${actorId}, updated_on = ${now}
      where id = ${id} returning *)
    ${versionOf(raw('m'))}`);
}

/** How a transaction holds a model. */
const lockByHold = {
  none: raw(''),
  /** Nobody changes it. */
  kept: raw('for share of m'),
  /** Nobody else changes it, nor creates a queue for it. */
  changed: raw('for update of m'),
};

export function selectModel(
  db: Db,
  tenantId: Id,
  id: Id,
  hold: keyof typeof lockByHold = 'none',
): Promise<StoredModel | undefined> {
  return db.row(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where m.tenant_id = ${tenantId} and m.id = ${id} ${lockByHold[hold]}`);
}

/** A version of a model, as it was while it was the present one. */
export function selectModelVersion(
  db: Db,
  id: Id,
  version: number,
): Promise<Pick<StoredModel, 'name' | 'version' | 'attributes' | 'updatedBy' | 'updatedOn'> | undefined> {
  return db.row(sql`
    select name, version, attributes, updated_by as "updatedBy", updated_on as "updatedOn"
    from work_item_model_versions where model_id = ${id} and version = ${version}`);
}

export async function setModelArchived(db: Db, id: Id, archived: boolean, { actorId, now }: Author) {
  await db.rows(sql`
    update work_item_models set archived_on = ${archived ? now : null}, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

export async function deleteModelRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from work_item_models where id = ${id}`);
}

/** Models of the tenant: all on the shelf, and those of them that match a condition. */
export async function countModels(
  db: Db,
  tenantId: Id,
  { where, shelf }: { where: Sql; shelf: Sql },
): Promise<{ total: number; totalFilter: number }> {
  const [counts] = await db.rows<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from work_item_models m where m.tenant_id = ${tenantId} and ${shelf}`);
  return counts ?? { total: 0, totalFilter: 0 };
}

export function selectModels(
  db: Db,
  tenantId: Id,
  { where, shelf, orderBy, limit, offset }: ListQuery & { shelf: Sql },
): Promise<Schemas['WorkItemModel'][]> {
  return db.rows(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where m.tenant_id = ${tenantId} and ${shelf} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}
