import { stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../db.ts';
import type { ModelNames } from '../models/names.ts';
import type { Attribute } from '../models/rules.ts';
import { changedBy, type Author } from './pause.sql.ts';
import type { NamingSettings } from './settings/renaming.ts';

/** A queue as a change of its model sees it. */
export interface ModelledQueue extends ModelNames, NamingSettings {
  readonly id: Id;
  readonly name: string;
  readonly openItems: number;
}

/** The queues of a model, locked against other changes in the order of their ids. */
export async function lockQueuesOfModel(db: Db, modelId: Id): Promise<ModelledQueue[]> {
  return db.rows<ModelledQueue>(sql`
    select q.id, q.name, q.attributes, q.model_version as "modelVersion", q.names_since as "namesSince",
      q.display_columns as "displayColumns", q.processing_orders as "workItemProcessingOrders",
      q.unique_by as "uniqueBy",
      (select coalesce(sum(t.new + t.in_progress + t.deferred), 0)::bigint from queue_tallies t
        where t.queue_id = q.id) as "openItems"
    from queues q where q.model_id = ${modelId} order by q.id for no key update of q`);
}

/** What a user has of the queues of a model; nothing when there are none. */
export interface OwnQueues {
  /** Owns all of them. */
  readonly all?: boolean;
  /** Owns one of them together with who made the model. */
  readonly withMaker?: boolean;
}

export async function selectOwnQueues(
  db: Db,
  userId: Id,
  model: { id: Id; createdBy: Id },
): Promise<OwnQueues> {
  const owned = (by: Id) => sql`exists (
    select from queue_members m where m.queue_id = q.id and m.user_id = ${by} and m.role = 'OWNER')`;
  const row = await db.row<OwnQueues>(sql`
    select bool_and(${owned(userId)}) as all, bool_or(${owned(model.createdBy)}) as "withMaker"
    from queues q where q.model_id = ${model.id}`);
  return row ?? {};
}

/** Queues of a model that a user may see, by name; and how many there are in all. */
export async function selectQueuesOfModel(db: Db, modelId: Id): Promise<{ id: Id; name: string }[]> {
  return db.rows(sql`select id, name from queues where model_id = ${modelId} order by id`);
}

/** What a queue has from its model. */
export interface TakenFromModel extends ModelNames {
  readonly attributes: readonly Attribute[];
}

/** Gives a queue another version of its model. */
export async function saveModelOfQueue(
  db: Db,
  id: Id,
  { attributes, modelVersion, namesSince }: TakenFromModel,
): Promise<void> {
  await db.rows(sql`
    update queues set attributes = ${stringifyJson(attributes)}, model_version = ${modelVersion},
      names_since = ${namesSince}
    where id = ${id}`);
}

/** Has the settings of a queue that name attributes say other names. */
export async function renameSettings(
  db: Db,
  id: Id,
  { displayColumns, workItemProcessingOrders, uniqueBy }: NamingSettings,
  author: Author,
): Promise<void> {
  await db.rows(sql`
    update queues set display_columns = ${displayColumns}, processing_orders = ${workItemProcessingOrders},
      unique_by = ${uniqueBy}, ${changedBy(author)}
    where id = ${id}`);
}
