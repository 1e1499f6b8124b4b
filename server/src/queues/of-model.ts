import { stringifyJson, type Id } from '@millrace/api';
import { queuesOfUser } from '../access/members/membership.ts';
import { sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import { authorOf, type Attribute, type Author, type Context } from '../engine/operation.ts';
import { changedMembers, recordOfQueue } from '../journal/journal.ts';
import { orderOf, type ModelNames } from '../records/record.ts';
import { isMarked } from '../records/sensitive.rules.ts';
import { changedBy, lockOutWriters, reordered } from './sql.ts';

/** The ids of the models of a user's queues, as SQL. */
export function modelsOfUser(userId: Id): Sql {
  return sql`select q.model_id from queues q where q.id in (${queuesOfUser(userId)})`;
}

/** Waits until nobody writes items of these queues, and keeps writers out until the transaction ends. */
export async function lockOutWritersOf(db: Db, queues: readonly Pick<ModelledQueue, 'id'>[]): Promise<void> {
  for (const { id } of queues) await lockOutWriters(db, id);
}

/** @throws Refusal IN_USE when a setting of one of the queues names an attribute that is going to be removed */
export function refuseLostNames(queues: readonly ModelledQueue[], after: TakenFromModel['attributes']): void {
  for (const queue of queues) renamedSettings(queue.id, queue, queue.attributes, after);
}

/** Gives a queue the next version of its model: its settings follow, and so do its items in the background. */
export async function takeModel(
  context: Context,
  queue: ModelledQueue,
  {
    model,
    isReordering,
    isMarking,
  }: {
    model: TakenFromModel;
    isReordering: boolean;
    /** Some attributes become sensitive. */ isMarking: boolean;
  },
): Promise<void> {
  const { db } = context;
  const { displayColumns, indexedColumns, searchedAttributes, workItemProcessingOrders, uniqueBy } = queue;
  const before = { displayColumns, indexedColumns, searchedAttributes, workItemProcessingOrders, uniqueBy };
  const after = renamedSettings(queue.id, queue, queue.attributes, model.attributes);
  const changes = changedMembers(before, after);
  await saveModelOfQueue(db, queue.id, model);
  if (Object.keys(changes).length > 0) await renameSettings(db, queue.id, after, authorOf(context));
  if (isReordering) await startReordering(db, queue.id, isMarking);
  const eventChanges = { modelVersion: model.modelVersion, ...changes };
  await recordOfQueue(context, queue.id, { operation: 'updateWorkItemModel', changes: eventChanges });
}

/** The settings of a queue that name attributes of its model. */
interface NamingSettings {
  readonly displayColumns: readonly string[];
  readonly indexedColumns: readonly string[];
  readonly searchedAttributes: readonly string[];
  readonly workItemProcessingOrders: readonly string[];
  readonly uniqueBy: readonly string[];
}

/**
 * The settings with the new names of the model's attributes.
 * @throws Refusal IN_USE when one of them names an attribute that is going to be removed
 */
function renamedSettings(
  queueId: Id,
  settings: NamingSettings,
  before: readonly Attribute[],
  after: readonly Attribute[],
): NamingSettings {
  const rename = renaming(queueId, after);
  const named = (field: Exclude<keyof NamingSettings, 'workItemProcessingOrders'>) =>
    settings[field].map((said) => {
      const attribute = before.find(({ name }) => name === said);
      return rename(field, attribute, said);
    });
  return {
    displayColumns: named('displayColumns').map(nameOf),
    indexedColumns: named('indexedColumns').map(nameOf),
    // Parts of encrypted values cannot be searched.
    searchedAttributes: named('searchedAttributes').flatMap((one) => (isMarked(one) ? [] : nameOf(one))),
    uniqueBy: named('uniqueBy').map(nameOf),
    workItemProcessingOrders: settings.workItemProcessingOrders.map((said) => {
      const { attribute, isDescending = false } = orderOf(before, said) ?? {};
      const renamed = rename('workItemProcessingOrders', attribute, said);
      return renamedOrder(queueId, said, { renamed, isDescending, after });
    }),
  };
}

/** Finds the changed form of an attribute. */
const renaming =
  (queueId: Id, after: readonly Attribute[]) =>
  (field: keyof NamingSettings, attribute: Attribute | undefined, said: string): Attribute => {
    const renamed = after.find(({ id }) => id === attribute?.id);
    if (!attribute || !renamed) throw stillNamed(queueId, field, said);
    return renamed;
  };

const nameOf = ({ name }: Attribute) => name;

function renamedOrder(
  queueId: Id,
  said: string,
  {
    renamed,
    isDescending,
    after,
  }: { renamed: Attribute; isDescending: boolean; after: readonly Attribute[] },
): string {
  if (isMarked(renamed)) throw ordersNothing(queueId, said);
  const order = isDescending ? `-${renamed.name}` : renamed.name;
  if (orderOf(after, order)?.attribute.id !== renamed.id) throw ambiguous(queueId, order);
  return order;
}

function stillNamed(queueId: Id, field: string, said: string): Refusal {
  const message = `names ${JSON.stringify(said)}`;
  return new Refusal(
    'IN_USE',
    `${field} of queue ${queueId} ${message}, which the model would not have any more. Change the queue first.`,
    { details: [{ field, message }] },
  );
}

function ordersNothing(queueId: Id, said: string): Refusal {
  const message = `names ${JSON.stringify(said)}`;
  return new Refusal(
    'IN_USE',
    `workItemProcessingOrders of queue ${queueId} ${message}, whose values would be encrypted and order nothing. Change the queue first.`,
    { details: [{ field: 'workItemProcessingOrders', message }] },
  );
}

/** A leading `-` means descending, unless it is part of an attribute's name. */
function ambiguous(queueId: Id, order: string): Refusal {
  return new Refusal(
    'IN_USE',
    `workItemProcessingOrders of queue ${queueId} could not say ${JSON.stringify(order)} any more: an attribute would be named so. ` +
      'Choose another name.',
  );
}

/** A queue, with the members that a change of its model needs. */
export interface ModelledQueue extends ModelNames, NamingSettings {
  readonly id: Id;
  readonly name: string;
  readonly openItems: number;
  /** Its items are being adapted to a change of it, or of its model. */
  readonly isReordering: boolean;
}

/** The queues of a model, locked against other changes in the order of their ids. */
export async function holdQueuesOfModel(db: Db, modelId: Id): Promise<ModelledQueue[]> {
  return db.rows<ModelledQueue>(sql`
    select q.id, q.name, q.attributes, q.model_version as "modelVersion", q.names_since as "namesSince",
      q.display_columns as "displayColumns", q.indexed_columns as "indexedColumns",
      q.searched_attributes as "searchedAttributes", q.processing_orders as "workItemProcessingOrders",
      q.unique_by as "uniqueBy", q.rekey_after is not null as "isReordering",
      (select coalesce(sum(t.new + t.in_progress + t.deferred), 0)::bigint from queue_tallies t
        where t.queue_id = q.id) as "openItems"
    from queues q where q.model_id = ${modelId} order by q.id for no key update of q`);
}

/** The user's part in the queues of a model; empty when there are none. */
interface OwnQueues {
  /** The user owns all of them. */
  readonly all?: boolean;
  /** The user owns one of them together with the maker of the model. */
  readonly withMaker?: boolean;
}

export async function ownQueuesOfModel(
  { db, actor }: Context,
  model: { id: Id; createdBy: Id },
): Promise<OwnQueues> {
  const owned = (by: Id) => sql`exists (
    select from queue_members m where m.queue_id = q.id and m.user_id = ${by} and m.role = 'OWNER')`;
  const row = await db.row<OwnQueues>(sql`
    select bool_and(${owned(actor.id)}) as all, bool_or(${owned(model.createdBy)}) as "withMaker"
    from queues q where q.model_id = ${model.id}`);
  return row ?? {};
}

/** The queues of a model, in the order of their ids. */
export async function queuesUsingModel(db: Db, modelId: Id): Promise<{ id: Id; name: string }[]> {
  return db.rows(sql`select id, name from queues where model_id = ${modelId} order by id`);
}

/** The members of a queue that come from its model. */
interface TakenFromModel extends ModelNames {
  readonly attributes: readonly Attribute[];
}

/** Gives a queue another version of its model. */
async function saveModelOfQueue(
  db: Db,
  id: Id,
  { attributes, modelVersion, namesSince }: TakenFromModel,
): Promise<void> {
  await db.rows(sql`
    update queues set attributes = ${stringifyJson(attributes)}, model_version = ${modelVersion},
      names_since = ${namesSince}
    where id = ${id}`);
}

/** Renames attributes in the settings of a queue. */
async function renameSettings(
  db: Db,
  id: Id,
  { displayColumns, indexedColumns, searchedAttributes, workItemProcessingOrders, uniqueBy }: NamingSettings,
  author: Author,
): Promise<void> {
  await db.rows(sql`
    update queues set display_columns = ${displayColumns}, indexed_columns = ${indexedColumns},
      searched_attributes = ${searchedAttributes}, processing_orders = ${workItemProcessingOrders},
      unique_by = ${uniqueBy}, ${changedBy(author)}
    where id = ${id}`);
}

/** Has the items of all queues that may have encrypted values adapted to their models again; returns the number of queues. */
export async function reorderSensitiveQueues(db: Db, tenantId: Id): Promise<number> {
  const rows = await db.rows(sql`
    update queues q set ${reordered({ renewsExpiry: false })} where tenant_id = ${tenantId} and exists (
      select from json_array_elements(q.attributes) a where a ->> 'sensitivity' is not null) returning 1`);
  return rows.length;
}

async function startReordering(db: Db, queueId: Id, isMarking: boolean): Promise<void> {
  await db.rows(sql`
    update queues set ${reordered({ renewsExpiry: false })}, forgets_rows = forgets_rows or ${isMarking} where id = ${queueId}`);
}
